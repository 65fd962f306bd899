"""Output: `print` and `logging` write to the host's log."""

import io
import logging
import sys
from typing import NoReturn

from .. import _wit
from .state import refuse

_LEVELS = (
    (logging.ERROR, _wit.log.Level.ERROR),
    (logging.WARNING, _wit.log.Level.WARN),
    (logging.INFO, _wit.log.Level.INFO),
)


class Lines(io.TextIOBase):
    """A stream whose lines are lines of the host's log."""

    encoding = "utf-8"

    def __init__(self, level: _wit.log.Level) -> None:
        self.level = level
        self.begun = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        *lines, self.begun = (self.begun + text).split("\n")
        for line in lines:
            _wit.log.write(self.level, line)
        return len(text)

    def end(self) -> None:
        """Writes what is left of a line."""
        if self.begun:
            self.write("\n")


class ToHost(logging.Handler):
    """Writes records to the host's log, which has the time and the component's name already."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
        except Exception as error:  # As in `logging`: a bad format is no reason to fail.
            text = f"{record.msg!r} with {record.args!r}: {error}"
        level = next((ours for least, ours in _LEVELS if record.levelno >= least), _DEBUG)
        for line in text.splitlines():
            _wit.log.write(level, line)


class NoInput(io.TextIOBase):
    """Standard input: there is none."""

    def readline(self, size: int | None = -1, /) -> NoReturn:
        refuse("standard input", "ask the user with `Questions`")

    read = readline


def prepare() -> None:
    """Sets the level from which on records are written, which the author's module can change."""
    logging.getLogger().setLevel(logging.INFO)
    logging.raiseExceptions = False


def seal() -> None:
    """Sends everything to the host from now on."""
    for name, stream in (("stdout", _OUT), ("stderr", _ERR), ("stdin", NoInput())):
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    logging.getLogger().handlers[:] = [ToHost()]


def flush() -> None:
    """Writes lines that are begun."""
    _OUT.end()
    _ERR.end()


_DEBUG = _wit.log.Level.DEBUG
_OUT = Lines(_wit.log.Level.INFO)
_ERR = Lines(_wit.log.Level.WARN)
