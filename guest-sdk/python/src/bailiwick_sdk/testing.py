"""A `Call` without a host, for tests. Not in components.

    call = Scene().actor("user_7").on_send(lambda request: Response.of(200, {"id": "1"})).call()
    assert get_order_status(call, "1").id == "1"

A scene checks no request unless `allow` names those that an operator grants.
"""

import json as _json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from . import _grants as grants
from . import _wit, path
from ._wit import Err, Ok
from .call import Call, Severity
from .errors import DownstreamError, UnknownService
from .identity import ActorKind, Binding, Correlation, DelegationMode, Executor, Login, Principal
from .path import Joined, Part
from .service import Response

_down = _wit.downstream


@dataclass(frozen=True)
class Sent:
    """A request that a function sent to a service."""

    service: str
    method: str
    path: list[Part]
    query: list[tuple[str, Part]]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Returns the body as JSON."""
        return _json.loads(self.body)


OnSend: TypeAlias = Callable[[Sent], Response]
OnMessage: TypeAlias = Callable[[Severity, Any], None]


@dataclass
class SceneIdentity:
    """The host's answers about the call's identity."""

    actor: Principal = field(
        default_factory=lambda: Principal(ActorKind.USER, "user_1", "https://idp.example", "acme")
    )
    login: Login = field(default_factory=lambda: Login(None, None))
    agent: Executor = field(default_factory=lambda: Executor("mcp_agent", "agent_1", "agent_1", []))
    session: Correlation = field(default_factory=lambda: Correlation("session_1", "sid", "0" * 32))
    scopes: list[str] = field(default_factory=list)
    services: dict[str, DelegationMode] = field(default_factory=dict)
    binding: Binding = field(
        default_factory=lambda: Binding(
            "call_1", "tool", "test", "sha256:" + "0" * 64, "hmac-sha256:" + "0" * 64
        )
    )


class Scene:
    """The caller of a test, and the answers of the outside: a user `user_1` of tenant `acme`, with
    no settings and no services, whose client speaks `2026-07-28` and declares nothing."""

    def __init__(self) -> None:
        self._outside = _Outside()
        self._input: dict[str, Any] = {}
        self._answers: list[tuple[str, str]] = []
        self._state: bytes | None = None

    def actor(self, sub: str) -> "Scene":
        """Sets the actor's subject."""
        self._outside.identity.actor.sub = sub
        return self

    def identity(self, change: Callable[[SceneIdentity], None]) -> "Scene":
        """Changes anything about the identity. The envelope has the actor alone, and no valid
        signature."""
        change(self._outside.identity)
        return self

    def on_send(self, services: OnSend) -> "Scene":
        """Plays the services: returns the answer to a request, or raises a `DownstreamError`."""
        self._outside.on_send = services
        return self

    def allow(self, service: str, *templates: str) -> "Scene":
        """Allows what an operator would: templates of requests, as `allow` has them in a
        configuration. Any other request then raises `UnknownService`, `NotGranted` or
        `InvalidRequest`."""
        self._outside.allowed = {**(self._outside.allowed or {}), service: templates}
        return self

    def on_message(self, receive: OnMessage) -> "Scene":
        """Receives the messages to the client."""
        self._outside.on_message = receive
        return self

    def client(self, revision: str, *capabilities: str) -> "Scene":
        """Sets what the client speaks and declares, such as `elicitation.form`."""
        self._outside.client_revision, self._outside.capabilities = revision, capabilities
        return self

    def settings(self, **settings: Any) -> "Scene":
        """Sets the component's settings."""
        self._outside.given_settings = settings
        return self

    def now(self, milliseconds: int) -> "Scene":
        """Sets the time of `Call.now`, milliseconds since 1970-01-01 UTC."""
        self._outside.milliseconds = milliseconds
        return self

    def input(self, **input: Any) -> "Scene":
        """Sets `Call.input`. A test gives a function its arguments itself."""
        self._input = input
        return self

    def answer(self, key: str, answer: Any) -> "Scene":
        """Adds the client's answer to an earlier question, as JSON has it."""
        self._answers.append((key, _json.dumps(answer)))
        return self

    def accepts(self, key: str, /, **fields: Any) -> "Scene":
        """Lets the user accept a form with these fields; a page has none."""
        return self.answer(key, {"action": "accept", "content": fields})

    def declines(self, key: str) -> "Scene":
        """Lets the user decline a question."""
        return self.answer(key, {"action": "decline"})

    def state(self, state: bytes) -> "Scene":
        """Sets the state given with the questions."""
        self._state = state
        return self

    def call(self) -> Call:
        """Makes the call."""
        return Call(self._outside, self._input, self._answers, self._state)

    @property
    def outside(self) -> "_Outside":
        """The outside itself, for `export.Tools(component, outside)`."""
        return self._outside


