"""Imported before everything else: in a component, Python's own modules are replaced before anyone
takes references to them."""

from . import _wit

if _wit.IN_COMPONENT:
    from . import sandbox

    sandbox.prepare()
