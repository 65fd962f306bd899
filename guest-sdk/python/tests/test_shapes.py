"""Types as JSON Schema, and values out of JSON."""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, NewType, NotRequired, TypedDict

import pytest

from bailiwick_sdk import DefinitionError, Field
from bailiwick_sdk.shapes import Mismatch, Schema, schema_of, shape_of

OrderId = NewType("OrderId", str)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


@dataclass
class Line:
    article: str
    count: Annotated[int, Field(ge=1, description="How many.")] = 1
    tags: list[str] = field(default_factory=list)


class Address(TypedDict):
    city: str
    code: NotRequired[Annotated[str, Field(pattern="^[0-9]{5}$")]]


@dataclass
class Tree:
    name: str
    below: "list[Tree]"


@dataclass
class Even:
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError("it is odd")


@dataclass(frozen=True)
class Ge:
    """As in annotated_types."""

    ge: int


LINE: Schema = {
    "type": "object",
    "properties": {
        "article": {"type": "string"},
        "count": {"type": "integer", "minimum": 1, "description": "How many.", "default": 1},
        "tags": {"type": "array", "items": {"type": "string"}, "default": []},
    },
    "required": ["article"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (Any, {}),
        (OrderId, {"type": "string"}),
        (str | None, {"type": ["string", "null"]}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal["a", 1], {"enum": ["a", 1]}),
        (Colour, {"type": "string", "enum": ["red", "blue"]}),
        (Size, {"type": "integer", "enum": [1, 2]}),
        (Colour | None, {"anyOf": [{"type": "string", "enum": ["red", "blue"]}, {"type": "null"}]}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (Sequence[int], {"type": "array", "items": {"type": "integer"}}),
        (set[int], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (Mapping[str, Any], {"type": "object", "additionalProperties": {}}),
        (
            tuple[int, str],
            {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "minItems": 2,
                "maxItems": 2,
            },
        ),
        (datetime.date, {"type": "string", "format": "date"}),
        (Annotated[int, Ge(3)], {"type": "integer", "minimum": 3}),
        (
            Annotated[str | None, Field(max_length=3)],
            {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]},
        ),
        (
            Annotated[list[str], Field(min_length=1)],
            {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
            },
        ),
        (Line, LINE),
        (
            Address,
            {
                "type": "object",
                "properties": {
                    "city": {"type": "string"},
                    "code": {"type": "string", "pattern": "^[0-9]{5}$"},
                },
                "required": ["city"],
                "additionalProperties": False,
            },
        ),
    ],
)
def test_a_type_is_a_closed_schema(hint: Any, schema: Schema) -> None:
    assert schema_of(shape_of(hint, "here"), closed=True) == schema


def test_a_type_within_itself_is_a_definition() -> None:
    schema = schema_of(shape_of(Tree, "here"), closed=True)
    assert schema["properties"]["below"]["items"] == {"$ref": "#/$defs/Tree"}
    assert schema["$defs"]["Tree"]["additionalProperties"] is False
    read = shape_of(Tree, "here").read({"name": "a", "below": [{"name": "b", "below": []}]}, "")
    assert read == Tree("a", [Tree("b", [])])


def test_a_result_stays_open_and_has_no_defaults() -> None:
    schema = schema_of(shape_of(Line, "here"), closed=False)
    assert "additionalProperties" not in schema
    assert "default" not in schema["properties"]["count"]


@pytest.mark.parametrize(
    ("hint", "json", "value"),
    [
        (int, 5.0, 5),
        (float, 5, 5.0),
        (str | None, None, None),
        (Colour, "red", Colour.RED),
        (Size, 2, Size.LARGE),
        (Literal["a", 1], 1, 1),
        (set[int], [1, 2, 1], {1, 2}),
        (tuple[int, ...], [1, 2], (1, 2)),
        (tuple[int, str], [1, "a"], (1, "a")),
        (dict[Colour, int], {"red": 1}, {Colour.RED: 1}),
        (datetime.date, "2026-07-28", datetime.date(2026, 7, 28)),
        (
            uuid.UUID,
            "12345678123456781234567812345678",
            uuid.UUID(int=0x12345678123456781234567812345678),
        ),
        (Line, {"article": "pen"}, Line("pen", 1, [])),
        (Address, {"city": "Bern"}, {"city": "Bern"}),
        (Line | Address, {"city": "Bern"}, {"city": "Bern"}),
        (Even, {"number": 2}, Even(2)),
    ],
)
def test_json_becomes_a_value_of_the_type(hint: Any, json: Any, value: Any) -> None:
    assert shape_of(hint, "here").read(json, "") == value


@pytest.mark.parametrize(
    ("hint", "json", "why"),
    [
        (int, True, "expected a whole number, got a boolean"),
        (int, 5.5, "expected a whole number, got a number"),
        (str, None, "expected a text, got null"),
        (list[Line], [{"article": "a"}, {"article": 1}], "`[1].article`: expected a text"),
        (Line, {}, "`article`: it is missing"),
        (Line, {"article": "a", "colour": 1}, "`colour`: it is not known here"),
        (Line, {"article": "a", "count": 0}, "`count`: expected 1 or more"),
        (Address, {"city": "a", "code": "x"}, "`code`: expected the pattern"),
        (Colour | None, "green", "expected one of 'red', 'blue'"),
        (int | str, [], "expected a whole number or a text, got a list"),
        (dict[str, int], {"a": "b"}, "`a`: expected a whole number"),
        (tuple[int, str], [1], "expected 2 items, got 1"),
        (datetime.date, "soon", "expected a date such as"),
        (Even, {"number": 1}, "it is odd"),
    ],
)
def test_what_does_not_fit_is_named(hint: Any, json: Any, why: str) -> None:
    with pytest.raises(Mismatch) as raised:
        shape_of(hint, "here").read(json, "")
    assert why in str(raised.value)


def test_a_lenient_shape_leaves_out_what_it_does_not_know() -> None:
    given = {"article": "a", "internal": {"more": 1}}
    assert shape_of(Line, "here", lenient=True).read(given, "") == Line("a")


class Model:
    """As pydantic marks one."""

    __pydantic_core_schema__ = None


@pytest.mark.parametrize(
    ("hint", "why"),
    [
        (bytes, "JSON has no bytes"),
        (complex, "'complex' has no JSON Schema"),
        (Model, "pydantic-core is native code"),
        (dict[int, dict[str, bytes]], "JSON has no bytes"),
        (dict[list[int], str], "the names of an object are texts"),
        (Annotated[str, Field(ge=1)], "`ge` does not apply to a text"),
        (Annotated[int, Field(pattern="a")], "`pattern` does not apply to a whole number"),
    ],
)
def test_a_type_without_json_is_refused_when_it_is_defined(hint: Any, why: str) -> None:
    with pytest.raises(DefinitionError, match=r"^here: ") as raised:
        shape_of(hint, "here")
    assert why in str(raised.value)
