"""Development builds up to componentize-py."""

import json
import sys
from pathlib import Path

import pytest

from bailiwick_sdk import _developed
from bailiwick_sdk.build import main
from bailiwick_sdk.building import development
from bailiwick_sdk.building.project import Project
from bailiwick_sdk.export import Tools

TOOL = '''
import colorsys
from bailiwick_sdk import Call, tool
{more}

@tool()
def status(call: Call) -> str:
    """{text}"""
    import this
    return "here"
'''


class Author:
    """A project, with what componentize-py is asked for."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.made: list[str] = []
        monkeypatch.chdir(folder)
        monkeypatch.setattr(development, "componentize", self._componentize)
        monkeypatch.setattr("bailiwick_sdk.build.build", self._build)

    def save(self, text: str, more: str = "") -> None:
        (self.folder / "shop_here.py").write_text(TOOL.format(text=text, more=more))

    def build(self) -> int:
        sys.modules.pop("shop_here", None)
        sys.modules.pop("colorsys", None)
        return main(["shop_here", "--development", "made"])

    def read(self, name: str) -> str:
        return (self.folder / "made" / name).read_text()

    def _componentize(
        self, project: Project, exports: list[str], begin: str, out: Path, *, verbose: bool
    ) -> Path:
        self.made.append(begin)
        out.write_text("a component")
        return out

    def _build(self, project: Project, module: object, out: Path, *, verbose: bool) -> Path:
        self.made.append("whole")
        return out


@pytest.fixture
def author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Author:
    return Author(tmp_path, monkeypatch)


def test_the_component_is_made_once_and_the_source_each_time(author: Author) -> None:
    for text in ("Says where.", "Tells where."):
        author.save(text)
        assert author.build() == 0
        source = json.loads(author.read("source"))
        assert source["module"] == "shop_here"
        file, written = source["files"]["shop_here"]
        assert file == "shop_here.py" and text in written
    (begin,) = author.made
    assert "'colorsys'" in begin and "['Tools']" in begin
    assert "'this'" not in begin, "what only a function imports is not there in a whole build"


def test_another_import_needs_another_component(author: Author) -> None:
    author.save("Says where.")
    assert author.build() == 0
    author.save("Says where.", more="import tabnanny")
    assert author.build() == 0
    assert ["'tabnanny'" in begin for begin in author.made] == [False, True]


def test_what_has_no_room_or_reads_files_is_built_whole(
    author: Author, capsys: pytest.CaptureFixture[str]
) -> None:
    (author.folder / "words.txt").write_text("one")
    for more, why in (
        ("WORDS = open('words.txt').read()", "the module reads words.txt while it is imported"),
        (f"LONG = '{'x' * 600_000}'", "and a development build has room for 524288"),
    ):
        author.save("Says where.", more)
        assert author.build() == 0
        assert why in capsys.readouterr().err
        assert author.made.pop() == "whole"
        assert not (author.folder / "made/source").exists()


def test_a_component_reads_its_source_from_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bailiwick_sdk.sandbox.seal", lambda: None)
    monkeypatch.setattr(_developed, "_made", [])
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    makers = _developed.room(["colorsys", "not_there"], ["Tools"])
    region = vars(_developed)["_region"]
    assert len(region) == 36 + _developed.ROOM and 0 not in region[32:]
    assert region[:4] == bytes((0x52, 0xE2, 0xFB, 0x89))
    tools = makers["Tools"]()
    files = {"read_here": ("read_here.py", TOOL.format(text="Says where.", more=""))}
    source = json.dumps({"module": "read_here", "files": files}).encode()
    region[32:36] = len(source).to_bytes(4, "little")
    region[36 : 36 + len(source)] = source
    (described,) = Tools.describe(tools)
    assert (described.name, described.description) == ("status", "Says where.")
    assert sys.modules["read_here"].__file__ == "/1/read_here.py"
