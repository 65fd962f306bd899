"""Whether the module has been imported, so that there is a host and no system."""

import errno
from collections.abc import Callable
from typing import Any, NoReturn


class State:
    """The state of this component."""

    sealed = False


STATE = State()


class NotInAComponent(OSError):
    """Something that a component does not have, and what to use instead."""


def refusing(name: str, original: Callable[..., Any], instead: str) -> Callable[..., Any]:
    """Returns a function that works while the module is imported, and refuses in a call."""

    def function(*args: Any, **kwargs: Any) -> Any:
        if STATE.sealed:
            refuse(name, instead)
        return original(*args, **kwargs)

    function.__name__ = getattr(original, "__name__", name)
    return function


def refuse(name: str, instead: str) -> NoReturn:
    """Raises the error for something that there is not."""
    error = NotInAComponent(f"there is no {name} in a component: {instead}")
    # Who asks whether there is a file takes this for a no.
    error.errno = errno.ENOENT
    raise error
