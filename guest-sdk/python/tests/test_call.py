"""A call: identity, services, settings, time and what comes out of them."""

import datetime
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bailiwick_sdk import (
    ACTOR_ISSUER,
    ACTOR_SUB,
    ACTOR_TENANT,
    ConsentRequired,
    DelegationMode,
    DownstreamError,
    Failed,
    Forbidden,
    InvalidRequest,
    NotFound,
    NotGranted,
    OtherDownstreamError,
    Response,
    ScopeDenied,
    ServiceUnavailable,
    Severity,
    TimedOut,
    ToolError,
    Unavailable,
    UnknownOutcome,
    UnknownService,
    errors,
    segment,
)
from bailiwick_sdk.errors import from_wire
from bailiwick_sdk.testing import Scene, SceneIdentity, Sent, _wire


@dataclass
class Order:
    id: str
    lines: list["Line"]


@dataclass
class Line:
    article: str


def test_a_request_reaches_the_service_as_it_was_written() -> None:
    sent: list[Sent] = []

    def receive(request: Sent) -> Response:
        sent.append(request)
        return Response.of(201, {})

    service = Scene().on_send(receive).call().services["orders_api"]
    service.post(
        "customers",
        ACTOR_SUB,
        segment("v", 2, ":", ACTOR_TENANT),
        7,
        query={"dry": True, "tag": ["a", "b"], "iss": ACTOR_ISSUER},
        headers={"idempotency-key": "k"},
        json=Line("pen"),
    )
    service.put("files", data="text", content_type="text/plain", query={"a": ("1", 2)})
    service.post(
        "refunds",
        form={"charge": "ch 1", "metadata[who]": "ü&~", "tag": ["a", 2], "ok": True},
    )
    first, second, third = sent
    assert (first.service, first.method) == ("orders_api", "POST")
    assert first.path == ["customers", ACTOR_SUB, segment("v", "2", ":", ACTOR_TENANT), "7"]
    assert first.query == [("dry", "true"), ("tag", "a"), ("tag", "b"), ("iss", ACTOR_ISSUER)]
    assert first.headers == {"idempotency-key": "k", "content-type": "application/json"}
    assert first.json() == {"article": "pen"}
    assert (second.body, second.headers) == (b"text", {"content-type": "text/plain"})
    assert second.query == [("a", "1"), ("a", "2")]
    assert third.body == b"charge=ch+1&metadata%5Bwho%5D=%C3%BC%26~&tag=a&tag=2&ok=true"
    assert third.headers == {"content-type": "application/x-www-form-urlencoded"}


def test_a_part_of_a_path_is_no_object() -> None:
    service: Any = Scene().call().services["orders_api"]
    with pytest.raises(TypeError, match="a part of a path"):
        service.get("orders", None)


def test_an_answer_becomes_a_value_and_what_the_type_lacks_is_left_out() -> None:
    body = {"id": "1", "internal": True, "lines": [{"article": "pen", "cost": 1}]}
    answer = Response.of(200, body)
    assert answer.json(Order) == Order("1", [Line("pen")])
    assert answer.json() == body
    assert answer.raise_for_status() is answer
    assert json.loads(answer.text) == body


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, Failed),
        (400, Failed),
        (403, Forbidden),
        (404, NotFound),
        (410, NotFound),
        (429, Unavailable),
        (500, Failed),
        (503, Unavailable),
        (200, Failed),
    ],
)
def test_a_status_becomes_an_honest_error_without_the_body(
    status: int, kind: type[ToolError]
) -> None:
    answer = Response(status, b'"s3cret"')
    with pytest.raises(kind) as raised:
        answer.json(Order)
    assert "s3cret" not in str(raised.value)
    assert answer.text == '"s3cret"'


EVERY_ERROR: list[tuple[DownstreamError, type[ToolError], str]] = [
    (UnknownService(), Failed, "not granted"),
    (NotGranted("s3cret"), Failed, "not granted"),
    (InvalidRequest("s3cret"), Failed, "malformed"),
    (errors.IdentityUnavailable(), Forbidden, "signed-in user"),
    (ConsentRequired("https://idp.example/consent"), Forbidden, "https://idp.example/consent"),
    (ScopeDenied(["a", "b"]), Forbidden, "a, b"),
    (errors.CredentialRefused("s3cret"), Forbidden, "no credential"),
    (ServiceUnavailable("s3cret"), Unavailable, "cannot be reached"),
    (TimedOut(), Unavailable, "in time"),
    (errors.TooLarge(), Failed, "too large"),
    (errors.QuotaExhausted(), Failed, "used up"),
    (UnknownOutcome(), Failed, "look before asking again"),
    (OtherDownstreamError("s3cret"), Failed, "could not be called"),
]


@pytest.mark.parametrize(("error", "kind", "words"), EVERY_ERROR)
def test_an_error_of_a_service_has_words_for_the_caller(
    error: DownstreamError, kind: type[ToolError], words: str
) -> None:
    shown = error.for_caller()
    assert type(shown) is kind
    assert words in shown.message
    assert "s3cret" not in shown.message
    again = from_wire(_wire(error))
    assert (type(again), again.detail) == (type(error), error.detail)


