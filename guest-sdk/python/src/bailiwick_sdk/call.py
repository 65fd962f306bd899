"""One call, as a function sees it: its identity, its input, and its connections to the outside.

Made by `export` for a real call and by `testing.Scene` for a test. Invariant: nothing here takes a
user, a tenant, a token or an address, because the host decides these.
"""

import datetime
import json
import logging
from collections.abc import Iterable
from typing import Any, TypeVar, overload

from . import _json, _wit
from ._outside import Outside
from .errors import DownstreamError, Failed, InvalidInput
from .identity import Identity
from .questions import Answer, decided
from .service import Request, Response, Services, send_all
from .shapes import Mismatch, lenient_shape_of

T = TypeVar("T")
Severity = _wit.client.Severity

_log = logging.getLogger(__name__)


class Client:
    """The client of a call: what it says about itself. It decides nothing."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    @property
    def revision(self) -> str:
        """The protocol revision of the call, such as `2026-07-28`."""
        return self._outside.revision()

    def declares(self, capability: str) -> bool:
        """Returns true if the client declared this, such as `elicitation.url`."""
        return self._outside.declares(capability)

    def message(self, data: Any, severity: Severity = Severity.INFO) -> None:
        """Sends a message, a text or any other value, to a client that asked for messages of its
        severity. Never blocks."""
        self._outside.message(severity, _json.dumps(data))


class Call:
    """One call: of a tool, a resource, a prompt or a completion."""

    def __init__(
        self,
        outside: Outside,
        input: dict[str, Any],
        answers: Iterable[tuple[str, str]] = (),
        state: bytes | None = None,
    ) -> None:
        self.identity = Identity(outside)
        """For whom the call runs."""
        self.input = input
        """The arguments as JSON, as the client sent them."""
        self.services = Services(outside)
        """The services that the function declares and the operator granted, by name."""
        self.client = Client(outside)
        """What the client says about itself."""
        self.state = state
        """The state given with the questions, unchanged and unseen by the client."""
        self._answers = dict(answers)
        self._outside = outside

    def send_all(self, requests: Iterable[Request]) -> list[Response | DownstreamError]:
        """Sends several requests at once; the answers are in the order of the requests, and those
        that did not come are errors, which are not raised."""
        return send_all(self._outside, requests)

    @overload
    def settings(self) -> dict[str, Any]: ...
    @overload
    def settings(self, shape: type[T]) -> T: ...
    def settings(self, shape: Any = None) -> Any:
        """Returns the operator's settings for this component, as an object or as a value of this
        type; an empty object if there are none. They are not secret. Raises `Failed` if they have
        another shape; the operator's log has the reason."""
        given = json.loads(self._outside.settings())
        if shape is None:
            return given
        try:
            return lenient_shape_of(shape, "the settings").read(given, "")
        except Mismatch as mismatch:
            _log.error("settings of this component: %s", mismatch)
            raise Failed("the operator's settings for this tool are not as it needs them") from None

    def progress(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Reports progress to the client. `done` must grow; `total` is its value at the end."""
        self._outside.progress(done, total, message)

    def now(self) -> datetime.datetime:
        """Returns the time, in UTC and in steps of at least a millisecond."""
        milliseconds = datetime.timedelta(milliseconds=self._outside.now())
        return datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + milliseconds

    def random(self, size: int) -> bytes:
        """Returns random bytes from the host's cryptographically secure generator."""
        return self._outside.random(size)

    def form(self, key: str, fields: type[T]) -> Answer[T] | None:
        """Returns the user's answer to a form asked before (`Questions.form`), if there is one.
        Raises `InvalidInput` if what the user filled in does not have the shape of `fields`."""
        return decided(key, self.answer(key), fields) if key in self._answers else None

    def page(self, key: str) -> Answer[None] | None:
        """Returns the user's decision about a page shown before (`Questions.url`), if there is one.
        It says whether the user agreed to open it, not what happened there."""
        return decided(key, self.answer(key), None) if key in self._answers else None

    def answer(self, key: str) -> Any:
        """Returns the client's answer to any question asked before, as the client gave it; `None`
        if there is none."""
        if key not in self._answers:
            return None
        try:
            return json.loads(self._answers[key])
        except ValueError as error:
            raise InvalidInput(f"the answer to `{key}`: {error}") from None
