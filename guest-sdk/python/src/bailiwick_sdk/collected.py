"""The definitions of a module: those that its namespace has."""

from types import ModuleType
from typing import Any

from .definitions import Definition


def definitions_of(module: ModuleType) -> list[Definition[Any, Any]]:
    """Returns the tools, resources and prompts that a module defines or imports, each once, in the
    order of its names."""
    found = {id(it): it for it in vars(module).values() if isinstance(it, Definition)}
    return list(found.values())
