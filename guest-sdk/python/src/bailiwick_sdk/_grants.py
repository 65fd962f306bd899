"""What an operator lets a tool ask of services, in the words of the configuration.

A request is compared piece by piece, as a host compares it, so that a test does not allow what a
host refuses.
"""

import re
import unicodedata
from collections.abc import Sequence

from .errors import InvalidRequest, NotGranted, UnknownService
from .path import Actor, Joined, Part, Piece

Query = Sequence[tuple[str, Part]]


def check(
    granted: dict[str, tuple[str, ...]], service: str, method: str, path: list[Part], query: Query
) -> None:
    """Raises what a host's answer would be, if it would not make the request."""
    if service not in granted:
        raise UnknownService
    templates = granted[service]
    if not any(_covers(template, method, path, query) for template in templates):
        raise NotGranted(f"{service} covers {', '.join(templates)}")
    if not all(_is_segment(part) for part in path):
        raise InvalidRequest(
            "a path segment is empty, `.`, `..`, or has `/`, `\\` or control characters"
        )


def _covers(template: str, method: str, path: list[Part], query: Query) -> bool:
    """Returns true if a template, such as `GET /orders/{}?status={}`, covers a request."""
    parts = re.fullmatch(r"(GET|HEAD|POST|PUT|PATCH|DELETE) /([^?]*)(?:\?(.*))?", template)
    if parts is None:
        raise ValueError(f"{template!r}: expected a template, such as GET /orders/{{}}")
    slots = parts[2].split("/") if parts[2] else []
    rest = slots[-1:] == ["{**}"]
    fixed = slots[:-1] if rest else slots
    long_enough = len(path) > len(fixed) if rest else len(path) == len(fixed)
    known = dict(each.partition("=")[::2] for each in parts[3].split("&")) if parts[3] else {}
    return (
        method == parts[1]
        and long_enough
        and all(map(_fits, fixed, path))
        and all(
            _counts(slot, [part for name, part in query if name == key])
            for key, slot in known.items()
        )
        and all(name in known for name, _ in query)
    )


def _counts(slot: str, given: list[Part]) -> bool:
    """A fixed value is there once; one that the tool chooses may be left out."""
    enough = len(given) <= 1 if slot == "{}" else len(given) == 1
    return enough and all(_fits(slot, part) for part in given)


def _fits(slot: str, part: Part) -> bool:
    """Returns true if a part has the pieces of a slot: its texts, and any text for `{}`."""
    holes = [hole for hole in re.split(r"(\{[^}]*\})", slot) if hole]
    pieces = _pieces(part)
    return len(holes) == len(pieces) and all(map(_fills, holes, pieces))


def _fills(hole: str, piece: Piece) -> bool:
    if isinstance(piece, Actor):
        return hole == {"issuer": "{actor.iss}"}.get(piece.value, f"{{actor.{piece.value}}}")
    return hole in ("{}", str(piece))


def _is_segment(part: Part) -> bool:
    """Returns true if a part is one segment of a path, none of its pieces empty."""
    texts = ["x" if isinstance(piece, Actor) else str(piece) for piece in _pieces(part)]
    whole = "".join(texts)
    leaves = any(c in "/\\" or unicodedata.category(c) == "Cc" for c in whole)
    return whole not in ("", ".", "..") and not leaves and all(texts)


def _pieces(part: Part) -> tuple[Piece, ...]:
    return part.pieces if isinstance(part, Joined) else (part,)
