"""The interface between a component and its host: types and functions.

In a component they are the modules that componentize-py makes of its world, elsewhere the
checked-in copies, whose functions do not work. An interface that a component does not export is a
copy, too.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any, Final

IN_COMPONENT: Final = importlib.util.find_spec("wit_world") is not None

if TYPE_CHECKING:
    from ._bindings.exports import completion, facets, prompts, resources, tools
    from ._bindings.imports import (
        client,
        clock,
        downstream,
        identity,
        log,
        progress,
        random,
        settings,
        types,
    )
    from ._result import Err, Ok
else:

    def _module(name: str) -> Any:
        try:
            return importlib.import_module(f"wit_world.{name}")
        except ModuleNotFoundError:
            return importlib.import_module(f"bailiwick_sdk._bindings.{name}")

    completion = _module("exports.completion")
    facets = _module("exports.facets")
    prompts = _module("exports.prompts")
    resources = _module("exports.resources")
    tools = _module("exports.tools")
    client = _module("imports.client")
    clock = _module("imports.clock")
    downstream = _module("imports.downstream")
    identity = _module("imports.identity")
    log = _module("imports.log")
    progress = _module("imports.progress")
    random = _module("imports.random")
    settings = _module("imports.settings")
    types = _module("imports.types")
    _result = importlib.import_module(
        "componentize_py_types" if IN_COMPONENT else "bailiwick_sdk._result"
    )
    Err, Ok = _result.Err, _result.Ok

__all__ = [
    "IN_COMPONENT",
    "Err",
    "Ok",
    "client",
    "clock",
    "completion",
    "downstream",
    "facets",
    "identity",
    "log",
    "progress",
    "prompts",
    "random",
    "resources",
    "settings",
    "tools",
    "types",
]
