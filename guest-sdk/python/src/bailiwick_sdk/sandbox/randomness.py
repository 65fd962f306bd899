"""Randomness: the host's generator behind `os.urandom`, and with it `secrets`, `uuid` and `random`.

The state of `random` is part of the memory that every call begins with, so without a new seed all
users would get the same numbers.
"""

import os
import weakref
from typing import Any

from .._outside import Host
from .state import STATE

_unseeded: "weakref.WeakSet[Any]" = weakref.WeakSet()
"""The generators for which nobody chose a seed."""


def prepare() -> None:
    """Replaces the source of random bytes, before `random` takes a reference to it."""
    system = os.urandom

    def urandom(size: int, /) -> bytes:
        return Host.random(size) if STATE.sealed else system(size)

    os.urandom = urandom
    if hasattr(os, "getrandom"):
        os.getrandom = lambda size, flags=0: urandom(size)
    import random

    seeded = random.Random.seed

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        """Seeds as `random` does; without a seed, from the host."""
        if a is None:
            _unseeded.add(self)
            a = int.from_bytes(os.urandom(32))
        else:
            _unseeded.discard(self)
        seeded(self, a, version)

    vars(random)["_urandom"] = urandom
    random.Random.seed = seed  # type: ignore[method-assign]
    one = vars(random)["_inst"]
    random.seed = one.seed
    one.seed()


def reseed() -> None:
    """Gives each generator that nobody seeded a new seed."""
    for generator in list(_unseeded):
        generator.seed()
