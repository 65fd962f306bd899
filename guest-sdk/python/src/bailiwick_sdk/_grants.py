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

# Several segments, and several values of one key.
_REST = "{**}"
_REPEATED = "{*}"
# Nothing, `.` or `..`, also with parameters (`..;a`), however often their characters are encoded.
_HOLLOW = re.compile(r"(?:\.|%(?:25)*2[eE]){0,2}(?:(?:;|%(?:25)*3[bB]).*)?", re.DOTALL)


def check(
    granted: dict[str, tuple[str, ...]], service: str, method: str, path: list[Part], query: Query
) -> None:
    """Raises what a host's answer would be, if it would not make the request."""
    if service not in granted:
        raise UnknownService
    templates = granted[service]
    covering = [
        slots
        for template in templates
        if (slots := _covers(template, method, path, query)) is not None
    ]
    if not covering:
        raise NotGranted(f"{service} covers {', '.join(templates)}")
    if not all(all(map(_is_segment, slots, path)) for slots in covering):
        raise InvalidRequest(
            "a path segment is empty, `.`, `..`, or has `/`, `\\` or control characters"
        )


def _covers(template: str, method: str, path: list[Part], query: Query) -> list[str] | None:
    """Returns the slot of each segment if a template covers a request.

    A template is such as `GET /orders/{}?status={}`.
    """
    parts = re.fullmatch(r"(GET|HEAD|POST|PUT|PATCH|DELETE) /([^?]*)(?:\?(.*))?", template)
    if parts is None:
        raise ValueError(f"{template!r}: expected a template, such as GET /orders/{{}}")
    own = parts[2].removesuffix("/")
    # A last part of no pieces is a slash at the end.
    slash = bool(path) and not _pieces(path[-1])
    path = path[:-1] if slash else path
    slots = _slots(own.split("/") if own else [], len(path))
    known = dict(each.partition("=")[::2] for each in parts[3].split("&")) if parts[3] else {}
    covers = (
        method == parts[1]
        and slash == parts[2].endswith("/")
        and slots is not None
        and all(map(_fits, slots, path))
        and all(
            _counts(slot, [part for name, part in query if name == key])
            for key, slot in known.items()
        )
        and all(name in known for name, _ in query)
    )
    return slots if covers else None


def _slots(own: list[str], count: int) -> list[str] | None:
    """Returns the slot of each of `count` segments, if the path has so many.

    `{**}` is any number of them, and what follows it in its segment belongs to the last.
    """
    at = next((at for at, slot in enumerate(own) if slot.startswith(_REST)), None)
    if at is None:
        return own if len(own) == count else None
    more = count - len(own)
    return None if more < 0 else [*own[:at], *[_REST] * more, *own[at:]]


def _counts(slot: str, given: list[Part]) -> bool:
    """A fixed value is there once; one that the tool chooses may be left out.

    With `{*}` it may be there several times.
    """
    if slot == _REPEATED:
        return all(_fits("{}", part) for part in given)
    enough = len(given) <= 1 if slot == "{}" else len(given) == 1
    return enough and all(_fits(slot, part) for part in given)


def _fits(slot: str, part: Part) -> bool:
    """Returns true if a part has the pieces of a slot: its texts, and any text for `{}`."""
    pieces = _pieces(part)
    if slot.startswith(_REST):
        end = slot.removeprefix(_REST)
        return not end or (len(pieces) > 1 and pieces[-1] == end)
    holes = _holes(slot)
    return len(holes) == len(pieces) and all(map(_fills, holes, pieces))


def _fills(hole: str, piece: Piece) -> bool:
    if isinstance(piece, Actor):
        return hole == {"issuer": "{actor.iss}"}.get(piece.value, f"{{actor.{piece.value}}}")
    return hole in ("{}", str(piece))


def _holes(slot: str) -> list[str]:
    """Splits `user-{actor.sub}` into `user-` and `{actor.sub}`."""
    return [hole for hole in re.split(r"(\{[^}]*\})", slot) if hole]


def _is_segment(slot: str, part: Part) -> bool:
    """Returns true if a part is one segment of a path.

    No placeholder of its slot is filled with nothing or dots.
    """
    texts = ["x" if isinstance(piece, Actor) else str(piece) for piece in _pieces(part)]
    whole = "".join(texts)
    leaves = any(c in "/\\" or unicodedata.category(c) == "Cc" for c in whole)
    if slot.startswith(_REST):
        end = slot.removeprefix(_REST)
        filled = [whole.removesuffix(end)] if end else []
    else:
        pairs = zip(_holes(slot), texts, strict=True)
        filled = [text for hole, text in pairs if hole.startswith("{")]
    return not leaves and not any(map(_HOLLOW.fullmatch, [whole, *filled]))


def _pieces(part: Part) -> tuple[Piece, ...]:
    return part.pieces if isinstance(part, Joined) else (part,)
