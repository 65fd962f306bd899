"""Imports in a call: only of what was imported while the component was built."""

import sys
from types import ModuleType
from typing import NoReturn


class NothingMore:
    """A finder that says why there is no such module."""

    def find_spec(
        self, name: str, path: object = None, target: ModuleType | None = None
    ) -> NoReturn:
        raise ModuleNotFoundError(
            f"`{name}` is not in the component: import it at the top of the module, not in a def",
            name=name,
        )


def seal() -> None:
    """Replaces the finder that looks for files."""
    kept = [it for it in sys.meta_path if getattr(it, "__name__", "") != "PathFinder"]
    sys.meta_path[:] = [*kept, NothingMore()]
