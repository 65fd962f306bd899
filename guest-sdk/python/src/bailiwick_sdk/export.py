"""The joint between the interface and the functions: what the component of a module exports.

Trusts the host that arguments are valid against the schema; a function's types are checked anyway.
Invariant: a function runs only under the name that it was described with, and no exception leaves
the component but the interface's own.
"""

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from . import _wit, failures
from ._outside import Host, Outside
from ._wit import Err
from .call import Call
from .definitions import Completer, Definition, PromptTemplate, Resource, Tool
from .errors import DefinitionError, DownstreamError, InvalidInput, NotFound, ToolError, to_wire
from .questions import Questions
from .results import Completion, Contents, Output, Page, Prompt, Suggestions
from .shapes import Mismatch
from .uri import expand

T = TypeVar("T")
D = TypeVar("D", bound=Definition[Any, Any])

_log = logging.getLogger("bailiwick")


class Component:
    """All that a module defines, as its component exports it."""

    def __init__(self, definitions: Iterable[Definition[Any, Any]]) -> None:
        everything = list(definitions)
        self.tools = _by_key(everything, Tool, lambda it: it.name)
        self.resources = _by_key(everything, Resource, lambda it: it.template)
        self.prompts = _by_key(everything, PromptTemplate, lambda it: it.name)
        self.all = everything
        self.begin: Callable[[], None] = lambda: None
        """What happens before each call."""
        self.end: Callable[[], None] = lambda: None
        """What happens after each call."""

    @property
    def exports(self) -> dict[str, type["Export"]]:
        """The exports by the names that componentize-py gives their classes."""
        found: dict[str, type[Export]] = {}
        if self.tools:
            found["Tools"] = Tools
        if self.resources:
            found["Resources"] = Resources
        if self.prompts:
            found["Prompts"] = Prompts
        families, prompts = self.resources.values(), self.prompts.values()
        if any(it.complete for it in families) or any(it.complete for it in prompts):
            found["Completion"] = Completions
        if any(it.facets for it in self.all):
            found["Facets"] = Facets
        return found

    def run(
        self, context: _wit.types.Context, function: Callable[[Call], T], outside: Outside | None
    ) -> T:
        """Runs a function for one call."""
        self.begin()
        try:
            call = Call(
                outside or Host(), json.loads(context.input), context.answers, context.state
            )
            return function(call)
        except (ToolError, DownstreamError) as error:
            if isinstance(error, DownstreamError):
                _log.warning("%s: %s", type(error).__name__, error.detail)
            raise Err(to_wire(error)) from None
        except Mismatch as mismatch:
            raise Err(to_wire(InvalidInput(str(mismatch)))) from None
        except BaseException as error:
            for line in failures.lines_of(error):
                _log.error("%s", line)
            raise Err(_wit.types.Error_Failed("the tool failed")) from None
        finally:
            self.end()


class Export:
    """One interface of a component. Without `outside` the host is asked."""

    def __init__(self, component: Component, outside: Outside | None = None) -> None:
        self._component = component
        self._outside = outside

    def _run(self, context: _wit.types.Context, function: Callable[[Call], T]) -> T:
        return self._component.run(context, function, self._outside)


class Tools(Export):
    """The interface `tools`."""

    def describe(self) -> list[_wit.tools.Definition]:
        """Lists the tools."""
        return [
            _wit.tools.Definition(
                it.name,
                it.title,
                it.description,
                it.input_schema,
                it.output_schema,
                _wit.tools.Annotations(**it.hints),
                it.scopes,
                it.services,
                it.meta,
            )
            for it in self._component.tools.values()
        ]

    def call(self, tool: str, context: _wit.types.Context) -> _wit.tools.Outcome:
        """Runs one tool."""

        def run(call: Call) -> _wit.tools.Outcome:
            definition = _found(self._component.tools, tool, "tool")
            result = definition.function(call, **definition.input.read(call.input, ""))
            if isinstance(result, Questions):
                return _wit.tools.Outcome_InputRequired(result.to_wire())
            output = result if isinstance(result, Output) else Output.of(result)
            return _wit.tools.Outcome_Complete(output.to_wire())

        return self._run(context, run)


