"""The beginning of a development build: a component that is the same for every source.

A build writes the source into the region, and each instance imports it when it is first asked.
"""

import contextlib
import importlib
import importlib.abc
import json
import linecache
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from . import failures, sandbox
from .collected import definitions_of
from .export import Completions, Component, Export, Facets, Prompts, Resources, Tools
from .sandbox.system import plain_compile

MARK = (
    *(8, 184, 161, 211, 9, 92, 129, 239, 36, 4, 153, 95, 85, 181, 253, 253),
    *(233, 155, 212, 188, 41, 49, 15, 67, 83, 98, 207, 240, 153, 227, 62, 69),
)
"""The mark, each byte exclusive-or 0x5a, so that it is in a component once."""
ROOM = 524_288
"""The longest source, in bytes."""
FOLDER = "/1/"
"""Where the author's modules seem to be, as in a whole build."""
KINDS: dict[str, type[Export]] = {
    "Tools": Tools,
    "Resources": Resources,
    "Prompts": Prompts,
    "Completion": Completions,
    "Facets": Facets,
}

_region = bytearray(32 + 4 + ROOM)
"""The mark, the length of the source in four bytes, little-endian, and the source."""


def room(modules: Iterable[str], exports: Iterable[str]) -> dict[str, Callable[[], Any]]:
    """Imports what the author's modules import, and makes room for them; returns the exports."""
    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    for index, byte in enumerate(MARK):
        _region[index] = byte ^ 0x5A
    for index in range(32, len(_region)):
        # No byte is 0: a snapshot leaves zeros out.
        _region[index] = (index - 32) % 251 + 1
    sandbox.seal()
    return {name: _maker(KINDS[name]) for name in exports}


def _maker(kind: type[Export]) -> Callable[[], Any]:
    return lambda: _Late(kind)


class _Late:
    """An interface whose component is imported when it is first asked."""

    def __init__(self, kind: type[Export]) -> None:
        self._kind = kind

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kind(_component()), name)


_made: list[Component] = []


def _component() -> Component:
    if not _made:
        length = int.from_bytes(_region[32:36], "little")
        source = json.loads(_region[36 : 36 + length])
        sys.meta_path.insert(0, _Sources(source["files"]))
        try:
            theirs = importlib.import_module(source["module"])
            component = Component(definitions_of(theirs))
        except Exception as error:
            for line in failures.lines_of(error):
                logging.getLogger("bailiwick").error("%s", line)
            raise
        component.begin, component.end = sandbox.begin, sandbox.end
        _made.append(component)
    return _made[0]


class _Sources(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the author's modules in the source: by name the file and its text."""

    def __init__(self, files: dict[str, tuple[str, str]]) -> None:
        self.files = files

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self.files:
            return None
        file = FOLDER + self.files[name][0]
        spec = ModuleSpec(name, self, origin=file, is_package=file.endswith("/__init__.py"))
        spec.has_location = True
        return spec

    def exec_module(self, module: ModuleType) -> None:
        file, text = self.files[module.__name__]
        file = FOLDER + file
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        exec(plain_compile(text, file, "exec", dont_inherit=True), vars(module))
