"""From a type hint to its shape."""

import collections.abc
import contextlib
import dataclasses
import inspect
import json
import types
import typing
from collections.abc import Callable
from enum import Enum
from typing import Any, get_args, get_origin

from ..errors import DefinitionError
from .field import constrained, said_by
from .groups import Either, Fixed, List, Map
from .scalars import SIMPLE, Choice, Given, written
from .shape import Member, Record, Shape


def shape_of(hint: Any, where: str, *, lenient: bool = False) -> Shape:
    """Returns the shape of a type. `where` names it in a `DefinitionError`; a lenient shape leaves
    out members that it does not know, as is right for the answer of a service."""
    return Compiler(lenient).shape(hint, where)


def lenient_shape_of(hint: Any, where: str) -> Shape:
    """Returns the lenient shape of a type, made once."""
    try:
        known = _LENIENT.get(hint)
    except TypeError:  # Something in `Annotated` has no hash.
        return shape_of(hint, where, lenient=True)
    if known is None:
        known = _LENIENT[hint] = shape_of(hint, where, lenient=True)
    return known


def arguments_of(function: Callable[..., Any], where: str, skip: int) -> Record:
    """Returns the shape of a function's parameters after the first `skip`; or that of the one
    dataclass or TypedDict which it takes instead."""
    compiler = Compiler(lenient=False)
    hints = hints_of(function, where)
    parameters = list(inspect.signature(function).parameters.values())[skip:]
    if len(parameters) == 1 and is_record(hints.get(parameters[0].name)):
        (only,) = parameters
        shape = compiler.shape(hints[only.name], where)
        assert isinstance(shape, Record)
        build = shape.build
        return dataclasses.replace(shape, build=lambda members: {only.name: build(members)})
    record = Record(where, dict)
    for parameter in parameters:
        at = f"{where}: `{parameter.name}`"
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise DefinitionError(f"{at}: a caller names each argument, so it cannot be `*` or `/`")
        if parameter.name not in hints:
            raise DefinitionError(f"{at}: it has no type")
        default = () if parameter.default is parameter.empty else (parameter.default,)
        record.members.append(compiler.member(parameter.name, hints[parameter.name], at, default))
    return record


