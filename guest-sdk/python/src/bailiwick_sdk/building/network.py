"""Imports of what does nothing without sockets, which would fail only when a tool is called."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from .errors import BuildError
from .project import Project

NO_NETWORK = (
    "a component has no network: list the service in `services` of the decorator, and ask "
    '`call.services["NAME"]`'
)

CLIENTS = frozenset(
    {
        *("aiohttp", "ftplib", "http.client", "httplib2", "httpx", "pycurl", "requests"),
        *("smtplib", "socket", "urllib.request", "urllib3", "websocket", "websockets"),
    }
)


def client_of(name: str) -> str | None:
    """Returns the client of the network that a module belongs to, if it is one."""
    parts = name.split(".")
    names = (".".join(parts[:length]) for length in range(1, len(parts) + 1))
    return next((it for it in names if it in CLIENTS), None)


def refuse(project: Project, modules: Iterable[ModuleType]) -> None:
    """Ends the build if a module of the project imports such a client.

    Packages may do so, because they often have another use without it. So may an import that the
    author expects to fail, or that is for type checkers alone.
    """
    for module in modules:
        file = Path(module.__file__ or "")
        if file.suffix != ".py":
            continue
        for node, name in _imported(ast.parse(file.read_bytes())):
            if client := client_of(name):
                place = file.relative_to(project.sources).as_posix()
                raise BuildError(f"{place}:{node.lineno}: it imports {client}; {NO_NETWORK}")


def _imported(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)
        elif not _is_guarded(node):
            yield from _imported(node)


def _is_guarded(node: ast.AST) -> bool:
    if isinstance(node, ast.Try):
        caught = " ".join(ast.unparse(it.type) for it in node.handlers if it.type)
        return "ImportError" in caught or "ModuleNotFoundError" in caught
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
