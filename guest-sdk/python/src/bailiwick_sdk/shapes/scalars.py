"""Shapes of single values."""

import datetime
import uuid
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .shape import Mismatch, Schema, Shape, Writing


class Anything(Shape):
    """Any JSON."""

    noun = "anything"

    def schema(self, writing: Writing) -> Schema:
        return {}

    def read(self, value: Any, at: str) -> Any:
        return value


@dataclass(frozen=True)
class Given(Shape):
    """A type that says itself what its JSON is. Only results have it."""

    given: Schema
    noun = "a value that only the host makes"

    def schema(self, writing: Writing) -> Schema:
        return self.given

    def read(self, value: Any, at: str) -> Any:
        raise self.expected(value, at)


class Null(Shape):
    """Nothing."""

    noun = "null"

    def schema(self, writing: Writing) -> Schema:
        return {"type": "null"}

    def read(self, value: Any, at: str) -> None:
        if value is not None:
            raise self.expected(value, at)


class Text(Shape):
    """A text."""

    noun = "a text"
    from_text = True

    def schema(self, writing: Writing) -> Schema:
        return {"type": "string"}

    def read(self, value: Any, at: str) -> str:
        if not isinstance(value, str):
            raise self.expected(value, at)
        return value

    def read_text(self, text: str, at: str) -> str:
        return text


class Flag(Shape):
    """True or false."""

    noun = "true or false"
    from_text = True

    def schema(self, writing: Writing) -> Schema:
        return {"type": "boolean"}

    def read(self, value: Any, at: str) -> bool:
        if not isinstance(value, bool):
            raise self.expected(value, at)
        return value

    def read_text(self, text: str, at: str) -> bool:
        if text not in ("true", "false"):
            raise self.expected(text, at)
        return text == "true"


class Whole(Shape):
    """A whole number, also if it was written as `5.0`."""

    noun = "a whole number"
    from_text = True

    def schema(self, writing: Writing) -> Schema:
        return {"type": "integer"}

    def read(self, value: Any, at: str) -> int:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.expected(value, at)
        return value

    def read_text(self, text: str, at: str) -> int:
        if not text.removeprefix("-").isdecimal():
            raise self.expected(text, at)
        return int(text)


class Number(Shape):
    """A number."""

    noun = "a number"
    from_text = True

    def schema(self, writing: Writing) -> Schema:
        return {"type": "number"}

    def read(self, value: Any, at: str) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.expected(value, at)
        return float(value)

    def read_text(self, text: str, at: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise self.expected(text, at) from None


@dataclass(frozen=True)
class Choice(Shape):
    """One of several values: a `Literal` or an `Enum`."""

    values: tuple[Any, ...]
    """What the type has."""
    written: tuple[Any, ...]
    """What JSON has in their places."""

    @property
    def noun(self) -> str:  # type: ignore[override]
        """The values, as a message has them."""
        return "one of " + ", ".join(repr(value) for value in self.written)

    @property
    def from_text(self) -> bool:
        return True

    def schema(self, writing: Writing) -> Schema:
        kinds = {kind_of(value) for value in self.written}
        schema: Schema = {"enum": list(self.written)}
        return {"type": kinds.pop(), **schema} if len(kinds) == 1 else schema

    def read(self, value: Any, at: str) -> Any:
        for written, meant in zip(self.written, self.values, strict=True):
            if written == value and type(written) is type(value):
                return meant
        raise Mismatch(at, f"expected {self.noun}")

    def read_text(self, text: str, at: str) -> Any:
        for written, meant in zip(self.written, self.values, strict=True):
            if str(written) == text:
                return meant
        raise Mismatch(at, f"expected {self.noun}")


@dataclass(frozen=True)
class Formatted(Shape):
    """A value that JSON has as a text of a format: a date, a time or a UUID."""

    type: Any
    format: str
    noun: str

    from_text = True

    def schema(self, writing: Writing) -> Schema:
        return {"type": "string", "format": self.format}

    def read(self, value: Any, at: str) -> Any:
        if not isinstance(value, str):
            raise self.expected(value, at)
        return self.read_text(value, at)

    def read_text(self, text: str, at: str) -> Any:
        make = uuid.UUID if self.type is uuid.UUID else self.type.fromisoformat
        try:
            return make(text)
        except ValueError:
            raise Mismatch(at, f"expected {self.noun}") from None


def kind_of(value: Any) -> str:
    """Returns the type of JSON Schema of a single value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case _:
            return "string"


def written(value: Any) -> Any:
    """Returns what JSON has in place of a member of an enum."""
    return value.value if isinstance(value, Enum) else value


SIMPLE: dict[Any, Shape] = {
    Any: Anything(),
    object: Anything(),
    None: Null(),
    type(None): Null(),
    str: Text(),
    bool: Flag(),
    int: Whole(),
    float: Number(),
    datetime.date: Formatted(datetime.date, "date", "a date such as 2026-07-28"),
    datetime.datetime: Formatted(
        datetime.datetime, "date-time", "a time such as 2026-07-28T12:00:00Z"
    ),
    uuid.UUID: Formatted(uuid.UUID, "uuid", "a UUID"),
}
