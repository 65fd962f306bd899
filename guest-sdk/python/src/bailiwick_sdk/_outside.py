"""The outside of a call: the host's functions, or those of a test's `Scene`."""

from typing import Protocol

from . import _wit
from ._wit import Err, Ok

_identity = _wit.identity
_down = _wit.downstream


class Outside(Protocol):
    """Everything that a call can ask for. In a component each method is one import."""

    def actor(self) -> _identity.Principal: ...
    def authentication(self) -> _identity.Login: ...
    def agent(self) -> _identity.Executor: ...
    def session(self) -> _identity.Correlation: ...
    def scopes(self) -> list[str]: ...
    def services(self) -> list[_identity.Service]: ...
    def call(self) -> _identity.Binding: ...
    def json(self) -> str: ...
    def revision(self) -> str: ...
    def declares(self, capability: str) -> bool: ...
    def message(self, severity: _wit.client.Severity, data: str) -> None: ...
    def send(self, request: _down.Request) -> _down.Response: ...
    def send_all(
        self, requests: list[_down.Request]
    ) -> list[Ok[_down.Response] | Err[_down.Error]]: ...
    def settings(self) -> str: ...
    def progress(self, done: float, total: float | None, message: str | None) -> None: ...
    def now(self) -> int: ...
    def random(self, size: int) -> bytes: ...


class Host:
    """The host, as a component reaches it."""

    actor = staticmethod(_identity.actor)
    authentication = staticmethod(_identity.authentication)
    agent = staticmethod(_identity.agent)
    session = staticmethod(_identity.session)
    scopes = staticmethod(_identity.scopes)
    services = staticmethod(_identity.services)
    call = staticmethod(_identity.call)
    json = staticmethod(_identity.json)
    revision = staticmethod(_wit.client.revision)
    declares = staticmethod(_wit.client.declares)
    message = staticmethod(_wit.client.message)
    send = staticmethod(_down.send)
    send_all = staticmethod(_down.send_all)
    settings = staticmethod(_wit.settings.get)
    progress = staticmethod(_wit.progress.report)
    now = staticmethod(_wit.clock.now)

    @staticmethod
    def random(size: int) -> bytes:
        """Returns random bytes; the host gives at most 4096 at a time."""
        pieces = (min(MOST, size - start) for start in range(0, size, MOST))
        return b"".join(_wit.random.bytes(piece) for piece in pieces)


MOST = 4096
