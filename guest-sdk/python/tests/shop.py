"""A component with everything."""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from bailiwick_sdk import (
    Call,
    Completion,
    Contents,
    Envelope,
    Field,
    Member,
    NotFound,
    Output,
    Page,
    Prompt,
    Questions,
    Suggestions,
    content,
    prompt,
    resource,
    tool,
)


@dataclass
class Order:
    id: str
    status: str


@dataclass
class Sure:
    sure: Annotated[bool, "Whether to cancel the order."]


class Tone(Enum):
    KIND = "kind"
    STRICT = "strict"


@tool(
    scopes=["orders:read"],
    services=["orders_api"],
    read_only=True,
    icons=["https://a.example/i.png", {"src": "data:,", "theme": "dark"}],
    meta={"a": 1},
)
def get_order_status(
    call: Call, order_id: Annotated[str, "The order's number.", Field(min_length=1)]
) -> Order:
    """Says where an order is.

    It asks the shop.
    """
    return call.services["orders_api"].get("orders", order_id).json(Order)


@tool(name="cancel", title="Cancel an order", destructive=True, requires=["elicitation.form"])
def cancel_order(call: Call, order: Order, *, why: str = "") -> Output | Questions:
    """Cancels an order."""
    answer = call.form("sure", Sure)
    if answer is None:
        return Questions().form("sure", Sure, "Cancel it for ever?").state(b"asked")
    if not answer.accepted().sure:
        return Output.text("it stays").as_error()
    return Output.text(f"cancelled {order.id}").and_link("shop://terms", "terms").meta({"b": 2})


@tool()
def whole(call: Call, order: Order) -> str:
    """Takes an order as its arguments."""
    return order.id


@tool()
def show(call: Call) -> Envelope:
    """Shows the envelope."""
    return call.identity.envelope


@tool()
def breaks(call: Call, how: str) -> None:
    """Breaks."""
    match how:
        case "found":
            raise NotFound("there is no such order")
        case "service":
            call.services["unknown"].get("a")
        case "exit":
            raise SystemExit(1)
        case _:
            raise KeyError(how)


def own_orders(call: Call, cursor: str | None) -> Page:
    member = Member(order.uri(number=1, kind="a/b"), "1", title="One", size=2, meta={"c": 3})
    return Page([member], None if cursor else "2")


def kinds(call: Call, asked: Completion) -> list[str]:
    return [f"{asked.typed}{asked.others.get('number', '-')}"]


@resource("shop://terms", mime_type="text/markdown")
def terms(call: Call) -> str:
    """The terms."""
    return "# Terms"


@resource(
    "shop://orders/{number}/v-{kind}",
    name="an-order",
    members=own_orders,
    complete={"kind": kinds},
    requires=["elicitation"],
)
def order(call: Call, number: int, kind: str) -> Contents | Questions:
    """One order."""
    if number == 7 and call.page("sure") is None:
        return Questions().url("sure", "https://a.example/", "Sure?")
    return Contents.json({"number": number, "kind": kind}).and_part("shop://b", "image/png", b"1")


def tones(call: Call, asked: Completion) -> Suggestions:
    return asked.matching(tone.value for tone in Tone)


@prompt(complete={"tone": tones})
def complain(
    call: Call, number: Annotated[int, "The order's number."], tone: Tone | None = None
) -> Prompt | Questions:
    """Helps to write about an order."""
    if number == 7:
        return Questions().roots("roots")
    uri = order.uri(number=number, kind="x")
    return Prompt("About it").user(content.link(uri, "it")).assistant(tone.value if tone else "-")
