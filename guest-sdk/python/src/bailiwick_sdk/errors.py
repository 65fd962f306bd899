"""Errors: for the caller (`ToolError`), from a service (`DownstreamError`), and for the author
(`DefinitionError`).

Invariant: what the caller reads of a `DownstreamError` never repeats a text of a service or an
authorization server, except what the user needs to go on (a consent hint, the names of scopes).
Of the host's words it has the name of the rule that denies a request.
"""

import re
from typing import ClassVar

from . import _wit


class DefinitionError(TypeError):
    """A tool, resource or prompt is defined wrongly. It ends the build."""


class ToolError(Exception):
    """A failure, in words that the caller may read. Raise one of its subclasses."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(ToolError):
    """The arguments make no sense, in a way that the schema cannot express."""


class Forbidden(ToolError):
    """The caller may not have this."""


class NotFound(ToolError):
    """The requested thing does not exist."""


class Unavailable(ToolError):
    """A later attempt may succeed."""


class Failed(ToolError):
    """Any other failure."""


class DownstreamError(Exception):
    """A reason for having no HTTP answer from a service. Every answer, whatever its status, is a
    `Response`.

    A request other than GET and HEAD that may have reached the service has one error only,
    `UnknownOutcome`. After any other error nothing was changed. Not caught, it becomes a
    `ToolError`.
    """

    kind: ClassVar[type[ToolError]] = Failed
    words: ClassVar[str] = "a service could not be called"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail

    def for_caller(self) -> ToolError:
        """Returns the error that the caller reads."""
        return self.kind(self.words)


class UnknownService(DownstreamError):
    """No service of that name is granted."""

    words = "the operator has not granted this tool what it asked of a service"


class NotGranted(DownstreamError):
    """The grant does not cover this request, and `detail` lists the requests that it covers. Or a
    rule of the operator's `deny` refuses it, which `detail` names. Or the remote tool is not
    defined as the operator accepted it."""

    words = UnknownService.words

    def for_caller(self) -> ToolError:
        denied = _DENIED_BY_RULE.fullmatch(self.detail)
        if denied is None:
            return super().for_caller()
        return Forbidden(f"refused by the operator's rule `{denied[1]}`")


class InvalidRequest(DownstreamError):
    """The request is malformed. `detail` names the fault."""

    words = "the tool made a malformed request to a service"


class IdentityUnavailable(DownstreamError):
    """The mode or a part of the path needs a user that the service serves."""

    kind = Forbidden
    words = "this needs a signed-in user"


class ConsentRequired(DownstreamError):
    """The user must consent first. `detail` is a URL or a hint."""

    kind = Forbidden

    def for_caller(self) -> ToolError:
        return Forbidden(f"consent is needed first: {self.detail}")


class ScopeDenied(DownstreamError):
    """The authorization server did not grant `scopes`."""

    def __init__(self, scopes: list[str]) -> None:
        super().__init__(", ".join(scopes))
        self.scopes = scopes

    def for_caller(self) -> ToolError:
        return Forbidden(f"these scopes were not given: {self.detail}")


class CredentialRefused(DownstreamError):
    """There is no credential for this caller, or the answer to a GET or HEAD repeats one."""

    kind = Forbidden
    words = "no credential for a service is available for this caller, or its answer showed one"


class ServiceUnavailable(DownstreamError):
    """The service or its authorization server cannot be reached. Nothing was changed."""

    kind = Unavailable
    words = "a service cannot be reached at the moment"


class TimedOut(DownstreamError):
    """There was no answer within the deadline. Nothing was changed."""

    kind = Unavailable
    words = "a service did not answer in time"


class TooLarge(DownstreamError):
    """The answer to a GET or HEAD is larger than the limit. Ask for less."""

    words = "the answer of a service is too large"


class QuotaExhausted(DownstreamError):
    """The call has used up its requests or bytes. The request was not sent."""

    words = "this call has used up its requests to services"


class UnknownOutcome(DownstreamError):
    """The request may have changed something, and no answer can be shown. Ask the service what it
    did; or, where the operator has set `idempotency`, send the same POST or PATCH again in this
    call: the host gives it the same key."""

    words = "a service may have done what was asked, or not; look before asking again"


class OtherDownstreamError(DownstreamError):
    """Any other reason."""


_DENIED_BY_RULE = re.compile(r"the operator's rule (.+?) denies it(?:, .*)?", re.DOTALL)


def from_wire(error: _wit.downstream.Error) -> DownstreamError:
    """Returns the exception for an error of the interface."""
    kind = _KINDS.get(type(error).__name__.removeprefix("Error_"), OtherDownstreamError)
    value = getattr(error, "value", "")
    return kind(value)


def to_wire(error: ToolError | DownstreamError) -> _wit.types.Error:
    """Returns the interface's error for an exception."""
    shown = error.for_caller() if isinstance(error, DownstreamError) else error
    match shown:
        case InvalidInput():
            return _wit.types.Error_InvalidInput(shown.message)
        case Forbidden():
            return _wit.types.Error_Forbidden(shown.message)
        case NotFound():
            return _wit.types.Error_NotFound(shown.message)
        case Unavailable():
            return _wit.types.Error_Unavailable(shown.message)
        case _:
            return _wit.types.Error_Failed(shown.message)


_KINDS: dict[str, type[DownstreamError]] = {
    "UnknownService": UnknownService,
    "NotGranted": NotGranted,
    "InvalidRequest": InvalidRequest,
    "IdentityUnavailable": IdentityUnavailable,
    "ConsentRequired": ConsentRequired,
    "ScopeDenied": ScopeDenied,
    "CredentialRefused": CredentialRefused,
    "Unavailable": ServiceUnavailable,
    "TimedOut": TimedOut,
    "TooLarge": TooLarge,
    "QuotaExhausted": QuotaExhausted,
    "UnknownOutcome": UnknownOutcome,
}
