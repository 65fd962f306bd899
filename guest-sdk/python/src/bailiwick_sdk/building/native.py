"""The first import of the module, by the Python that builds."""

import contextlib
import importlib
import re
import sys
import sysconfig
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from ..collected import definitions_of
from ..definitions import Definition
from ..errors import DefinitionError
from ..export import Component, Facets, Prompts, Resources, Tools
from ..failures import of_imports
from ..shapes.compiled import PYDANTIC
from . import network
from .errors import BuildError
from .network import NO_NETWORK
from .project import Project


def load(project: Project) -> ModuleType:
    """Imports the module. Mistakes have the place in the author's own files."""
    sys.path.insert(0, str(project.sources))
    try:
        # Standard output is the build's own.
        with contextlib.redirect_stdout(sys.stderr):
            module = importlib.import_module(project.module)
    except DefinitionError as error:
        # One that knows its definition begins with the place.
        if re.match(r"\S+:\d+: ", str(error)):
            raise
        raise BuildError(f"{_place(error, project)}{error}") from None
    except ModuleNotFoundError as error:
        if error.name == project.module.split(".")[0]:
            raise BuildError(
                f"there is no module `{project.module}` in {project.sources}"
            ) from None
        advice = NO_NETWORK if network.client_of(error.name or "") else "is it installed?"
        raise BuildError(f"{_place(error, project)}{error}; {advice}") from None
    except (Exception, SystemExit) as error:
        _show(error)
        raise BuildError(f"{_place(error, project)}{type(error).__name__}: {error}") from None
    component = Component(definitions_of(module))
    if not component.all:
        raise BuildError(
            f"{module.__file__}: it has no tools, resources or prompts; put `@tool()` over a def"
        )
    if _uses_pydantic(project):
        raise BuildError(f"the module imports pydantic: {PYDANTIC}")
    network.refuse(project, modules_of(project))
    for left in _left_out(component, project):
        print(
            f"note: {left.where} is left out: `{project.module}` does not import it",
            file=sys.stderr,
        )
    return module


def describe(module: ModuleType) -> dict[str, Any]:
    """Returns the definitions as the host gets them."""
    component = Component(definitions_of(module))
    return {
        "tools": [
            vars(it) | {"annotations": vars(it.annotations)} for it in Tools(component).describe()
        ],
        "resources": [vars(it) for it in Resources(component).describe()],
        "prompts": [
            vars(it) | {"arguments": [vars(argument) for argument in it.arguments]}
            for it in Prompts(component).describe()
        ],
        "facets": [
            {"subject": subject.value, "facets": dict(facets)}
            for subject, facets in Facets(component).describe()
        ],
    }


def native_modules() -> list[str]:
    """Returns the imported modules that are native code of this machine, which no component has."""
    ours = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")]
    suffixes = (".so", ".pyd", ".dylib")
    found = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if file.endswith(suffixes):
            path = Path(file).resolve()
            in_library = any(path.is_relative_to(library) for library in ours)
            if not in_library or "site-packages" in path.parts:
                found.append(name)
    return sorted(found)


def _show(error: BaseException) -> None:
    """Prints the innermost places of an error and of its causes, without those of every import."""
    shown = traceback.TracebackException.from_exception(error)
    one: traceback.TracebackException | None = shown
    while one is not None:
        one.stack[:] = [it for it in one.stack if not of_imports(it.filename)][-3:]
        one = one.__cause__ or one.__context__
    print("".join(shown.format()), end="", file=sys.stderr)


def _place(error: BaseException, project: Project) -> str:
    """Returns `FILE:LINE: ` of the last frame in the project, if there is one."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [it for it in frames if project.has(Path(it.filename))]
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}: "
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}: " if own else ""


def _left_out(component: Component, project: Project) -> list[Definition[Any, Any]]:
    """Returns the definitions in the project's other modules that the module does not have."""
    kept = {id(it) for it in component.all}
    found: dict[int, Definition[Any, Any]] = {}
    for module in modules_of(project):
        for it in definitions_of(module):
            if id(it) not in kept and it.module == module.__name__:
                found[id(it)] = it
    return list(found.values())


def _uses_pydantic(project: Project) -> bool:
    """Returns true if a module of the project has something of pydantic in its namespace."""
    for module in modules_of(project):
        for value in vars(module).values():
            name = value.__name__ if isinstance(value, ModuleType) else _origin(value)
            if name.partition(".")[0] == "pydantic":
                return True
    return False


def _origin(value: Any) -> str:
    origin = getattr(value, "__module__", None)
    return origin if isinstance(origin, str) else ""


def modules_of(project: Project) -> list[ModuleType]:
    """Returns the imported modules of the project."""
    found = []
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and project.has(Path(file)):
            found.append(module)
    return found
