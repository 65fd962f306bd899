"""An exception that nobody caught, as lines for the host's log."""

import re
import traceback
from collections.abc import Iterator
from pathlib import PurePath

HERE = str(PurePath(__file__).parent)
FOLDER = re.compile(r"^/\d+/")
"""Where componentize-py puts the folders that a module is imported from."""
MOST_FRAMES = 12
"""The host takes 64 lines of a call, so a long traceback keeps its ends."""


def lines_of(error: BaseException) -> Iterator[str]:
    """Returns the error, the places through which it came, the innermost first, and its causes."""
    seen: set[int] = set()
    words, next_error = "", error
    while next_error is not None and id(next_error) not in seen:
        seen.add(id(next_error))
        message = str(next_error).replace("\n", " ")
        yield f"{words}{type(next_error).__name__}{': ' if message else ''}{message}"
        yield from _places(next_error)
        if next_error.__cause__ is not None:
            words, next_error = "caused by ", next_error.__cause__
        elif next_error.__suppress_context__ or next_error.__context__ is None:
            return
        else:
            words, next_error = "while handling ", next_error.__context__


def _places(error: BaseException) -> Iterator[str]:
    frames = [it for it in traceback.extract_tb(error.__traceback__) if not _ours(it.filename)]
    frames.reverse()
    left_out = len(frames) - MOST_FRAMES
    for index, frame in enumerate(frames):
        if left_out > 0 and index == MOST_FRAMES // 2:
            yield f"  ... {left_out} more ..."
        if left_out <= 0 or not MOST_FRAMES // 2 <= index < MOST_FRAMES // 2 + left_out:
            place = f"{FOLDER.sub('', frame.filename)}:{frame.lineno} in {frame.name}"
            yield f"  at {place}: {frame.line}" if frame.line else f"  at {place}"


def _ours(file: str) -> bool:
    """Returns true for the files through which every call and every import comes."""
    return file.startswith(HERE) or of_imports(file)


def of_imports(file: str) -> bool:
    """Returns true for the files of Python through which every import comes."""
    return file.startswith("<frozen importlib") or file.endswith("/importlib/__init__.py")
