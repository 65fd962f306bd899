"""Questions to the user, and their answers."""

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any

import pytest

from bailiwick_sdk import (
    Accepted,
    Cancelled,
    Declined,
    DefinitionError,
    Failed,
    InvalidInput,
    Questions,
)
from bailiwick_sdk.questions import form_schema
from bailiwick_sdk.testing import Scene


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Stay:
    nights: Annotated[int, "The number of nights."]
    colour: Colour
    note: str | None = None
    extras: list[Colour] = field(default_factory=list)


def test_a_form_has_the_shape_that_mcp_gives_it() -> None:
    choice = {"type": "string", "enum": ["red", "blue"]}
    assert form_schema(Stay) == {
        "type": "object",
        "properties": {
            "nights": {"type": "integer", "description": "The number of nights."},
            "colour": choice,
            "note": {"type": "string"},
            "extras": {"type": "array", "items": choice, "default": []},
        },
        "required": ["nights", "colour"],
    }


def test_questions_keep_their_order_kinds_and_state() -> None:
    asked = Questions().form("stay", Stay, "Which room?").url("pay", "https://a.example/", "Pay")
    asked = asked.sampling("model", {"maxTokens": 1}).roots("roots").state(b"1")
    assert asked.keys == ["stay", "pay", "model", "roots"]
    wire = asked.to_wire()
    assert wire.state == b"1"
    kinds = [question.value for _, question in wire.questions]
    assert kinds[0][0] == "Which room?"
    assert [kind for kind, _ in kinds[1:]] == ["url", "sampling/createMessage", "roots/list"]
    assert json.loads(kinds[1][1]) == {"url": "https://a.example/", "message": "Pay"}


@dataclass
class Nested:
    inner: Stay


@pytest.mark.parametrize(
    ("fields", "why"), [(Nested, "`inner` is not flat"), (str, "a form is a dataclass")]
)
def test_a_form_is_flat(fields: Any, why: str) -> None:
    with pytest.raises(DefinitionError, match=why):
        Questions().form("key", fields, "?")


def test_an_answer_is_a_decision() -> None:
    scene = Scene().accepts("stay", nights=2, colour="blue").declines("no").accepts("page")
    call = scene.answer("closed", {"action": "cancel"}).answer("odd", {}).state(b"2").call()
    stay = Stay(2, Colour.BLUE)
    assert call.form("stay", Stay) == Accepted(stay)
    assert call.form("no", Stay) == Declined()
    assert call.form("closed", Stay) == Cancelled()
    assert call.form("other", Stay) is None
    assert call.page("page") == Accepted(None)
    assert call.page("other") is None
    assert call.answer("odd") == {}
    assert call.answer("other") is None
    assert call.state == b"2"
    with pytest.raises(InvalidInput, match="no decision"):
        call.page("odd")
    with pytest.raises(InvalidInput, match="the answer to `page`: `nights`: it is missing"):
        call.form("page", Stay)


def test_what_was_filled_in_is_there_or_raised() -> None:
    assert Accepted(1).accepted() == 1
    with pytest.raises(Failed, match="declined"):
        Declined().accepted()
    with pytest.raises(Failed, match="cancelled"):
        Cancelled().accepted()
