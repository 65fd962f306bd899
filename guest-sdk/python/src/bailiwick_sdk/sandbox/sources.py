"""The lines of the sources, for tracebacks: in a call there is no file to read them from."""

import linecache
import sys
import traceback
from pathlib import PurePath

LEFT_OUT = ("/python/", "/bundled/", "/world/", str(PurePath(__file__).parents[1]))
"""The standard library, what componentize-py makes, and this package."""


def keep() -> None:
    """Keeps the lines of the author's modules and what they import, and formats one traceback, so
    that everything that takes is imported."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None) or ""
        if file.endswith(".py") and not file.startswith(LEFT_OUT):
            lines = linecache.getlines(file)
            # Without a time of change `linecache` does not look for the file again.
            linecache.cache[file] = (sum(map(len, lines)), None, lines, file)
    # For these it would compile pieces of lines.
    vars(traceback)["_extract_caret_anchors_from_line_segment"] = lambda segment: None
    traceback.StackSummary._should_show_carets = (  # type: ignore[attr-defined]
        lambda *_: False
    )
    try:
        raise ValueError
    except ValueError as error:
        traceback.format_exception(error)
