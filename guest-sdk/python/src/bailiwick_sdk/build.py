"""Builds a component of a Python module: `python -m bailiwick_sdk.build [--out PATH] [MODULE]`.

The contract, for `bailiwick build DIR` and other programs, which run it in the project's folder
with the project's Python:

- MODULE is the dotted name of the module with the definitions. Without it, it is
  `tool.bailiwick.module` of ./pyproject.toml, else the project's name with `_` for `-` and `.`.
  It is imported from ./src if that exists, else from the present folder.
- `--out PATH` is a file that ends in `.wasm`, or a folder, which is made. Without it, it is the
  present folder. In a folder the file has the project's name, or without one the module's.
- `--describe` imports and checks the module, prints its definitions as JSON, and builds nothing.
- `--development FOLDER` makes a development build there: `base.wasm`, which is made again only if
  the SDK, the packages or the interfaces that the module exports are others, and `source`, which
  `bailiwick` writes into it. If there is no room, there is no `source`, and the component is built.
- `--verbose` shows the output of componentize-py.

Standard output has one line, the path of the component, and nothing if it was not built. Standard
error has everything else, for people. Exit codes: 0 built; 1 the module or a definition is wrong
(`error: FILE:LINE: ...`); 2 wrong arguments; 3 componentize-py is not installed, or is another
version; 4 componentize-py failed.

The module is imported twice: here, where its mistakes have ordinary tracebacks, and once more in
the component. The present virtual environment is all that the component can import.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .building import development, native, project
from .building.component import build
from .building.errors import BuildError
from .errors import DefinitionError


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds, and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bailiwick_sdk.build",
        description="Builds a component of a Python module.",
    )
    parser.add_argument("module", nargs="?", metavar="MODULE", help="the module's dotted name")
    parser.add_argument("--out", type=Path, default=Path(), metavar="PATH", help="a file or folder")
    parser.add_argument(
        "--describe", action="store_true", help="print the definitions, build nothing"
    )
    parser.add_argument("--verbose", action="store_true", help="show the output of componentize-py")
    parser.add_argument("--development", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    try:
        chosen = project.read(Path(), asked.module)
        watch = development.Watch() if asked.development else None
        module = native.load(chosen)
        if asked.describe:
            print(json.dumps(native.describe(module), indent=2))
            return 0
        out = chosen.file(asked.out)
        if watch and development.develop(chosen, module, watch, asked.development):
            print(out)
            return 0
        made = build(chosen, module, out, verbose=asked.verbose)
    except BuildError as error:
        return _failed(error, error.code)
    except (DefinitionError, tomllib.TOMLDecodeError) as error:
        return _failed(error, 1)
    print(made)
    return 0


def _failed(error: Any, code: int) -> int:
    print(f"error: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
