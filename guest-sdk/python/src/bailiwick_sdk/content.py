"""The items of a result or of a message, as the interface has them."""

from typing import TypeAlias

from . import _wit

_types = _wit.types
Content: TypeAlias = _wit.types.Content
Body: TypeAlias = str | bytes


def text(text: str) -> Content:
    """Returns a text."""
    if not isinstance(text, str):
        raise TypeError(f"expected a text, got {type(text).__name__}")
    return _types.Content_Text(_types.TextContent(text, None))


def image(mime_type: str, data: bytes) -> Content:
    """Returns an image, such as `image/png`."""
    return _types.Content_Image(_types.MediaContent(data, mime_type, None))


def audio(mime_type: str, data: bytes) -> Content:
    """Returns a sound, such as `audio/wav`."""
    return _types.Content_Audio(_types.MediaContent(data, mime_type, None))


def link(uri: str, name: str) -> Content:
    """Returns a pointer to a resource."""
    return _types.Content_ResourceLink(_types.ResourceLink(uri, name, None, None, None))


def resource(uri: str, mime_type: str, body: Body) -> Content:
    """Returns a resource with its content, a text or bytes."""
    return _types.Content_EmbeddedResource(embedded(uri, mime_type, body))


def embedded(
    uri: str, mime_type: str | None, body: Body, meta: str | None = None
) -> _wit.types.EmbeddedResource:
    """Returns a resource with its content, as a part of contents."""
    wire: _wit.types.ResourceBody
    if isinstance(body, str):
        wire = _types.ResourceBody_Text(body)
    elif isinstance(body, bytes):
        wire = _types.ResourceBody_Blob(body)
    else:
        raise TypeError(f"contents are a text, bytes or `Contents`, not {type(body).__name__}")
    return _types.EmbeddedResource(uri, mime_type, wire, meta)


def of(item: "str | Content") -> Content:
    """Returns an item; a text is one."""
    return text(item) if isinstance(item, str) else item
