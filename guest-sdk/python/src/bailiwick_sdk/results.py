"""What functions return, beside plain values: results put together by hand, contents of resources,
members of families, messages of prompts and suggestions."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from . import _json, _wit, content
from .content import Body, Content
from .identity import Envelope


@dataclass(frozen=True)
class Output:
    """The result of a tool, put together by hand."""

    content: tuple[Content, ...] = ()
    structured: str | None = None
    """JSON, for programs."""
    is_error: bool = False
    metadata: str | None = None

    @classmethod
    def of(cls, value: Any) -> "Output":
        """Makes a result of a value. An object becomes structured content with its JSON as text, a
        text is its own, `None` is no content, and anything else is JSON as text."""
        if isinstance(value, Envelope):
            return cls((content.text(value.json),), value.json)
        json = _json.dumps(value)
        if isinstance(value, str) and json.startswith('"'):
            return cls.text(str(value))
        if value is None:
            return cls()
        return cls((content.text(json),), json if json.startswith("{") else None)

    @classmethod
    def text(cls, text: str) -> "Output":
        """Makes a result that is one text."""
        return cls((content.text(text),))

    def and_text(self, text: str) -> "Output":
        """Adds a text."""
        return self.and_(content.text(text))

    def and_image(self, mime_type: str, data: bytes) -> "Output":
        """Adds an image."""
        return self.and_(content.image(mime_type, data))

    def and_link(self, uri: str, name: str) -> "Output":
        """Adds a pointer to a resource."""
        return self.and_(content.link(uri, name))

    def and_(self, item: Content) -> "Output":
        """Adds any item of `content`."""
        return replace(self, content=(*self.content, item))

    def with_(self, value: Any) -> "Output":
        """Sets the structured content from an object."""
        return replace(self, structured=_json.dumps(value))

    def as_error(self) -> "Output":
        """Marks the result as an error: the tool did its work and the answer is "no"."""
        return replace(self, is_error=True)

    def meta(self, metadata: dict[str, Any]) -> "Output":
        """Sets further metadata, for the client."""
        return replace(self, metadata=_json.dumps(metadata))

    def to_wire(self) -> _wit.types.Output:
        """Returns it as the interface has it."""
        return _wit.types.Output(list(self.content), self.structured, self.is_error, self.metadata)


@dataclass(frozen=True)
class Contents:
    """The contents of a resource: one part, or several with URIs of their own."""

    body: Body | None = None
    """The part with the URI that was asked for."""
    mime_type: str | None = None
    """Its media type, if it is not the definition's."""
    meta: dict[str, Any] | None = None
    parts: tuple[_wit.types.EmbeddedResource, ...] = ()

    @classmethod
    def json(cls, value: Any) -> "Contents":
        """Makes contents of a value, as JSON."""
        return cls(_json.dumps(value), "application/json")

    def and_part(self, uri: str, mime_type: str, body: Body) -> "Contents":
        """Adds a part with a URI of its own."""
        return replace(self, parts=(*self.parts, content.embedded(uri, mime_type, body)))

    def to_wire(self, uri: str, mime_type: str | None) -> list[_wit.types.EmbeddedResource]:
        """Returns the parts, for the URI that was asked for and the definition's media type."""
        if self.body is None:
            return list(self.parts)
        meta = None if self.meta is None else _json.dumps(self.meta)
        whole = content.embedded(uri, self.mime_type or mime_type, self.body, meta)
        return [whole, *self.parts]


@dataclass(frozen=True)
class Member:
    """One member of a family, for the caller: its URI (`order.uri(id=...)`) and its name."""

    uri: str
    name: str
    title: str | None = None
    description: str | None = None
    size: int | None = None
    """Its size in bytes."""
    meta: dict[str, Any] | None = None


@dataclass(frozen=True)
class Page:
    """A part of the members of a family, and where the next part begins."""

    members: Iterable[Member]
    next: str | None = None

    def to_wire(self) -> _wit.resources.Page:
        """Returns it as the interface has it."""
        item = _wit.resources.Item
        items = [
            item(
                it.uri,
                it.name,
                it.title,
                it.description,
                it.size,
                None if it.meta is None else _json.dumps(it.meta),
            )
            for it in self.members
        ]
        return _wit.resources.Page(items, self.next)


@dataclass
class Prompt:
    """The messages of a prompt."""

    description: str | None = None
    messages: list[_wit.prompts.Message] = field(default_factory=list)
    meta: dict[str, Any] | None = None

    def user(self, item: str | Content) -> "Prompt":
        """Adds a message of the user: a text, or any `content`."""
        return self._add(_wit.prompts.Role.USER, item)

    def assistant(self, item: str | Content) -> "Prompt":
        """Adds a message of the model."""
        return self._add(_wit.prompts.Role.ASSISTANT, item)

    def _add(self, role: _wit.prompts.Role, item: str | Content) -> "Prompt":
        self.messages.append(_wit.prompts.Message(role, content.of(item)))
        return self

    def to_wire(self) -> _wit.prompts.Prompt:
        """Returns it as the interface has it."""
        meta = None if self.meta is None else _json.dumps(self.meta)
        return _wit.prompts.Prompt(self.description, self.messages, meta)


@dataclass(frozen=True)
class Suggestions:
    """Suggested values, the best first; the first 100 are sent."""

    values: list[str]
    total: int | None = None
    """The number of all values, if these are not all; unless given, that of `values`."""
    more: bool = False
    """Whether there are more values, and nobody knows how many."""

    def to_wire(self) -> _wit.completion.Suggestions:
        """Returns them as the interface has them."""
        sent = self.values[:MOST_VALUES]
        if self.more:
            return _wit.completion.Suggestions(sent, None, True)
        total = len(self.values) if self.total is None else self.total
        return _wit.completion.Suggestions(sent, total, len(sent) < total)


@dataclass(frozen=True)
class Completion:
    """What the user has typed of an argument so far."""

    typed: str
    others: dict[str, str] = field(default_factory=dict)
    """The other arguments that are known already."""

    def matching(self, values: Iterable[str]) -> Suggestions:
        """Suggests those of the values that begin as the user has typed, in any case."""
        typed = self.typed.casefold()
        return Suggestions([value for value in values if value.casefold().startswith(typed)])


MOST_VALUES = 100
