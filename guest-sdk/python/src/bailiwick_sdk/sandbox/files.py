"""Files: there are none in a call. What a module reads while it is imported is in the component."""

import builtins
import io
import os

from .state import refusing

INSTEAD = (
    "read it at the top of the module, while the component is built, or ask a service "
    "(`call.services`)"
)
NAMES = (
    "access chdir chmod chown close dup dup2 fdopen fstat fsync ftruncate getcwd getcwdb link listdir "
    "lseek lstat mkdir makedirs open pipe pread pwrite read readlink remove removedirs rename renames "
    "replace rmdir scandir stat statvfs symlink sync truncate unlink utime walk write"
).split()


def prepare() -> None:
    """Replaces the functions that reach for files."""
    ours = refusing("file system", io.open, INSTEAD)
    builtins.open = ours
    io.open = ours
    vars(io)["FileIO"] = _refusing_class(io.FileIO)
    for name in NAMES:
        original = getattr(os, name, None)
        if original is not None:
            vars(os)[name] = refusing("file system", original, INSTEAD)
    # The functions in C, which `os.path` and the import system hold by another name.
    import genericpath
    import posix
    import posixpath

    for module in (posix, genericpath, posixpath):
        for name in (*NAMES, "exists", "lexists", "isfile", "isdir", "islink", "getsize", "getmtime"):
            original = getattr(module, name, None)
            if original is None or not callable(original):
                continue
            if name in ("exists", "lexists", "isfile", "isdir", "islink"):
                vars(module)[name] = _absent(original)
            elif module is posix:
                vars(module)[name] = refusing("file system", original, INSTEAD)


def _absent(original: object) -> object:
    """Returns a question about files: in a call, none is there."""
    from .state import STATE

    def function(path: object, **options: object) -> bool:
        if STATE.sealed:
            return False
        return bool(original(path, **options))  # type: ignore[operator]

    return function


def _refusing_class(original: type) -> type:
    class FileIO(original):  # type: ignore[misc]
        def __init__(self, *args: object, **kwargs: object) -> None:
            refusing("file system", super().__init__, INSTEAD)(*args, **kwargs)

    return FileIO