REFUSALS = json.loads((Path(__file__).parents[2] / "tests/refusals.json").read_text())


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case["text"][:40])
def test_a_rule_that_denies_is_named_and_nothing_else(case: dict[str, str]) -> None:
    shown = NotGranted(case["text"]).for_caller()
    if "rule" in case:
        assert type(shown) is Forbidden
        assert shown.message == f"refused by the operator's rule `{case['rule']}`"
    else:
        assert type(shown) is Failed
        assert shown.message == NotGranted.words


def test_no_answer_is_an_exception() -> None:
    def receive(request: Sent) -> Response:
        raise UnknownOutcome

    service = Scene().on_send(receive).call().services["orders_api"]
    with pytest.raises(UnknownOutcome):
        service.delete("orders", 1)
    with pytest.raises(UnknownService):
        Scene().call().services["orders_api"].get("orders")


def test_several_requests_are_answered_in_order() -> None:
    def receive(request: Sent) -> Response:
        if request.path == ["2"]:
            raise TimedOut
        return Response.of(200, request.path)

    call = Scene().on_send(receive).call()
    service = call.services["orders_api"]
    first, second, third = call.send_all(service.request("GET", it) for it in ("1", "2", "3"))
    assert isinstance(first, Response) and first.json() == ["1"]
    assert isinstance(second, TimedOut)
    assert isinstance(third, Response)


def test_the_host_is_asked_for_each_answer_at_most_once() -> None:
    def change(identity: SceneIdentity) -> None:
        identity.scopes = ["orders:read"]
        identity.services = {"orders_api": DelegationMode.ON_BEHALF_OF}

    scene = Scene().actor("user_7").identity(change)
    identity = scene.call().identity
    assert scene.outside.asked == []
    assert (identity.actor.sub, identity.actor.iss) == ("user_7", "https://idp.example")
    assert identity.actor is identity.actor
    assert identity.scopes == identity.scopes == ("orders:read",)
    assert identity.services["orders_api"] is DelegationMode.ON_BEHALF_OF
    assert scene.outside.asked == ["actor", "scopes", "services"]
    assert identity.agent.client_id == "agent_1"
    assert identity.session.source == "sid"
    assert identity.binding.id == "call_1"
    assert identity.login.acr is None
    assert "user_7" in identity.envelope.json


@dataclass
class Settings:
    currency: str


def test_settings_are_typed() -> None:
    call = Scene().settings(currency="EUR").call()
    assert call.settings(Settings) == Settings("EUR")
    assert call.settings() == {"currency": "EUR"}
    assert Scene().call().settings() == {}
    with pytest.raises(Failed, match="the operator's settings"):
        Scene().call().settings(Settings)


def test_time_and_randomness_are_there() -> None:
    call = Scene().now(1_763_712_000_000).call()
    assert call.now() == datetime.datetime(2025, 11, 21, 8, tzinfo=datetime.UTC)
    assert len(call.random(5000)) == 5000
    assert call.random(16) != call.random(16)


def test_the_client_says_what_it_can_do_and_hears_messages() -> None:
    heard: list[tuple[Severity, Any]] = []
    scene = Scene().client("2025-11-25", "elicitation.url")
    client = scene.on_message(lambda severity, data: heard.append((severity, data))).call().client
    assert client.revision == "2025-11-25"
    assert client.declares("elicitation.url") and client.declares("elicitation")
    assert not client.declares("elicitation.form") and not client.declares("elicit")
    client.message("17")
    client.message({"left": 3}, Severity.ALERT)
    assert heard == [(Severity.INFO, "17"), (Severity.ALERT, {"left": 3})]


# Requests, and the target that a host makes of each, or the word for its refusal.
CASES = json.loads((Path(__file__).parents[2] / "tests/templates.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['template']} {case['path']}")
def test_a_scene_allows_what_a_host_allows(case: dict[str, Any]) -> None:
    facts = {"@sub": ACTOR_SUB, "@tenant": ACTOR_TENANT, "@iss": ACTOR_ISSUER}

    def part(text: str) -> Any:
        if text == "@slash":
            return segment()
        pieces = [facts.get(piece, piece) for piece in text.split("|")]
        return pieces[0] if len(pieces) == 1 else segment(*pieces)

    query: dict[str, Any] = {}
    for key, text in case["query"]:
        query.setdefault(key, []).append(part(text))
    scene = Scene().allow("orders_api", case["template"]).on_send(lambda _: Response.of(200))
    service = scene.call().services["orders_api"]
    path = [part(text) for text in case["path"]]
    refusals = {"not-granted": NotGranted, "invalid-request": InvalidRequest}
    if case["expected"] in refusals:
        with pytest.raises(refusals[case["expected"]]) as raised:
            service.request(case["method"], *path, query=query).send()
        assert isinstance(raised.value, InvalidRequest) or case["template"] in raised.value.detail
    else:
        assert service.request(case["method"], *path, query=query).send().status == 200


def test_a_scene_that_allows_one_service_has_no_other_and_takes_no_other_words() -> None:
    call = Scene().allow("orders_api", "GET /a").allow("mail", "a").call()
    with pytest.raises(UnknownService):
        call.services["billing_api"].get("a")
    with pytest.raises(ValueError, match="expected a template"):
        call.services["mail"].get("a")
