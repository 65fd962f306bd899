"""Python's own modules in a component: honest where the host has what they need, and otherwise an
error that names the alternative.

componentize-py runs a module once, keeps the memory, and begins each call with a copy of it. What
asks the system after that is a trap, without a word. So `prepare` puts functions of ours in its
place before the author's module takes references, and `seal` lets them ask the host from then on.
Nothing of this is imported outside a component.

Invariant: after `seal` no function of the standard library that an author is likely to call reaches
a stub.
"""

from . import clock, files, imports, output, randomness, sources, system
from .state import STATE


def prepare() -> None:
    """Replaces functions of the standard library. Called before the author's module is imported."""
    clock.prepare()
    randomness.prepare()
    files.prepare()
    system.prepare()
    output.prepare()


def seal() -> None:
    """Ends the build: from now on there is a host, and no system. Called last of all."""
    system.load()
    sources.keep()
    STATE.sealed = True
    output.seal()
    imports.seal()


def begin() -> None:
    """Begins a call."""
    randomness.reseed()


def end() -> None:
    """Ends a call."""
    output.flush()
