"""Development builds: a component that is made once, with room for a source, and the source of the
present project."""

import ast
import hashlib
import json
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from .._developed import ROOM
from ..collected import definitions_of
from ..export import Component
from .component import ENTRY, VERSION, componentize
from .native import modules_of
from .project import Project

HERE = Path(__file__).parents[1]


class Watch:
    """What the import of the author's module adds and reads."""

    def __init__(self) -> None:
        self._before = set(sys.modules)
        self._folder = str(Path().absolute()) + os.sep
        self.read: set[str] = set()
        """The files of the project that were read and are no modules."""
        self.ended = False
        sys.addaudithook(self._hear)

    def end(self) -> set[str]:
        """Returns the names of the modules that were added."""
        self.ended = True
        return set(sys.modules) - self._before

    def _hear(self, event: str, given: tuple[object, ...]) -> None:
        if self.ended or event != "open" or not isinstance(given[0], str):
            return
        path = os.path.abspath(given[0])
        inside = path.startswith(self._folder) and "site-packages" not in path
        if inside and not path.endswith((".py", ".pyc")) and "__pycache__" not in path:
            self.read.add(os.path.relpath(path))


def develop(project: Project, module: ModuleType, watch: Watch, folder: Path) -> bool:
    """Writes `source`, and `base.wasm` if the one that is there is for other packages or exports.

    Returns False if the source does not fit, or needs files.
    """
    added, read = watch.end(), watch.read
    place = folder / "source"
    place.unlink(missing_ok=True)
    source = _source(project)
    why = None
    if read:
        why = f"the module reads {sorted(read)[0]} while it is imported"
    elif len(source) > ROOM:
        why = f"the modules have {len(source)} bytes, and a development build has room for {ROOM}"
    if why:
        print(f"note: {why}: this is a whole build, which takes longer", file=sys.stderr)
        return False
    exports = list(Component(definitions_of(module)).exports)
    needed = sorted(_needed(project, added))
    folder.mkdir(parents=True, exist_ok=True)
    base, written = folder / "base.wasm", folder / "base.key"
    key = _key(exports, needed)
    if not base.is_file() or not written.is_file() or written.read_text() != key:
        written.unlink(missing_ok=True)
        print(
            "note: a development build begins with SDK and packages, which takes a while once",
            file=sys.stderr,
        )
        componentize(project, exports, _entry(needed, exports), base, verbose=False)
        written.write_text(key)
    place.write_bytes(source)
    return True


def _source(project: Project) -> bytes:
    files = {}
    for module in modules_of(project):
        file = Path(module.__file__ or "")
        name = file.relative_to(project.sources).as_posix()
        files[module.__name__] = (name, file.read_text())
    return json.dumps({"module": project.module, "files": files}).encode()


def _entry(modules: list[str], exports: list[str]) -> str:
    lines = "".join(f"{name} = _exports[{name!r}]\n" for name in exports)
    return (
        "from bailiwick_sdk import _developed\n\n"
        f"_exports = _developed.room({modules!r}, {exports!r})\n{lines}"
    )


def _needed(project: Project, added: set[str]) -> set[str]:
    """Returns the modules that the author's import, at their top or through others."""
    own = {module.__name__ for module in modules_of(project)}
    found = set(added)
    for module in modules_of(project):
        tree = ast.parse(Path(module.__file__ or "").read_text())
        for node in _at_the_top(tree):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
                found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {name for name in found - own if name in sys.modules}


def _at_the_top(tree: ast.AST) -> Iterator[ast.AST]:
    """Returns what runs while a module is imported."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            yield from _at_the_top(node)


def _key(exports: list[str], needed: list[str]) -> str:
    """Returns a digest of everything that the component is made of."""
    digest = hashlib.sha256(repr((ENTRY, VERSION, sys.version, exports, needed)).encode())
    for file in sorted(HERE.rglob("*")):
        if file.suffix in (".py", ".wit"):
            digest.update(file.read_bytes())
    library = tuple(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib"))
    for name in needed:
        path = getattr(sys.modules[name], "__file__", None) or ""
        if path and (not path.startswith(library) or "site-packages" in path):
            about = Path(path).stat()
            digest.update(repr((path, about.st_mtime_ns, about.st_size)).encode())
    return digest.hexdigest()
