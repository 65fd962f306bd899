"""The URI of a resource: a template in which a variable stands for a segment or a part of one
(RFC 6570 level 1)."""

import re
from urllib.parse import quote

from .errors import DefinitionError

VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def variables_of(uri: str, where: str) -> list[str]:
    """Returns the names of the variables, if the URI is well-formed."""
    scheme, separator, rest = uri.partition("://")
    segments = rest.split("/")
    whole = separator and not any(it in ("", ".", "..") for it in segments)
    if not whole or not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme) or re.search("[?#]", rest):
        raise DefinitionError(
            f"{where}: `{uri}` is not the URI of a resource: expected `NAME://PATH` or "
            "`ui://NAME/PATH`, where NAME is the component's, such as `orders://orders/{id}`"
        )
    for part in segments:
        if len(VARIABLE.findall(part)) > 1 or re.search("[{}]", VARIABLE.sub("", part)):
            raise DefinitionError(
                f"{where}: a segment has at most one variable, such as `{{id}}`: not `{part}`"
            )
    names = VARIABLE.findall(rest)
    if len(set(names)) < len(names):
        raise DefinitionError(f"{where}: two variables of `{uri}` have the same name")
    return names


def expand(uri: str, values: dict[str, str]) -> str:
    """Returns the URI of a member, with the values percent-encoded (RFC 3986 §2.3)."""
    return VARIABLE.sub(lambda found: quote(values.get(found[1], ""), safe="~"), uri)
