"""The build up to componentize-py, which the repository's tests run."""

import hashlib
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import bailiwick_sdk
from bailiwick_sdk.build import main
from bailiwick_sdk.building import component, native, project
from bailiwick_sdk.building.errors import BuildError
from bailiwick_sdk.building.network import NO_NETWORK

PACKAGE = Path(bailiwick_sdk.__file__).parent
ROOT = Path(__file__).parents[3]
TEMPLATE = Path(__file__).parents[1] / "template"


@pytest.mark.parametrize(
    ("text", "given", "module", "file"),
    [
        ('[project]\nname = "my-shop"', None, "my_shop", "out/my-shop.wasm"),
        ('[project]\nname = "my-shop"', "other.tools", "other.tools", "out/my-shop.wasm"),
        ("", "other.tools", "other.tools", "out/tools.wasm"),
        (
            '[project]\nname = "a"\n[tool.bailiwick]\nmodule = "b"',
            None,
            "b",
            "out/a.wasm",
        ),
    ],
)
def test_the_project_says_what_is_built(
    text: str, given: str | None, module: str, file: str, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / "src").mkdir()
    read = project.read(tmp_path, given)
    assert (read.module, str(read.file(Path("out")))) == (module, file)
    assert read.file(Path("here.wasm")) == Path("here.wasm")
    assert read.sources == tmp_path / "src"
    assert read.has(tmp_path / "src/shop.py")
    assert not read.has(tmp_path / "src/.venv/lib/python3.11/site-packages/other.py")
    assert not read.has(tmp_path / "shop.py")


@pytest.mark.parametrize("name", ["../up", "/etc/shop", "a/b", "-shop", "é", "x" * 65])
def test_a_name_that_is_no_files_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "{name}"')
    with pytest.raises(BuildError, match="cannot name a component"):
        project.read(tmp_path, "shop")


def test_a_component_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    (made, out) = (tmp_path / "made.wasm", tmp_path / "tools/shop.wasm")
    made.write_bytes(b"one")
    component._place(made, out)
    with out.open("rb") as before:
        made.write_bytes(b"two")
        component._place(made, out)
        assert (before.read(), out.read_bytes()) == (b"one", b"two")
    assert [file.name for file in out.parent.iterdir()] == ["shop.wasm"]


def test_what_is_not_known_ends_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    assert main(["nothing_here"]) == 1
    assert "there is no module `nothing_here`" in capsys.readouterr().err
    (tmp_path / "empty_here.py").write_text("")
    assert main(["empty_here"]) == 1
    assert "it has no tools, resources or prompts" in capsys.readouterr().err
    (tmp_path / "pyproject.toml").write_text('[tool.bailiwick]\nmodul = "a"')
    with pytest.raises(BuildError, match="not `modul`"):
        project.read(tmp_path, None)


def test_another_compiler_ends_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.1.0")
    with pytest.raises(BuildError, match=r"expected componentize-py 0\.25\.1") as raised:
        component._program()
    assert raised.value.code == 3


TRACEBACK = """/world/tool.py:74: SyntaxWarning: not of interest
Traceback (most recent call last):
  File "numbers_of/core.py", line 6, in <module>
    from numbers_of._core import add
ModuleNotFoundError: No module named 'numbers_of._core'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "bailiwick_component.py", line 3, in <module>
    _exports = _entry.load('shop')
  File "/python/importlib/__init__.py", line 88, in import_module
    return _bootstrap._gcd_import(name[level:], package, level)
           ~~~~~~~~~~~~~~~~~~~~~~^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "shop.py", line 2, in <module>
    import numbers_of
  File "numbers_of/__init__.py", line 9, in <module>
    raise ImportError(advice)
ImportError: READ THIS

Reinstall numbers_of.
"""


