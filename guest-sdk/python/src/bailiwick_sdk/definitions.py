"""The decorators: `@tool`, `@resource` and `@prompt`.

A definition is checked when the module is imported, so a mistake ends the build with its place.
Invariant: a definition is callable as the function that it decorates, which tests do.
"""

import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar

from . import _json
from .call import Call
from .errors import DefinitionError
from .questions import Questions
from .results import Completion, Member, Output, Page, Suggestions
from .shapes import Record, Schema, arguments_of, schema_of, shape_of
from .shapes.compiled import hints_of
from .uri import expand, variables_of

P = ParamSpec("P")
R = TypeVar("R")
Icon: TypeAlias = str | Mapping[str, Any]
"""An address (`https:` or `data:`), or an icon of MCP as an object."""
Members: TypeAlias = Callable[[Call, str | None], Page | list[Member]]
Completer: TypeAlias = Callable[[Call, Completion], Suggestions | list[str]]


class Definition(Generic[P, R]):
    """A decorated function, and what clients and the operator see of it."""

    kind = "function"

    def __init__(
        self,
        function: Callable[Concatenate[Call, P], R],
        *,
        name: str | None,
        title: str | None,
        scopes: Sequence[str],
        services: Sequence[str],
        meta: Mapping[str, Any] | None,
        icons: Sequence[Icon],
        requires: Sequence[str],
    ) -> None:
        self.function = function
        self.name = name or function.__name__
        code = function.__code__
        place = f"{PurePath(code.co_filename).name}:{code.co_firstlineno}"
        self.where = f"{place}: {self.kind} `{self.name}`"
        self.title = title
        self.description = inspect.cleandoc(function.__doc__ or "")
        self.scopes = self._references("scopes", scopes)
        self.services = self._references("services", services)
        self.meta = None if meta is None else _json.dumps(dict(meta))
        self.facets: list[tuple[str, str]] = []
        if icons:
            all_icons = [{"src": icon} if isinstance(icon, str) else dict(icon) for icon in icons]
            self.facets.append(("icons", _json.dumps(all_icons)))
        if requires:
            self.facets.append(("requires", _json.dumps(self._texts("requires", requires))))
        self._check()

    def __call__(self, call: Call, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(call, *args, **kwargs)

    @property
    def module(self) -> str:
        """The name of the module that defines it."""
        return self.function.__module__

    def error(self, why: str) -> DefinitionError:
        """Returns an error with the place of this definition."""
        return DefinitionError(f"{self.where}: {why}")

    def _texts(self, setting: str, given: Sequence[str]) -> list[str]:
        if isinstance(given, str) or not all(isinstance(it, str) for it in given):
            raise self.error(f'`{setting}` is a list of texts, such as ["orders:read"]')
        return list(given)

    def _references(self, setting: str, given: Sequence[str]) -> list[str]:
        """Returns scopes (RFC 6749 §3.3) or services, as the host takes them."""
        for name in self._texts(setting, given):
            if not re.fullmatch(r"[!#-\[\]-~]{1,128}", name):
                raise self.error(
                    f'`{setting}`: {name!r} is not visible ASCII, without a space, " or \\'
                )
        return list(given)

    def _check(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", self.name):
            raise self.error("the name is 1 to 64 characters of A-Z a-z 0-9 _ . -")
        if not self.description:
            raise self.error("it has no docstring, which is the description that the model reads")
        if inspect.iscoroutinefunction(self.function):
            raise self.error(
                "it is `async def`; write `def`. `call.send_all` sends several requests at once"
            )
        parameters = list(inspect.signature(self.function).parameters.values())
        hints = hints_of(self.function, self.where)
        if not parameters or hints.get(parameters[0].name) is not Call:
            raise self.error("its first parameter is the call: `call: Call`")


class Tool(Definition[P, R]):
    """A function that a model calls."""

    kind = "tool"

    def __init__(
        self,
        function: Callable[Concatenate[Call, P], R],
        hints: Mapping[str, bool | None],
        **about: Any,
    ) -> None:
        super().__init__(function, **about)
        self.hints = hints
        self.input = arguments_of(function, self.where, skip=1)
        self.input_schema = _json.dumps(schema_of(self.input, closed=True))
        self.output_schema = self._output()

    def _output(self) -> str | None:
        """Returns the schema of the result, if it is always one object."""
        hint = hints_of(self.function, self.where).get("return", Output)
        branches = [it for it in _branches(hint) if it is not Questions]
        if Output in branches or len(branches) != 1 or branches[0] is None:
            return None
        schema: Schema = schema_of(shape_of(branches[0], f"{self.where}: its result"), closed=False)
        return _json.dumps(schema) if schema.get("type") == "object" else None


class Resource(Definition[P, R]):
    """A document that clients read by URI, or a family of them."""

    kind = "resource"

    def __init__(
        self,
        function: Callable[Concatenate[Call, P], R],
        uri: str,
        mime_type: str | None,
        members: Members | None,
        complete: Mapping[str, Completer],
        **about: Any,
    ) -> None:
        super().__init__(function, **about)
        self.template = uri
        self.mime_type = mime_type
        self.members = members
        self.variables = variables_of(uri, self.where)
        self.input = _texts_of(self)
        for member in self.input.members:
            if member.name not in self.variables:
                raise self.error(f"it takes `{member.name}`, and `{uri}` has no such variable")
        if members is not None and not self.variables:
            raise self.error("only a family has members: its URI has a variable, such as `{id}`")
        self.complete = _completers(self, complete, self.variables)

    def uri(self, **values: object) -> str:
        """Returns the URI of a member, with the values percent-encoded: `order.uri(id=7)`."""
        if set(values) != set(self.variables):
            raise TypeError(f"expected {', '.join(self.variables)}, got {', '.join(values)}")
        return expand(self.template, {name: str(value) for name, value in values.items()})


class PromptTemplate(Definition[P, R]):
    """A template of messages that people choose."""

    kind = "prompt"

    def __init__(
        self,
        function: Callable[Concatenate[Call, P], R],
        complete: Mapping[str, Completer],
        **about: Any,
    ) -> None:
        super().__init__(function, **about)
        self.input = _texts_of(self)
        self.complete = _completers(self, complete, [it.name for it in self.input.members])


@typing.overload
def tool(function: Callable[Concatenate[Call, P], R], /) -> Tool[P, R]: ...


@typing.overload
def tool(
    *,
    name: str | None = None,
    title: str | None = None,
    scopes: Sequence[str] = (),
    services: Sequence[str] = (),
    read_only: bool | None = None,
    destructive: bool | None = None,
    idempotent: bool | None = None,
    open_world: bool | None = None,
    meta: Mapping[str, Any] | None = None,
    icons: Sequence[Icon] = (),
    requires: Sequence[str] = (),
) -> Callable[[Callable[Concatenate[Call, P], R]], Tool[P, R]]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    title: str | None = None,
    scopes: Sequence[str] = (),
    services: Sequence[str] = (),
    read_only: bool | None = None,
    destructive: bool | None = None,
    idempotent: bool | None = None,
    open_world: bool | None = None,
    meta: Mapping[str, Any] | None = None,
    icons: Sequence[Icon] = (),
    requires: Sequence[str] = (),
) -> Any:
    """Makes a tool of a function: `@tool`, or with settings `@tool(scopes=["orders:read"])`.

    The caller's token must have all `scopes`; `services` are requested, and the operator grants
    them. The name is the function's, the description its docstring, the parameters the input.
    """
    about = _about(locals())
    hints = {
        "read_only": read_only,
        "destructive": destructive,
        "idempotent": idempotent,
        "open_world": open_world,
    }

    def made(function: Any) -> Tool[..., Any]:
        return Tool(_function(function, "tool"), hints, **about)

    return made if function is None else made(function)


def resource(
    uri: str,
    *,
    mime_type: str | None = None,
    members: Members | None = None,
    complete: Mapping[str, Completer] | None = None,
    name: str | None = None,
    title: str | None = None,
    scopes: Sequence[str] = (),
    services: Sequence[str] = (),
    meta: Mapping[str, Any] | None = None,
    icons: Sequence[Icon] = (),
    requires: Sequence[str] = (),
) -> Callable[[Callable[Concatenate[Call, P], R]], Resource[P, R]]:
    """Makes a resource of a function, or a family of them if the URI has variables.

    The scheme is the component's name: `orders://orders/{id}`. The function has a parameter for
    each variable. `members` lists those of the caller, page by page; `complete` has, by variable,
    functions that suggest values.
    """
    about = _about(locals())
    return lambda function: Resource(
        _function(function, "resource"), uri, mime_type, members, complete or {}, **about
    )


def prompt(
    *,
    complete: Mapping[str, Completer] | None = None,
    name: str | None = None,
    title: str | None = None,
    scopes: Sequence[str] = (),
    services: Sequence[str] = (),
    meta: Mapping[str, Any] | None = None,
    icons: Sequence[Icon] = (),
    requires: Sequence[str] = (),
) -> Callable[[Callable[Concatenate[Call, P], R]], PromptTemplate[P, R]]:
    """Makes a prompt of a function, whose parameters are the arguments.

    Clients send texts: numbers, booleans and choices are read from them. `complete` has, by
    argument, functions that suggest values.
    """
    about = _about(locals())
    return lambda function: PromptTemplate(_function(function, "prompt"), complete or {}, **about)


def _about(settings: dict[str, Any]) -> dict[str, Any]:
    """Returns the settings that every kind has."""
    common = ("name", "title", "scopes", "services", "meta", "icons", "requires")
    return {key: settings[key] for key in common}


def _function(function: Any, decorator: str) -> Any:
    if not inspect.isfunction(function):
        raise DefinitionError(f"`@{decorator}(...)` stands over a `def`, not over {function!r}")
    return function


def _branches(hint: Any) -> Sequence[Any]:
    return (
        typing.get_args(hint)
        if typing.get_origin(hint) in (typing.Union, types.UnionType)
        else (hint,)
    )


def _texts_of(definition: Definition[Any, Any]) -> Record:
    """Returns the shape of parameters whose values arrive as texts."""
    record = arguments_of(definition.function, definition.where, skip=1)
    for member in record.members:
        if not member.shape.from_text:
            raise definition.error(
                f"`{member.name}` is {member.shape.noun}, and clients send texts"
            )
    return record


def _completers(
    definition: Definition[Any, Any], given: Mapping[str, Completer], known: Sequence[str]
) -> dict[str, Completer]:
    for name in given:
        if name not in known:
            raise definition.error(f"there is no `{name}` to complete")
    return dict(given)
