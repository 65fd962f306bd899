"""The parts of a request that the host fills in or encodes.

Invariant: a path is a list of parts, never a text with slashes, so a value cannot change where a
request goes.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from . import _wit


class Actor(Enum):
    """A fact about the actor of the call, which the host fills in."""

    SUB = "sub"
    TENANT = "tenant"
    ISSUER = "issuer"


ACTOR_SUB: Final = Actor.SUB
"""The subject of the call's actor."""
ACTOR_TENANT: Final = Actor.TENANT
"""The actor's tenant; without one, the request is refused."""
ACTOR_ISSUER: Final = Actor.ISSUER
"""The actor's issuer: a URL, for query values only."""

Piece: TypeAlias = str | int | Actor
"""A piece of a joined segment."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Several pieces that are one segment or one query value."""

    pieces: tuple[Piece, ...]


Part: TypeAlias = Piece | Joined
"""A path segment or a query value. The host percent-encodes a text."""


def segment(*pieces: Piece) -> Joined:
    """Joins pieces to one segment or query value. For `/v1/{name}:cancel`:
    `service.post("v1", segment(name, ":cancel"))`."""
    return Joined(pieces)


def to_wire(part: Part) -> _wit.downstream.Part:
    """Returns a part as the interface has it."""
    wit = _wit.downstream
    match part:
        case Joined(pieces):
            return wit.Part_Joined([_piece(piece) for piece in pieces])
        case Actor.SUB:
            return wit.Part_ActorSub()
        case Actor.TENANT:
            return wit.Part_ActorTenant()
        case Actor.ISSUER:
            return wit.Part_ActorIssuer()
        case _:
            return wit.Part_Text(_text(part))


def _piece(piece: Piece) -> _wit.downstream.Piece:
    wit = _wit.downstream
    match piece:
        case Actor.SUB:
            return wit.Piece_ActorSub()
        case Actor.TENANT:
            return wit.Piece_ActorTenant()
        case Actor.ISSUER:
            return wit.Piece_ActorIssuer()
        case _:
            return wit.Piece_Text(_text(piece))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise TypeError(f"a part of a path or a query is a text, a number or ACTOR_SUB, not {value!r}")
