"""Questions to the user, and their answers."""

from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from . import _json, _wit
from .errors import DefinitionError, Failed, InvalidInput
from .shapes import Mismatch, Record, Schema, lenient_shape_of, schema_of, shape_of

T = TypeVar("T")


@dataclass(slots=True)
class Questions:
    """Questions that must be answered before the call can go on. Return them in place of a result:
    the function is called again, from the start, with the answers (`Call.form`, `Call.page`).

    Give a state if the function has sent a request that may have changed something: the host
    refuses a question without one then.
    """

    asked: list[tuple[str, _wit.types.Question]] = field(default_factory=list)
    given_state: bytes | None = None

    def form(self, key: str, fields: type[Any], message: str) -> "Questions":
        """Adds a form: a dataclass or TypedDict of flat fields. Never for secrets: the client sees
        the answer."""
        schema = _json.dumps(form_schema(fields))
        return self._add(key, _wit.types.Question_Form((message, schema)))

    def url(self, key: str, url: str, message: str) -> "Questions":
        """Adds a page that the user opens, of an origin that the operator lists."""
        return self.other(key, "url", {"url": url, "message": message})

    def sampling(self, key: str, parameters: dict[str, Any]) -> "Questions":
        """Adds a request to the client's model (`sampling/createMessage`), if the operator relays
        it. `Call.answer` reads the result."""
        return self.other(key, "sampling/createMessage", parameters)

    def roots(self, key: str) -> "Questions":
        """Adds a request for the client's roots (`roots/list`), if the operator relays it."""
        return self.other(key, "roots/list", {})

    def other(self, key: str, kind: str, parameters: dict[str, Any]) -> "Questions":
        """Adds a question of any kind."""
        return self._add(key, _wit.types.Question_Other((kind, _json.dumps(parameters))))

    def state(self, state: bytes) -> "Questions":
        """Sets the state that comes back with the answers, sealed by the host."""
        self.given_state = state
        return self

    @property
    def keys(self) -> list[str]:
        """The keys of the questions, in order. For tests."""
        return [key for key, _ in self.asked]

    def _add(self, key: str, question: _wit.types.Question) -> "Questions":
        self.asked.append((key, question))
        return self

    def to_wire(self) -> _wit.types.InputRequest:
        """Returns them as the interface has them."""
        return _wit.types.InputRequest(self.asked, self.given_state)


@dataclass(frozen=True, slots=True)
class Accepted(Generic[T]):
    """The user accepted, with what was filled in."""

    value: T

    def accepted(self) -> T:
        """Returns what was filled in."""
        return self.value


@dataclass(frozen=True, slots=True)
class Declined:
    """The user said no."""

    def accepted(self) -> Any:
        """Raises `Failed`."""
        raise Failed("the user declined")


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The user closed the question without a decision."""

    def accepted(self) -> Any:
        """Raises `Failed`."""
        raise Failed("the user cancelled the question")


Answer: TypeAlias = Accepted[T] | Declined | Cancelled
"""The user's answer to a form or a page. `.accepted()` returns what was filled in, or raises."""


def decided(key: str, answer: Any, fields: type[T] | None) -> Answer[T]:
    """Returns the decision in an `ElicitResult` of MCP; without `fields` what was filled in is
    `None`."""
    match answer:
        case {"action": "accept"}:
            if fields is None:
                return Accepted(None)  # type: ignore[arg-type]
            try:
                shape = lenient_shape_of(fields, f"the form `{key}`")
                return Accepted(shape.read(answer.get("content"), ""))
            except Mismatch as mismatch:
                raise InvalidInput(f"the answer to `{key}`: {mismatch}") from None
        case {"action": "decline"}:
            return Declined()
        case {"action": "cancel"}:
            return Cancelled()
        case _:
            raise InvalidInput(f"the answer to `{key}` is no decision")


def form_schema(fields: type[Any]) -> Schema:
    """Returns the schema of a flat type in the few keywords that MCP gives a form (SEP-1330)."""
    where = f"the form `{fields.__name__}`"
    shape = shape_of(fields, where)
    if not isinstance(shape, Record):
        raise DefinitionError(f"{where}: a form is a dataclass or a TypedDict")
    whole = schema_of(shape, closed=True)
    members: dict[str, Schema] = whole.get("properties", {})
    schema: Schema = {"type": "object", "properties": {}}
    for name, member in members.items():
        schema["properties"][name] = plain = _plain(member)
        if plain.get("type") not in ("string", "number", "integer", "boolean", "array"):
            raise DefinitionError(
                f"{where}: `{name}` is not flat: expected a text, a number, a boolean, a choice, "
                "or a list of a choice"
            )
    if "required" in whole:
        schema["required"] = whole["required"]
    return schema


def _plain(member: Schema) -> Schema:
    """Makes an optional field one that need not be there, and leaves out what forms lack."""
    member = dict(member)
    kinds = member.get("type")
    if isinstance(kinds, list):
        kinds = [kind for kind in kinds if kind != "null"]
        member["type"] = kinds[0] if len(kinds) == 1 else kinds
    branches = [branch for branch in member.get("anyOf", []) if branch != {"type": "null"}]
    if len(branches) == 1:
        del member["anyOf"]
        member = branches[0] | member
    if member.get("format") == "uuid":
        del member["format"]
    member.pop("uniqueItems", None)
    return member
