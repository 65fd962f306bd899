"""Files: there are none in a call. What a module reads while it is imported is in the component."""

import _io
import builtins
import io
import os
from collections.abc import Callable
from typing import Any

from .state import STATE, refusing

INSTEAD = (
    "read it at the top of the module, while the component is built, or ask a service "
    "(`call.services`)"
)
NAMES = """
    access chdir chmod chown close dup dup2 fdopen fstat fsync ftruncate getcwd getcwdb link listdir
    lseek lstat mkdir makedirs open pipe pread pwrite read readlink remove removedirs rename
    renames replace rmdir scandir stat statvfs symlink sync truncate unlink utime walk write
""".split()  # noqa: SIM905
QUESTIONS = ("exists", "lexists", "isfile", "isdir", "islink")


def prepare() -> None:
    """Replaces the functions that reach for files."""
    opened = refusing("file system", io.open, INSTEAD)
    builtins.open = opened
    ours = {
        "open": opened,
        "open_code": refusing("file system", io.open_code, INSTEAD),
        "FileIO": _refusing_class(io.FileIO),
    }
    for module in (io, _io):
        vars(module).update(ours)
    for name in NAMES:
        original = getattr(os, name, None)
        if original is not None:
            vars(os)[name] = refusing("file system", original, INSTEAD)
    # The functions in C, which `os.path` and the import system hold by another name.
    import genericpath
    import posix
    import posixpath

    for name in NAMES:
        if hasattr(posix, name):
            vars(posix)[name] = getattr(os, name)
    for module in (genericpath, posixpath):
        for name in QUESTIONS:
            if hasattr(module, name):
                vars(module)[name] = _absent(getattr(module, name))


def _absent(original: Callable[..., bool]) -> Callable[..., bool]:
    """Returns a question about files: in a call, none is there."""

    def function(path: Any, **options: Any) -> bool:
        return not STATE.sealed and original(path, **options)

    return function


def _refusing_class(original: type) -> type:
    class FileIO(original):  # type: ignore[misc]
        def __init__(self, *args: object, **kwargs: object) -> None:
            refusing("file system", super().__init__, INSTEAD)(*args, **kwargs)

    return FileIO