class Resources(Export):
    """The interface `resources`."""

    def describe(self) -> list[_wit.resources.Definition]:
        """Lists the resources and families."""
        return [
            _wit.resources.Definition(
                it.template,
                it.name,
                it.title,
                it.description,
                it.mime_type,
                it.scopes,
                it.services,
                it.meta,
            )
            for it in self._component.resources.values()
        ]

    def members(self, family: str, context: _wit.types.Context) -> _wit.resources.Page:
        """Lists the members of a family; none if it has no function for that."""

        def run(call: Call) -> _wit.resources.Page:
            definition = _found(self._component.resources, family, "resource")
            if definition.members is None:
                return Page([]).to_wire()
            result = definition.members(call, call.input.get("cursor"))
            return (result if isinstance(result, Page) else Page(result)).to_wire()

        return self._run(context, run)

    def read(self, definition: str, context: _wit.types.Context) -> _wit.resources.Outcome:
        """Reads a resource."""

        def run(call: Call) -> _wit.resources.Outcome:
            it = _found(self._component.resources, definition, "resource")
            result = it.function(call, **it.input.read_texts(_known(call.input, it), ""))
            if isinstance(result, Questions):
                return _wit.resources.Outcome_InputRequired(result.to_wire())
            contents = result if isinstance(result, Contents) else Contents(result)
            uri = expand(it.template, call.input)
            return _wit.resources.Outcome_Complete(contents.to_wire(uri, it.mime_type))

        return self._run(context, run)


class Prompts(Export):
    """The interface `prompts`."""

    def describe(self) -> list[_wit.prompts.Definition]:
        """Lists the prompts."""
        argument = _wit.prompts.Argument
        return [
            _wit.prompts.Definition(
                it.name,
                it.title,
                it.description,
                [argument(m.name, m.title, m.description, m.required) for m in it.input.members],
                it.scopes,
                it.services,
                it.meta,
            )
            for it in self._component.prompts.values()
        ]

    def get(self, name: str, context: _wit.types.Context) -> _wit.prompts.Outcome:
        """Makes the messages of one prompt."""

        def run(call: Call) -> _wit.prompts.Outcome:
            it = _found(self._component.prompts, name, "prompt")
            result = it.function(call, **it.input.read_texts(_known(call.input, it), ""))
            if isinstance(result, Questions):
                return _wit.prompts.Outcome_InputRequired(result.to_wire())
            prompt = result if isinstance(result, Prompt) else Prompt().user(result)
            return _wit.prompts.Outcome_Complete(prompt.to_wire())

        return self._run(context, run)


class Completions(Export):
    """The interface `completion`."""

    def complete(
        self,
        of: _wit.completion.Reference,
        argument: str,
        value: str,
        context: _wit.types.Context,
    ) -> _wit.completion.Suggestions:
        """Suggests values; none for an argument without a function."""

        def run(call: Call) -> _wit.completion.Suggestions:
            completers: dict[str, Completer] = {}
            if (
                isinstance(of, _wit.completion.Reference_Prompt)
                and of.value in self._component.prompts
            ):
                completers = self._component.prompts[of.value].complete
            if isinstance(of, _wit.completion.Reference_Family):
                family = self._component.resources.get(of.value)
                completers = family.complete if family else {}
            if argument not in completers:
                return Suggestions([]).to_wire()
            result = completers[argument](call, Completion(value, call.input))
            return (result if isinstance(result, Suggestions) else Suggestions(result)).to_wire()

        return self._run(context, run)


class Facets(Export):
    """The interface `facets`."""

    def describe(self) -> list[tuple[_wit.facets.Subject, list[tuple[str, str]]]]:
        """Lists the facets."""
        return [(_subject(it), it.facets) for it in self._component.all if it.facets]


def _subject(definition: Definition[Any, Any]) -> _wit.facets.Subject:
    match definition:
        case Resource():
            return _wit.facets.Subject_Resource(definition.template)
        case PromptTemplate():
            return _wit.facets.Subject_Prompt(definition.name)
        case _:
            return _wit.facets.Subject_Tool(definition.name)


def _by_key(
    everything: list[Definition[Any, Any]], kind: type[D], key: Callable[[D], str]
) -> dict[str, D]:
    found: dict[str, D] = {}
    for definition in everything:
        if isinstance(definition, kind):
            other = found.setdefault(key(definition), definition)
            if other is not definition:
                raise DefinitionError(f"{definition.where}: {other.where} is the same")
    return found


def _found(all: dict[str, T], key: str, noun: str) -> T:
    if key not in all:
        raise NotFound(f"no {noun} `{key}` in this component")
    return all[key]


def _known(texts: dict[str, str], definition: Any) -> dict[str, str]:
    """Returns the texts that the function takes."""
    names = {member.name for member in definition.input.members}
    return {name: text for name, text in texts.items() if name in names}