class Compiler:
    """Makes shapes; a record that is inside itself is made once."""

    def __init__(self, lenient: bool) -> None:
        self.lenient = lenient
        self.records: dict[Any, Record] = {}
        self.open: set[Any] = set()

    def shape(self, hint: Any, where: str) -> Shape:
        """Returns the shape of a hint."""
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is typing.Annotated:
            said: dict[str, Any] = {}
            for metadata in hint.__metadata__:
                said |= said_by(metadata)
            return constrained(self.shape(arguments[0], where), said, where)
        if isinstance(hint, collections.abc.Hashable) and hint in SIMPLE:
            return SIMPLE[hint]
        if origin is typing.Literal:
            return Choice(arguments, tuple(map(written, arguments)))
        if origin in (typing.Union, types.UnionType):
            return Either(tuple(self.shape(branch, where) for branch in arguments))
        if origin is not None or hint in (list, dict, set, frozenset, tuple):
            return self.group(hint, origin or hint, arguments, where)
        if isinstance(hint, type) and issubclass(hint, Enum):
            members = tuple(hint)
            return Choice(members, tuple(map(written, members)))
        if hasattr(hint, "__bailiwick_schema__"):
            return Given(hint.__bailiwick_schema__())
        if is_record(hint):
            return self.record(hint, where)
        return self.other(hint, where)

    def group(self, hint: Any, origin: Any, arguments: tuple[Any, ...], where: str) -> Shape:
        """Returns the shape of a generic type."""
        if origin is tuple and arguments and arguments[-1] is not Ellipsis:
            return Fixed(tuple(self.shape(item, where) for item in arguments))
        item = self.shape(arguments[0] if arguments else Any, where)
        if origin in BUILDERS:
            return List(item, BUILDERS[origin], unique=origin in (set, frozenset))
        if origin in (dict, collections.abc.Mapping):
            value = self.shape(arguments[1] if arguments else Any, where)
            key = item if arguments else SIMPLE[str]
            if not key.from_text:
                raise DefinitionError(f"{where}: the names of an object are texts, not {key.noun}")
            return Map(key, value)
        if isinstance(hint, typing.TypeAliasType if hasattr(typing, "TypeAliasType") else ()):
            return self.other(hint, where)
        raise DefinitionError(f"{where}: a generic type has no JSON Schema here: {hint!r}")

    def record(self, hint: Any, where: str) -> Shape:
        """Returns the shape of a dataclass or a TypedDict."""
        if hint in self.records:
            self.records[hint].recursive |= hint in self.open
            return self.records[hint]
        record = Record(hint.__name__, hint, lenient=self.lenient)
        if typing.is_typeddict(hint):
            record.build = dict
        else:
            record.build = lambda members: hint(**members)
        self.records[hint] = record
        self.open.add(hint)
        hints = hints_of(hint, where)
        for name, default in fields_of(hint):
            at = f"{where}: `{hint.__name__}.{name}`"
            record.members.append(self.member(name, hints[name], at, default))
        self.open.discard(hint)
        return record

    def member(self, name: str, hint: Any, at: str, default: tuple[Any, ...] | None) -> Member:
        """Returns a member of a record. The default is `()` if it is required, `None` if it may be
        absent without one."""
        said: dict[str, Any] = {}
        while get_origin(hint) in WRAPPERS:
            (hint,) = get_args(hint)
        for metadata in getattr(hint, "__metadata__", ()):
            said |= said_by(metadata)
        member = Member(name, self.shape(hint, at), default == ())
        member.description, member.title = said.get("description"), said.get("title")
        if default and isinstance(default[0], str | int | float | Enum | list | dict):
            # One without JSON stays out of the schema, which need not have it.
            with contextlib.suppress(TypeError):
                member.default = json.loads(json.dumps(default[0], default=written))
        return member

    def other(self, hint: Any, where: str) -> Shape:
        """Returns the shape of another name for a type, or says what to use instead."""
        for name in ("__supertype__", "__value__"):
            if hasattr(hint, name):
                return self.shape(getattr(hint, name), where)
        if hasattr(hint, "__pydantic_core_schema__") or hasattr(hint, "__pydantic_fields__"):
            raise DefinitionError(f"{where}: {PYDANTIC}")
        if hint in (bytes, bytearray):
            raise DefinitionError(f"{where}: JSON has no bytes; take a text, such as base64")
        raise DefinitionError(
            f"{where}: {getattr(hint, '__name__', hint)!r} has no JSON Schema; use a dataclass, a "
            "TypedDict, an Enum, a Literal, str, int, float, bool, list or dict"
        )


def is_record(hint: Any) -> bool:
    """Returns true for a dataclass or a TypedDict."""
    return typing.is_typeddict(hint) or (isinstance(hint, type) and dataclasses.is_dataclass(hint))


def hints_of(owner: Any, where: str) -> dict[str, Any]:
    """Returns the types of a function's parameters or a class's members."""
    try:
        return typing.get_type_hints(owner, include_extras=True)
    except NameError as error:
        raise DefinitionError(f"{where}: {error}; types are defined above their use") from error


def fields_of(hint: Any) -> list[tuple[str, tuple[Any, ...] | None]]:
    """Returns the members of a record, and their defaults: `()` for a required one, `None` for one
    that may be absent without a default."""
    if typing.is_typeddict(hint):
        required = hint.__required_keys__
        return [(name, () if name in required else None) for name in hint.__annotations__]
    found: list[tuple[str, tuple[Any, ...] | None]] = []
    for field in dataclasses.fields(hint):
        if not field.init:
            continue
        if field.default is not dataclasses.MISSING:
            found.append((field.name, (field.default,)))
        elif field.default_factory is not dataclasses.MISSING:
            found.append((field.name, (field.default_factory(),)))
        else:
            found.append((field.name, ()))
    return found


PYDANTIC = (
    "pydantic models cannot be in a component: pydantic-core is native code, and there is no build "
    "of it for WebAssembly. Write a dataclass or a TypedDict; `Annotated[..., Field(...)]` of "
    "bailiwick_sdk has the constraints"
)

_LENIENT: dict[Any, Shape] = {}

WRAPPERS = {
    getattr(module, name)
    for module in (typing,)
    for name in ("Required", "NotRequired", "ReadOnly", "ClassVar", "Final")
    if hasattr(module, name)
}

BUILDERS: dict[Any, Callable[[list[Any]], Any]] = {
    list: list,
    set: set,
    frozenset: frozenset,
    tuple: tuple,
    collections.abc.Sequence: list,
    collections.abc.Iterable: list,
    collections.abc.Set: set,
}
