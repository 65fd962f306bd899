"""Shapes of values that consist of others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .shape import Mismatch, Schema, Shape, Writing, within


@dataclass(frozen=True)
class List(Shape):
    """A list, a set or a tuple of any length."""

    item: Shape
    build: Callable[[list[Any]], Any]
    unique: bool = False
    noun = "a list"

    def schema(self, writing: Writing) -> Schema:
        schema: Schema = {"type": "array", "items": self.item.schema(writing)}
        return {**schema, "uniqueItems": True} if self.unique else schema

    def read(self, value: Any, at: str) -> Any:
        if not isinstance(value, list):
            raise self.expected(value, at)
        items = [self.item.read(item, f"{at}[{index}]") for index, item in enumerate(value)]
        return self.build(items)


@dataclass(frozen=True)
class Fixed(Shape):
    """A tuple with a type for each place."""

    items: tuple[Shape, ...]
    noun = "a list"

    def schema(self, writing: Writing) -> Schema:
        size = len(self.items)
        items = [item.schema(writing) for item in self.items]
        return {"type": "array", "prefixItems": items, "minItems": size, "maxItems": size}

    def read(self, value: Any, at: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise self.expected(value, at)
        if len(value) != len(self.items):
            raise Mismatch(at, f"expected {len(self.items)} items, got {len(value)}")
        pairs = enumerate(zip(self.items, value, strict=True))
        return tuple(item.read(given, f"{at}[{index}]") for index, (item, given) in pairs)


@dataclass(frozen=True)
class Map(Shape):
    """An object whose members have any name."""

    key: Shape
    value: Shape
    noun = "an object"

    def schema(self, writing: Writing) -> Schema:
        schema: Schema = {"type": "object", "additionalProperties": self.value.schema(writing)}
        names = {k: v for k, v in self.key.schema(writing).items() if k != "type"}
        return {**schema, "propertyNames": names} if names else schema

    def read(self, value: Any, at: str) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise self.expected(value, at)
        return {
            self.key.read(name, within(at, name)): self.value.read(member, within(at, name))
            for name, member in value.items()
        }


@dataclass(frozen=True)
class Either(Shape):
    """A union."""

    branches: tuple[Shape, ...]

    @property
    def noun(self) -> str:  # type: ignore[override]
        """The branches, as a message has them."""
        nouns = dict.fromkeys(branch.noun for branch in self.branches)
        return " or ".join(noun for noun in nouns if noun != "null") or "null"

    @property
    def from_text(self) -> bool:
        return any(branch.from_text for branch in self.branches)

    def schema(self, writing: Writing) -> Schema:
        branches = [branch.schema(writing) for branch in self.branches]
        if all(set(branch) == {"type"} for branch in branches):
            return {"type": [branch["type"] for branch in branches]}
        return {"anyOf": branches}

    def read(self, value: Any, at: str) -> Any:
        return self.first(lambda branch: branch.read(value, at), value, at)

    def read_text(self, text: str, at: str) -> Any:
        return self.first(lambda branch: branch.read_text(text, at), text, at)

    def first(self, read: Callable[[Shape], Any], value: Any, at: str) -> Any:
        """Returns what the first branch reads that fits."""
        refused = []
        for branch in self.branches:
            try:
                return read(branch)
            except Mismatch as mismatch:
                if branch.noun != "null":
                    refused.append(mismatch)
        if len(refused) == 1:
            raise refused[0]
        raise self.expected(value, at)
