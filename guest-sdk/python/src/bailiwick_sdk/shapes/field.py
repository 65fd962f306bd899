"""What `Annotated` says about a value beyond its type."""

import re
from dataclasses import dataclass
from typing import Any

from ..errors import DefinitionError
from .groups import Either
from .shape import Mismatch, Schema, Shape, Writing


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """Says more about a value: `Annotated[int, Field(ge=1, le=100)]`. A description alone can be a
    text: `Annotated[str, "the order's number"]`. The objects of `annotated_types` work as well.
    """

    description: str | None = None
    title: str | None = None
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    multiple_of: float | None = None
    min_length: int | None = None
    """The least number of characters, items or members."""
    max_length: int | None = None
    pattern: str | None = None


@dataclass(frozen=True)
class Constrained(Shape):
    """A shape with constraints on its values."""

    shape: Shape
    rules: dict[str, Any]
    kind: str

    @property
    def noun(self) -> str:  # type: ignore[override]
        """What a message calls it."""
        return self.shape.noun

    @property
    def from_text(self) -> bool:
        return self.shape.from_text

    def schema(self, writing: Writing) -> Schema:
        words = KEYWORDS[self.kind]
        return self.shape.schema(writing) | {words[rule]: it for rule, it in self.rules.items()}

    def read(self, value: Any, at: str) -> Any:
        return self.checked(self.shape.read(value, at), at)

    def read_text(self, text: str, at: str) -> Any:
        return self.checked(self.shape.read_text(text, at), at)

    def checked(self, value: Any, at: str) -> Any:
        """Returns the value if it keeps all rules."""
        for rule, bound in self.rules.items():
            why = broken(rule, bound, value)
            if why:
                raise Mismatch(at, why)
        return value


def constrained(shape: Shape, said: dict[str, Any], where: str) -> Shape:
    """Returns the shape with these rules, if they make sense for it."""
    rules = {rule: said[rule] for rule in RULES if rule in said}
    if not rules:
        return shape
    if isinstance(shape, Either):
        branches = (
            it if it.noun == "null" else constrained(it, rules, where) for it in shape.branches
        )
        return Either(tuple(branches))
    kind = shape.schema(Writing(closed=True)).get("type")
    words = KEYWORDS.get(kind) if isinstance(kind, str) else None
    for rule in rules:
        if words is None or rule not in words:
            raise DefinitionError(f"{where}: `{rule}` does not apply to {shape.noun}")
    return Constrained(shape, rules, str(kind))


def said_by(metadata: Any) -> dict[str, Any]:
    """Returns what one item of `Annotated` says; nothing if it is for somebody else."""
    if isinstance(metadata, str):
        return {"description": metadata}
    words = {name: getattr(metadata, name, None) for name in (*RULES, "description", "title")}
    # `Doc` of PEP 727, and `Len(0, None)` of annotated_types.
    words["description"] = words["description"] or getattr(metadata, "documentation", None)
    return {name: word for name, word in words.items() if word is not None}


def broken(rule: str, bound: Any, value: Any) -> str | None:
    """Returns what is wrong with a value, if it breaks a rule."""
    match rule:
        case "ge" if not value >= bound:
            return f"expected {bound} or more"
        case "gt" if not value > bound:
            return f"expected more than {bound}"
        case "le" if not value <= bound:
            return f"expected {bound} or less"
        case "lt" if not value < bound:
            return f"expected less than {bound}"
        case "multiple_of" if value % bound:
            return f"expected a multiple of {bound}"
        case "min_length" if len(value) < bound:
            return f"expected a length of {bound} or more"
        case "max_length" if len(value) > bound:
            return f"expected a length of {bound} or less"
        case "pattern" if not re.search(bound, value):
            return f"expected the pattern {bound}"
        case _:
            return None


NUMBER = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}
KEYWORDS: dict[str, dict[str, str]] = {
    "integer": NUMBER,
    "number": NUMBER,
    "string": {"min_length": "minLength", "max_length": "maxLength", "pattern": "pattern"},
    "array": {"min_length": "minItems", "max_length": "maxItems"},
    "object": {"min_length": "minProperties", "max_length": "maxProperties"},
}
RULES = (*NUMBER, "min_length", "max_length", "pattern")
