"""The build up to componentize-py, which the repository's tests run."""

import hashlib
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import bailiwick_sdk
from bailiwick_sdk.build import main
from bailiwick_sdk.building import component, project
from bailiwick_sdk.building.errors import BuildError

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