class _Outside:
    """What a scene answers."""

    def __init__(self) -> None:
        self.identity = SceneIdentity()
        self.on_send: OnSend = _no_services
        self.allowed: dict[str, tuple[str, ...]] | None = None
        self.on_message: OnMessage = lambda severity, data: _line(f"{severity.name}: {data}")
        self.client_revision = "2026-07-28"
        self.capabilities: tuple[str, ...] = ()
        self.given_settings: dict[str, Any] = {}
        self.milliseconds = 1_763_712_000_000
        self.generated = 1
        self.asked: list[str] = []

    def _answer(self, question: str) -> Any:
        self.asked.append(question)
        return getattr(self.identity, question)

    def actor(self) -> Principal:
        return self._answer("actor")  # type: ignore[no-any-return]

    def authentication(self) -> Login:
        return self._answer("login")  # type: ignore[no-any-return]

    def agent(self) -> Executor:
        return self._answer("agent")  # type: ignore[no-any-return]

    def session(self) -> Correlation:
        return self._answer("session")  # type: ignore[no-any-return]

    def scopes(self) -> list[str]:
        return self._answer("scopes")  # type: ignore[no-any-return]

    def services(self) -> list[_wit.identity.Service]:
        held = self._answer("services")
        return [_wit.identity.Service(name, mode) for name, mode in held.items()]

    def call(self) -> Binding:
        return self._answer("binding")  # type: ignore[no-any-return]

    def json(self) -> str:
        actor = self.identity.actor
        return _json.dumps({"actor": {"type": "user", "sub": actor.sub, "iss": actor.iss}})

    def revision(self) -> str:
        return self.client_revision

    def declares(self, capability: str) -> bool:
        return any(f"{held}.".startswith(f"{capability}.") for held in self.capabilities)

    def message(self, severity: Severity, data: str) -> None:
        self.on_message(severity, _json.loads(data))

    def send(self, request: _down.Request) -> _down.Response:
        sent = Sent(
            request.service,
            request.method,
            [_part(part) for part in request.path],
            [(name, _part(value)) for name, value in request.query],
            dict(request.headers),
            request.body,
        )
        try:
            if self.allowed is not None:
                grants.check(self.allowed, sent.service, sent.method, sent.path, sent.query)
            answer = self.on_send(sent)
        except DownstreamError as error:
            raise Err(_wire(error)) from None
        return _down.Response(answer.status, list(answer.headers.items()), answer.content)

    def send_all(
        self, requests: list[_down.Request]
    ) -> list[Ok[_down.Response] | Err[_down.Error]]:
        answers: list[Ok[_down.Response] | Err[_down.Error]] = []
        for request in requests:
            try:
                answers.append(Ok(self.send(request)))
            except Err as error:
                answers.append(error)
        return answers

    def settings(self) -> str:
        return _json.dumps(self.given_settings)

    def progress(self, done: float, total: float | None, message: str | None) -> None:
        of_total = "" if total is None else f" of {total}"
        _line(f"progress {done}{of_total}" + (f": {message}" if message else ""))

    def now(self) -> int:
        return self.milliseconds

    def random(self, size: int) -> bytes:
        made = bytearray()
        for _ in range(size):
            self.generated = (self.generated * 6_364_136_223_846_793_005 + 1) % 2**64
            made.append(self.generated >> 56)
        return bytes(made)


def _part(part: Any) -> Part:
    """Returns a part as the author wrote it."""
    for actor in path.Actor:
        if type(part).__name__.endswith(f"_Actor{actor.value.capitalize()}"):
            return actor
    if isinstance(part, _down.Part_Joined):
        return Joined(tuple(_part(piece) for piece in part.value))  # type: ignore[misc]
    return part.value  # type: ignore[no-any-return]


def _wire(error: DownstreamError) -> _down.Error:
    """Returns an exception as the interface has it."""
    name = type(error).__name__.replace("ServiceUnavailable", "Unavailable")
    kind = getattr(_down, f"Error_{name.replace('OtherDownstreamError', 'Other')}")
    value = getattr(error, "scopes", error.detail)
    return kind(value) if kind.__dataclass_fields__ else kind()  # type: ignore[no-any-return]


def _no_services(request: Sent) -> Response:
    raise UnknownService


def _line(text: str) -> None:
    print(text, file=sys.stderr)
