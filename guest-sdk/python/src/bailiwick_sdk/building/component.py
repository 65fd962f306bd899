"""The second half of a build: the world, the module that begins it, and componentize-py."""

import importlib.metadata
import importlib.resources
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from ..collected import definitions_of
from ..export import Component
from ..failures import of_imports
from ..shapes.compiled import PYDANTIC
from .errors import BuildError
from .native import native_modules
from .project import Project

VERSION = "0.25.1"
ENTRY = "bailiwick_component"

WORLDS = {
    "Tools": "tool",
    "Resources": "resource-provider",
    "Prompts": "prompt-provider",
    "Completion": "completer",
    "Facets": "faceted",
}


def build(project: Project, module: ModuleType, out: Path, *, verbose: bool) -> Path:
    """Makes the component, which exports exactly what the module defines; returns its file."""
    exports = list(Component(definitions_of(module)).exports)
    return componentize(project, exports, _entry(project.module, exports), out, verbose=verbose)


def componentize(
    project: Project, exports: list[str], begin: str, out: Path, *, verbose: bool
) -> Path:
    """Makes a component with these exports that begins with the module `begin`."""
    program = _program()
    with tempfile.TemporaryDirectory(prefix="bailiwick-") as name:
        folder = Path(name)
        _write_world(folder / "wit", exports)
        entry = folder / "entry"
        entry.mkdir()
        (entry / f"{ENTRY}.py").write_text(begin)
        command = [str(program), "-d", str(folder / "wit"), "-w", "component", "componentize"]
        command += ["--stub-wasi", ENTRY, "-o", str(folder / "made.wasm")]
        for path in (entry, project.sources, *_packages(project)):
            command += ["-p", str(path)]
        _run(command, project, verbose=verbose)
        _place(folder / "made.wasm", out)
    return out


def _place(made: Path, out: Path) -> None:
    """Writes a file so that whoever watches the folder sees it whole."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"{out.name}.part")
    part.write_bytes(made.read_bytes())
    part.replace(out)


def _program() -> Path:
    """Returns the compiler of this environment."""
    try:
        found = importlib.metadata.version("componentize-py")
    except importlib.metadata.PackageNotFoundError:
        found = "none"
    if found != VERSION:
        raise BuildError(
            f"expected componentize-py {VERSION} in this environment, got {found}: "
            f"pip install 'bailiwick-sdk[build]'",
            3,
        )
    return Path(sysconfig.get_path("scripts")) / "componentize-py"


def _write_world(wit: Path, exports: list[str]) -> None:
    """Writes a world that exports these interfaces, beside a copy of Bailiwick's."""
    package = wit / "deps/bailiwick"
    package.mkdir(parents=True)
    text = importlib.resources.files("bailiwick_sdk").joinpath("wit/tool.wit").read_text()
    (package / "tool.wit").write_text(text)
    includes = "".join(f"    include bailiwick:tool/{WORLDS[name]}@0.2.0;\n" for name in exports)
    (wit / "component.wit").write_text(
        f"package local:component;\n\nworld component {{\n{includes}}}\n"
    )


def _entry(module: str, exports: list[str]) -> str:
    """Returns the module that componentize-py imports."""
    lines = "".join(f"{name} = _exports[{name!r}]\n" for name in exports)
    return f"from bailiwick_sdk import _entry\n\n_exports = _entry.load({module!r})\n{lines}"


def _packages(project: Project) -> list[Path]:
    """Returns the folders from which this Python imports packages, and the standard library not."""
    library = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")}
    found: list[Path] = []
    for entry in sys.path:
        path = Path(entry).resolve()
        inside = path in library or path.name == "lib-dynload"
        if path.is_dir() and not inside and path not in (*found, project.sources, Path.cwd()):
            found.append(path)
    return found


def _run(command: list[str], project: Project, *, verbose: bool) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    said = re.sub(r'(?<=")/\d+/', "", done.stdout + done.stderr).strip()
    said = said.partition("\n\nCaused by:")[0]
    if verbose:
        print(said, file=sys.stderr)
    if done.returncode:
        raise BuildError(_why(said, project), 4)


def _why(said: str, project: Project) -> str:
    """Returns what went wrong when the module was imported in the component."""
    last = said.rpartition("Traceback (most recent call last):\n")[2]
    raised = re.search(r"^[\w.]*(?:Error|Exception)\b.*", last, re.MULTILINE)
    if not raised:
        return f"componentize-py failed:\n{said}"
    frames = [_Frame(*found) for found in FRAME.findall(last)]
    own = [at for at, it in enumerate(frames) if (project.sources / it.file).is_file()]
    (first, place) = (own[-1], f"{frames[own[-1]]}: ") if own else (0, "")
    packages = {it.file.partition("/")[0] for it in frames[first:]}
    native = [name for name in native_modules() if name.partition(".")[0] in packages]
    if native:
        # What the package says about its own installation would lead the author astray.
        why = (
            f"{place}`{frames[first].line}` needs native code of this machine, which a component "
            f"cannot have: {', '.join(native)}. Use a package that is Python alone"
        )
        pydantic = any(name.startswith("pydantic_core") for name in native)
        return f"{why}. {PYDANTIC}" if pydantic else why
    through = [f"\n  at {it}: {it.line}" for it in reversed(frames) if not it.of_build()]
    why = f"{place}the module cannot be imported in the component: {raised[0]}"
    return why + "".join(through)


@dataclass(frozen=True)
class _Frame:
    """A place in a traceback of the component."""

    file: str
    number: str
    line: str

    def of_build(self) -> bool:
        """Returns true for the places through which every module is imported."""
        return of_imports(self.file) or self.file.startswith(("bailiwick_sdk/", f"{ENTRY}."))

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"


FRAME = re.compile(r'^  File "([^"]*)", line (\d+), in .*\n    (.*)', re.MULTILINE)
