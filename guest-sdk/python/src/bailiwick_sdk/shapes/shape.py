"""Shapes: the kinds of values that JSON can carry."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Schema = dict[str, Any]


class Mismatch(Exception):
    """A value that does not have the shape, and where it is."""

    def __init__(self, at: str, why: str) -> None:
        super().__init__(f"`{at}`: {why}" if at else why)


@dataclass
class Writing:
    """How a schema is written: closed for what a caller sends, open for what a tool returns."""

    closed: bool
    definitions: dict[str, Schema] = field(default_factory=dict)


class Shape(ABC):
    """The values of one type."""

    noun: str
    """What a message calls such a value."""

    @abstractmethod
    def schema(self, writing: Writing) -> Schema:
        """Returns the JSON Schema 2020-12."""

    @abstractmethod
    def read(self, value: Any, at: str) -> Any:
        """Returns the value of the type. Raises `Mismatch` if it has another shape."""

    def read_text(self, text: str, at: str) -> Any:
        """Returns the value that a text says, for prompts and variables."""
        raise self.expected(text, at)

    @property
    def from_text(self) -> bool:
        """Whether a text can say such a value."""
        return False

    def expected(self, value: Any, at: str) -> Mismatch:
        """Returns what to say about a value that is something else."""
        return Mismatch(at, f"expected {self.noun}, got {noun_of(value)}")


def schema_of(shape: Shape, *, closed: bool) -> Schema:
    """Returns the whole schema of a shape, with the definitions that refer to themselves."""
    writing = Writing(closed)
    schema = shape.schema(writing)
    if writing.definitions:
        if set(schema) == {"$ref"}:
            schema = dict(writing.definitions[schema["$ref"].removeprefix("#/$defs/")])
        schema["$defs"] = writing.definitions
    return schema


def noun_of(value: Any) -> str:
    """Returns what a message calls a value of JSON, without repeating it."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "a whole number"
        case float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"


@dataclass
class Member:
    """A member of a record."""

    name: str
    shape: Shape
    required: bool
    description: str | None = None
    title: str | None = None
    default: Any = None
    """The default as JSON, for the schema; `None` also if it has none."""

    def schema(self, writing: Writing) -> Schema:
        """Returns the schema of the member's values."""
        schema = self.shape.schema(writing)
        for key, text in (("title", self.title), ("description", self.description)):
            if text is not None:
                schema = {**schema, key: text}
        if self.default is not None and writing.closed:
            schema = {**schema, "default": self.default}
        return schema


@dataclass
class Record(Shape):
    """An object with named members: parameters, a dataclass or a TypedDict."""

    name: str
    build: Callable[[dict[str, Any]], Any]
    members: list[Member] = field(default_factory=list)
    recursive: bool = False
    lenient: bool = False
    """Whether members without a name are left out instead of refused."""
    noun = "an object"

    def schema(self, writing: Writing) -> Schema:
        if not self.recursive:
            return self.inline(writing)
        if self.name not in writing.definitions:
            writing.definitions[self.name] = {}
            writing.definitions[self.name] = self.inline(writing)
        return {"$ref": f"#/$defs/{self.name}"}

    def inline(self, writing: Writing) -> Schema:
        """Returns the schema itself, also of a record that contains itself."""
        schema: Schema = {"type": "object"}
        if self.members:
            schema["properties"] = {it.name: it.schema(writing) for it in self.members}
        required = [it.name for it in self.members if it.required]
        if required:
            schema["required"] = required
        if writing.closed:
            schema["additionalProperties"] = False
        return schema

    def read(self, value: Any, at: str) -> Any:
        if not isinstance(value, dict):
            raise self.expected(value, at)
        known = {it.name for it in self.members}
        for name in value:
            if name not in known and not self.lenient:
                raise Mismatch(within(at, name), "it is not known here")
        return self.built(value, at, lambda member, given, path: member.shape.read(given, path))

    def read_texts(self, texts: dict[str, str], at: str) -> Any:
        """Returns the value that texts say, one for each member."""
        return self.built(texts, at, lambda member, text, path: member.shape.read_text(text, path))

    def built(self, value: dict[str, Any], at: str, read: Callable[[Member, Any, str], Any]) -> Any:
        """Reads each member, then builds the value."""
        members: dict[str, Any] = {}
        for member in self.members:
            path = within(at, member.name)
            if member.name in value:
                members[member.name] = read(member, value[member.name], path)
            elif member.required:
                raise Mismatch(path, "it is missing")
        try:
            return self.build(members)
        except ValueError as error:
            raise Mismatch(at, str(error)) from error


def within(at: str, name: str) -> str:
    """Returns the path of a member."""
    return f"{at}.{name}" if at else name
