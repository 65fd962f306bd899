"""What is built: the module, and the component's name."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BuildError


@dataclass(frozen=True)
class Project:
    """A module to build."""

    module: str
    name: str
    """The name of the component."""
    sources: Path
    """The folder from which the module is imported."""

    def has(self, file: Path) -> bool:
        """Returns true for a file of the author's, and not of a virtual environment beside it."""
        return file.is_relative_to(self.sources) and "site-packages" not in file.parts

    def file(self, out: Path) -> Path:
        """Returns the path of the component, in or at `out`."""
        return out if out.suffix == ".wasm" else out / f"{self.name}.wasm"


def read(folder: Path, module: str | None) -> Project:
    """Returns the project of a folder."""
    written = folder / "pyproject.toml"
    table: dict[str, Any] = tomllib.loads(written.read_text()) if written.is_file() else {}
    ours = table.get("tool", {}).get("bailiwick", {})
    for key in ours:
        if key != "module":
            raise BuildError(f"{written}: tool.bailiwick has `module`, not `{key}`")
    named = table.get("project", {}).get("name")
    module = module or ours.get("module") or (named and re.sub(r"[-.]", "_", named))
    if not module:
        raise BuildError(
            "which module? Name it (`python -m bailiwick_sdk.build MODULE`), or run this in a "
            "folder with a pyproject.toml",
            2,
        )
    name = named or module.rpartition(".")[2]
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
        raise BuildError(f"{written}: project.name: {name!r} cannot name a component")
    sources = folder / "src" if (folder / "src").is_dir() else folder
    return Project(module, name, sources.resolve())
