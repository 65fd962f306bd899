"""The beginning of a component: what the module that the build writes calls.

Not for authors: `bailiwick_sdk.build` writes a module with one line for each export.
"""

import importlib
from collections.abc import Callable

from . import sandbox
from .collected import definitions_of
from .export import Component, Export


def load(module: str) -> dict[str, Callable[[], Export]]:
    """Imports the author's module; returns the exports by name."""
    component = Component(definitions_of(importlib.import_module(module)))
    component.begin, component.end = sandbox.begin, sandbox.end
    exports: dict[str, Callable[[], Export]] = {}
    for name, kind in component.exports.items():
        exports[name] = _maker(kind, component)
    sandbox.seal()
    return exports


def _maker(kind: type[Export], component: Component) -> Callable[[], Export]:
    return lambda: kind(component)