def why(said: str, native: list[str], monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    (folder / "shop.py").write_text("import numbers_of")
    monkeypatch.setattr(component, "native_modules", lambda: native)
    return component._why(said, project.Project("shop", "shop", folder))


def test_native_code_is_said_in_place_of_the_packages_own_advice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = why(TRACEBACK, ["numbers_of._core", "other._core"], monkeypatch, tmp_path)
    assert said == (
        "shop.py:2: `import numbers_of` needs native code of this machine, which a component "
        "cannot have: numbers_of._core. Use a package that is Python alone"
    )


def test_another_failure_in_the_component_has_its_places_and_no_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert why(TRACEBACK, ["other._core"], monkeypatch, tmp_path).splitlines() == [
        "shop.py:2: the module cannot be imported in the component: ImportError: READ THIS",
        "  at numbers_of/__init__.py:9: raise ImportError(advice)",
        "  at shop.py:2: import numbers_of",
    ]
    said = why("it is out of memory", [], monkeypatch, tmp_path)
    assert said == "componentize-py failed:\nit is out of memory"


def loaded(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "shop.py").write_text(f"{text}\n{TOOL}")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    monkeypatch.delitem(sys.modules, "shop", raising=False)
    try:
        native.load(project.Project("shop", "shop", folder))
    finally:
        sys.modules.pop("shop", None)


TOOL = '''
from typing import TYPE_CHECKING
from bailiwick_sdk import Call, tool

@tool()
def greet(call: Call) -> str:
    """Greets."""
    return "hello"
'''


@pytest.mark.parametrize(
    ("text", "client"),
    [
        ("import socket", "socket"),
        ("import http.client as web", "http.client"),
        ("from urllib import request", "urllib.request"),
        ("from urllib.request import urlopen", "urllib.request"),
        ("def late() -> None:\n    import socket", "socket"),
    ],
)
def test_a_client_of_the_network_ends_the_build_with_what_to_use(
    text: str, client: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = text.count("\n") + 1
    with pytest.raises(BuildError) as raised:
        loaded(tmp_path, text, monkeypatch)
    assert str(raised.value) == f"shop.py:{line}: it imports {client}; {NO_NETWORK}"


@pytest.mark.parametrize(
    "text",
    [
        "import http\nimport urllib.parse\nfrom urllib.parse import quote",
        "import socketserver",
        "try:\n    import socket\nexcept ImportError:\n    socket = None",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import requests",
    ],
)
def test_what_has_a_use_without_the_network_is_built(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(tmp_path, text, monkeypatch)


def test_a_client_that_is_not_installed_has_the_same_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, said in [("pycurl", NO_NETWORK), ("absent_here", "is it installed?")]:
        with pytest.raises(BuildError) as raised:
            loaded(tmp_path, f"import {name}", monkeypatch)
        assert str(raised.value) == f"shop.py:1: No module named '{name}'; {said}"


def test_a_traceback_has_no_places_of_every_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "helper_of_shop.py").write_text('{}["a"]')
    through = 'import importlib\nimportlib.import_module("helper_of_shop")'
    with pytest.raises(BuildError, match=r"helper_of_shop\.py:1: KeyError"):
        loaded(tmp_path, through, monkeypatch)
    said = capsys.readouterr().err
    assert "shop.py" in said and "importlib/__init__" not in said and "<frozen" not in said


def test_the_world_exports_what_the_module_has(tmp_path: Path) -> None:
    component._write_world(tmp_path / "wit", ["Tools", "Completion"])
    world = (tmp_path / "wit/component.wit").read_text()
    assert "include bailiwick:tool/tool@0.2.0;" in world
    assert "include bailiwick:tool/completer@0.2.0;" in world
    assert "prompt-provider" not in world
    compile(component._entry("shop.tools", ["Tools"]), "entry", "exec")


def test_the_types_are_those_of_the_interface() -> None:
    text = (PACKAGE / "wit/tool.wit").read_bytes()
    assert text == (ROOT / "wit/tool.wit").read_bytes(), "run tools/bindings.py"
    digest = f"# sha256:{hashlib.sha256(text).hexdigest()}"
    made = list((PACKAGE / "_bindings").rglob("*.py"))
    assert len(made) > 10
    for file in made:
        assert digest in file.read_text(), f"run tools/bindings.py: {file}"


def test_the_template_passes_its_own_tests(tmp_path: Path) -> None:
    for source in TEMPLATE.rglob("*"):
        target = tmp_path / source.relative_to(TEMPLATE)
        if source.is_file() and source.suffix != ".pyc":
            text = source.read_text().replace("{{name}}", "my-shop").replace("{{sdk}}", "/sdk")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    assert "{{" not in "".join(it.read_text() for it in tmp_path.rglob("*") if it.is_file())
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {"PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
