"""The beginning of a component: what the module that the build writes calls.

Not for authors: `bailiwick_sdk.build` writes a module with one line for each export.
"""

import contextlib
import importlib
from collections.abc import Callable

from . import sandbox
from .collected import definitions_of
from .errors import DefinitionError
from .export import Component, Export
from .service import WHERE
from .shapes import is_record, lenient_shape_of


def load(module: str) -> dict[str, Callable[[], Export]]:
    """Imports the author's module; returns the exports by name."""
    theirs = importlib.import_module(module)
    component = Component(definitions_of(theirs))
    for value in vars(theirs).values():
        if is_record(value):
            # So that no call makes it, for the answer of a service.
            with contextlib.suppress(DefinitionError):
                lenient_shape_of(value, WHERE)
    component.begin, component.end = sandbox.begin, sandbox.end
    exports: dict[str, Callable[[], Export]] = {}
    for name, kind in component.exports.items():
        exports[name] = _maker(kind, component)
    sandbox.seal()
    return exports


def _maker(kind: type[Export], component: Component) -> Callable[[], Export]:
    return lambda: kind(component)
