"""Mistakes in definitions, which end the build with their place."""

import json
import textwrap
from pathlib import Path

import pytest

from bailiwick_sdk.build import main

GOOD = '''
    from bailiwick_sdk import Call, tool, resource, prompt, Completion
    print("imported")

    def found(call: Call, asked: Completion) -> list[str]:
        return []

    @tool()
    def works(call: Call) -> str:
        """Works."""
        return ""
'''


def run(folder: Path, source: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Builds a module of this source, up to componentize-py."""
    name = f"m_{abs(hash((folder, source)))}"
    (folder / f"{name}.py").write_text(textwrap.dedent(source))
    monkeypatch.chdir(folder)
    return main([*(arguments or ("--describe",)), name])


def test_a_module_without_mistakes_is_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, GOOD, monkeypatch) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["tools"][0]["name"] == "works"
    assert said.err == "imported\n"


def test_a_decorator_without_settings_needs_no_parentheses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, GOOD.replace("@tool()", "@tool"), monkeypatch) == 0
    bare = json.loads(capsys.readouterr().out)
    assert run(tmp_path, GOOD, monkeypatch) == 0
    assert json.loads(capsys.readouterr().out) == bare


def test_a_definition_that_the_module_does_not_import_is_left_out_with_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other_tools.py").write_text(textwrap.dedent(GOOD))
    source = GOOD.replace("works", "more") + "\n    import other_tools\n"
    assert run(tmp_path, source, monkeypatch) == 0
    said = capsys.readouterr()
    assert [it["name"] for it in json.loads(said.out)["tools"]] == ["more"]
    assert "note: other_tools.py:8: tool `works` is left out" in said.err


MISTAKES = [
    ("@tool()\ndef a(call: Call) -> str: return ''", "tool `a`: it has no docstring"),
    ('@tool()\ndef a() -> str:\n    """A."""', "tool `a`: its first parameter is the call"),
    ('@tool()\ndef a(call) -> str:\n    """A."""', "its first parameter is the call: `call: Call`"),
    ('@tool()\nasync def a(call: Call) -> str:\n    """A."""', "write `def`"),
    ('@tool()\ndef a(call: Call, b) -> str:\n    """A."""', "tool `a`: `b`: it has no type"),
    ('@tool()\ndef a(call: Call, b: bytes) -> str:\n    """A."""', "`b`: JSON has no bytes"),
    ('@tool()\ndef a(call: Call, *b: str) -> str:\n    """A."""', "it cannot be `*` or `/`"),
    ('@tool()\ndef a(call: Call, b: "Later") -> str:\n    """A."""', "name 'Later' is not defined"),
    ('@tool()\ndef a(call: Call) -> complex:\n    """A."""', "its result: 'complex' has no JSON"),
    ('@tool(name="a b")\ndef a(call: Call) -> str:\n    """A."""', "the name is 1 to 64"),
    ('@tool(scopes="b")\ndef a(call: Call) -> str:\n    """A."""', "`scopes` is a list of texts"),
    ('@tool(scope=["b"])\ndef a(call: Call) -> str:\n    """A."""', "argument 'scope'"),
    ('@tool("b")\ndef a(call: Call) -> str:\n    """A."""', "stands over a `def`, not over 'b'"),
    (
        '@tool(scopes=["b c"])\ndef a(call: Call) -> str:\n    """A."""',
        "`scopes`: 'b c' is not visible",
    ),
    (
        '@tool(services=["é"])\ndef a(call: Call) -> str:\n    """A."""',
        "`services`: 'é' is not visible",
    ),
    ('@tool\ndef a(call: Call) -> str: return ""', "tool `a`: it has no docstring"),
    ('@tool(name="works")\ndef a(call: Call) -> str:\n    """A."""', "tool `works` is the same"),
    ('@resource("terms")\ndef a(call: Call) -> str:\n    """A."""', "expected `NAME://PATH`"),
    ('@resource("a://{b}{c}")\ndef a(call: Call) -> str:\n    """A."""', "at most one variable"),
    ('@resource("a://{b}/{b}")\ndef a(call: Call) -> str:\n    """A."""', "have the same name"),
    ('@resource("a://{b}")\ndef a(call: Call, c: str) -> str:\n    """A."""', "it takes `c`, and"),
    ('@resource("a://b", members=found)\ndef a(call: Call) -> str:\n    """A."""', "only a family"),
    (
        '@prompt(complete={"c": found})\ndef a(call: Call) -> str:\n    """A."""',
        "no `c` to complete",
    ),
    ('@prompt()\ndef a(call: Call, b: list[str]) -> str:\n    """A."""', "clients send texts"),
    ("import nothing_at_all", "No module named 'nothing_at_all'; is it installed?"),
    ("import requests", "No module named 'requests'; a component has no network: list the service"),
    ("import aiohttp.web", "No module named 'aiohttp'; a component has no network: list"),
    ("raise SystemExit(7)", "SystemExit: 7"),
    ("1 / 0", "ZeroDivisionError: division by zero"),
    ("def :", "SyntaxError"),
]


@pytest.mark.parametrize(("source", "why"), MISTAKES)
def test_a_mistake_ends_the_build_with_its_place(
    source: str,
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(tmp_path, textwrap.dedent(GOOD) + "\n" + source, monkeypatch) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert why in error
    assert error.startswith("error: m_") and ".py:1" in error, error
