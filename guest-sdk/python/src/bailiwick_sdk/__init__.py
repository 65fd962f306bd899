"""Write Bailiwick tools, resources and prompts in Python.

A tool is a plain function with one decorator. It learns for whom it acts from `call.identity`,
asks services by name, and holds no keys: the host makes every request, on the authority that the
operator granted.

    @tool(scopes=["orders:read"], services=["orders_api"], read_only=True)
    def get_order_status(call: Call, order_id: Annotated[str, "The order's number."]) -> Order:
        \"\"\"Says where an order is.\"\"\"
        return call.services["orders_api"].get("orders", order_id).json(Order)

`python -m bailiwick_sdk.build` makes a component of the module.
"""

from . import _begin as _begin
from . import content
from .call import Call, Client, Severity
from .definitions import Definition, PromptTemplate, Resource, Tool, prompt, resource, tool
from .errors import (
    ConsentRequired,
    CredentialRefused,
    DefinitionError,
    DownstreamError,
    Failed,
    Forbidden,
    IdentityUnavailable,
    InvalidInput,
    InvalidRequest,
    NotFound,
    NotGranted,
    OtherDownstreamError,
    QuotaExhausted,
    ScopeDenied,
    ServiceUnavailable,
    TimedOut,
    TooLarge,
    ToolError,
    Unavailable,
    UnknownOutcome,
    UnknownService,
)
from .identity import (
    ActorKind,
    Binding,
    Correlation,
    DelegationMode,
    Envelope,
    Executor,
    Identity,
    Login,
    Principal,
    PriorActor,
)
from .path import ACTOR_ISSUER, ACTOR_SUB, ACTOR_TENANT, Part, segment
from .questions import Accepted, Answer, Cancelled, Declined, Questions
from .results import Completion, Contents, Member, Output, Page, Prompt, Suggestions
from .service import Request, Response, Service
from .shapes import Field

__all__ = [
    "ACTOR_ISSUER",
    "ACTOR_SUB",
    "ACTOR_TENANT",
    "Accepted",
    "ActorKind",
    "Answer",
    "Binding",
    "Call",
    "Cancelled",
    "Client",
    "Completion",
    "ConsentRequired",
    "Contents",
    "Correlation",
    "CredentialRefused",
    "Declined",
    "Definition",
    "DefinitionError",
    "DelegationMode",
    "DownstreamError",
    "Envelope",
    "Executor",
    "Failed",
    "Field",
    "Forbidden",
    "Identity",
    "IdentityUnavailable",
    "InvalidInput",
    "InvalidRequest",
    "Login",
    "Member",
    "NotFound",
    "NotGranted",
    "OtherDownstreamError",
    "Output",
    "Page",
    "Part",
    "Principal",
    "PriorActor",
    "Prompt",
    "PromptTemplate",
    "Questions",
    "QuotaExhausted",
    "Request",
    "Resource",
    "Response",
    "ScopeDenied",
    "Service",
    "ServiceUnavailable",
    "Severity",
    "Suggestions",
    "TimedOut",
    "TooLarge",
    "Tool",
    "ToolError",
    "Unavailable",
    "UnknownOutcome",
    "UnknownService",
    "content",
    "prompt",
    "resource",
    "segment",
    "tool",
]
