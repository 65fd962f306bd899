"""The time: the host's clock behind `time` and `datetime`."""

import importlib
import sys
import time
import types
from collections.abc import Callable
from typing import Any

from .. import _wit
from .state import STATE, refusing

SLEEP = "it would only use up the call's time"


def prepare() -> None:
    """Replaces the clocks. `datetime` becomes CPython's own implementation in Python, because it
    asks `time.time`, which the one in C does not."""
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
        _replace(name, lambda: _now() / 1000)
        _replace(f"{name}_ns", lambda: _now() * 1_000_000)
    for name in ("localtime", "gmtime", "ctime"):
        _replace_reading(name, getattr(time, name))
    _replace_strings()
    vars(time)["get_clock_info"] = lambda name: types.SimpleNamespace(
        adjustable=False, implementation="bailiwick", monotonic=name != "time", resolution=0.001
    )
    vars(time)["sleep"] = refusing("sleep", time.sleep, SLEEP)
    for module in ("_datetime", "_zoneinfo"):
        vars(sys)["modules"][module] = None
    for module in ("datetime", "zoneinfo", "_strptime"):
        sys.modules.pop(module, None)
    for module in ("_strptime", "datetime"):
        # `strptime` would look for it in a call.
        importlib.import_module(module)


def _now() -> int:
    return _wit.clock.now()


def _replace(name: str, ours: Callable[[], Any]) -> None:
    original = getattr(time, name, None)
    if original is not None:
        vars(time)[name] = lambda: ours() if STATE.sealed else original()


def _replace_reading(name: str, original: Callable[..., Any]) -> None:
    """Replaces a function that takes the time, or asks for it."""

    def function(seconds: float | None = None) -> Any:
        return original(time.time() if seconds is None else seconds)

    vars(time)[name] = function


def _replace_strings() -> None:
    strftime, asctime = time.strftime, time.asctime

    def formatted(format: str, moment: Any = None) -> str:
        return strftime(format, time.localtime() if moment is None else moment)

    def written(moment: Any = None) -> str:
        return asctime(time.localtime() if moment is None else moment)

    vars(time).update(strftime=formatted, asctime=written)
