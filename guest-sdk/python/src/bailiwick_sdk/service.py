"""Requests to a service: a function builds one, the host makes it, an answer comes back without
credentials.

Invariant: a request names a service, never an address, a user or a credential, and a body that is
not a success is never read as a value.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias, TypedDict, TypeVar, Unpack, overload
from urllib.parse import urlencode

from . import _json, _wit
from ._outside import Outside
from ._wit import Err
from .errors import DownstreamError, Failed, Forbidden, NotFound, ToolError, Unavailable, from_wire
from .path import Part, to_wire
from .shapes import Mismatch, lenient_shape_of

T = TypeVar("T")
Field: TypeAlias = str | int | float | bool
"""A value in a form."""
Query: TypeAlias = Mapping[str, Part | Sequence[Part]]
"""Query parameters; a list is one parameter for each item."""


class Options(TypedDict, total=False):
    """What a request has beside its path."""

    query: Query
    headers: Mapping[str, str]
    """Only names on the host's list; it refuses credentials."""
    json: Any
    """The body: anything that is JSON, such as a dataclass."""
    form: Mapping[str, Field | Sequence[Field]]
    """The body as a form; a list is one field for each item."""
    data: bytes | str
    """The body as it is, in place of `json` and `form`."""
    content_type: str
    """The media type of `data`, `application/octet-stream` unless given."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service, by the name that the operator gave it. A path is one argument for each segment:
    `orders.get("orders", order_id)`.

    All methods take `Options` and raise `DownstreamError` if there is no answer.
    """

    name: str
    _outside: Outside = field(repr=False)

    def get(self, *path: Part, **options: Unpack[Options]) -> "Response":
        """Sends a GET request."""
        return self.request("GET", *path, **options).send()

    def head(self, *path: Part, **options: Unpack[Options]) -> "Response":
        """Sends a HEAD request."""
        return self.request("HEAD", *path, **options).send()

    def post(self, *path: Part, **options: Unpack[Options]) -> "Response":
        """Sends a POST request."""
        return self.request("POST", *path, **options).send()

    def put(self, *path: Part, **options: Unpack[Options]) -> "Response":
        """Sends a PUT request."""
        return self.request("PUT", *path, **options).send()

    def patch(self, *path: Part, **options: Unpack[Options]) -> "Response":
        """Sends a PATCH request."""
        return self.request("PATCH", *path, **options).send()

    def delete(self, *path: Part, **options: Unpack[Options]) -> "Response":
        """Sends a DELETE request."""
        return self.request("DELETE", *path, **options).send()

    def request(
        self,
        method: str,
        *path: Part,
        **options: Unpack[Options],
    ) -> "Request":
        """Makes a request without sending it, for `Call.send_all`."""
        fields = list(options.get("headers", {}).items())
        data, kind = options.get("data", b""), options.get("content_type", BYTES)
        body = data.encode() if isinstance(data, str) else data
        if "json" in options:
            body, kind = _json.dumps(options["json"]).encode(), "application/json"
        elif "form" in options:
            body, kind = _form(options["form"]), FORM
        if body:
            fields.append(("content-type", kind))
        parts, query = [to_wire(part) for part in path], list(_pairs(options.get("query", {})))
        wire = _wit.downstream.Request(self.name, method, parts, query, fields, body)
        return Request(wire, self._outside)


class Services:
    """The services of a call, by name: `call.services["orders_api"]`."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def __getitem__(self, name: str) -> Service:
        return Service(name, self._outside)


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a service, not yet sent."""

    wire: _wit.downstream.Request
    _outside: Outside = field(repr=False)

    def send(self) -> "Response":
        """Sends the request and waits. Every HTTP answer is a `Response`, whatever its status."""
        try:
            answer = self._outside.send(self.wire)
        except Err as error:
            raise from_wire(error.value) from None
        return Response(answer.status, answer.body, dict(answer.headers))


def send_all(outside: Outside, requests: Iterable[Request]) -> "list[Response | DownstreamError]":
    """Sends several requests at once; the answers are in their order."""
    answers: list[Response | DownstreamError] = []
    for answer in outside.send_all([request.wire for request in requests]):
        if isinstance(answer, Err):
            answers.append(from_wire(answer.value))
        else:
            it = answer.value
            answers.append(Response(it.status, it.body, dict(it.headers)))
    return answers


@dataclass(frozen=True)
class Response:
    """An HTTP answer of a service, stripped of credentials."""

    status: int
    """The HTTP status, 200 to 599."""
    content: bytes = b""
    """The body, whatever the status."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The headers; names in lower case."""

    @classmethod
    def of(cls, status: int, body: Any = None) -> "Response":
        """Makes an answer with a JSON body, for tests."""
        return cls(status, b"" if body is None else _json.dumps(body).encode())

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status <= 299

    @cached_property
    def text(self) -> str:
        """The body as text, whatever the status."""
        return self.content.decode(errors="replace")

    def raise_for_status(self) -> "Response":
        """Returns the answer if its status is 2xx. Raises by the status, without the body: 403 is
        `Forbidden`, 404 and 410 `NotFound`, 408, 429, 502, 503 and 504 `Unavailable`, everything
        else `Failed`."""
        if not self.is_success:
            raise _refusal(self.status)
        return self

    @overload
    def json(self) -> Any: ...
    @overload
    def json(self, shape: type[T]) -> T: ...
    def json(self, shape: Any = None) -> Any:
        """Returns the body of a success as JSON, or as a value of this type; members that the type
        does not have are left out. Raises as `raise_for_status` does, and `Failed` if the body has
        another shape."""
        self.raise_for_status()
        try:
            value = json.loads(self.content)
            return value if shape is None else lenient_shape_of(shape, WHERE).read(value, "")
        except (ValueError, Mismatch) as error:
            raise Failed("a service sent an answer of the wrong shape") from error


def _pairs(query: Query) -> Iterator[tuple[str, _wit.downstream.Part]]:
    for name, value in query.items():
        if isinstance(value, Sequence) and not isinstance(value, str):
            yield from ((name, to_wire(one)) for one in value)
        else:
            yield name, to_wire(value)


def _form(fields: Mapping[str, Field | Sequence[Field]]) -> bytes:
    """Writes a form (URL Standard, "application/x-www-form-urlencoded serializing")."""
    pairs: list[tuple[str, str]] = []
    for name, value in fields.items():
        values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        pairs += [(name, _json.dumps(one) if isinstance(one, bool) else str(one)) for one in values]
    return urlencode(pairs).encode()


def _refusal(status: int) -> ToolError:
    """Returns the error that an unsuccessful status means for the caller."""
    match status:
        case 403:
            return Forbidden("the service does not allow this (HTTP 403)")
        case 404 | 410:
            return NotFound(f"the service has no such thing (HTTP {status})")
        case 408 | 429 | 502 | 503 | 504:
            return Unavailable(f"the service cannot answer now (HTTP {status})")
        case _ if status >= 500:
            return Failed(f"the service failed (HTTP {status})")
        case _:
            return Failed(f"the service refused the request (HTTP {status})")


BYTES = "application/octet-stream"
FORM = "application/x-www-form-urlencoded"
WHERE = "the answer of a service"
