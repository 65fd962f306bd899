"""A component's beginning, with the interpreter of the tests in place of the one in WebAssembly.

A stub of `wit_world` plays the host. What only the engine can show (that nothing reaches a trap) is
shown by the stories.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bailiwick_sdk

PACKAGE = Path(bailiwick_sdk.__file__).parent

HOST = {
    "imports/clock.py": "def now():\n    return 1_763_712_000_000\n",
    "imports/random.py": "import itertools\n_drawn = itertools.count(1)\n"
    "def bytes(len):\n    return next(_drawn).to_bytes(1) * len\n",
    "imports/log.py": "import os as _os\n_write = _os.write\n"
    "def write(level, message):\n    _write(1, f'{level.name} {message}\\n'.encode())\n",
}

TOOLS = '''
import asyncio, datetime, json, logging, os, pathlib, random, secrets, socket, subprocess, sys
import tempfile, threading, time, uuid, warnings
from bailiwick_sdk import Call, tool

OWN, CHOSEN, BUILT = random.Random(), random.Random(7), time.time()
FIRST = CHOSEN.random()

@tool()
def look(call: Call, what: str) -> str:
    """Evaluates."""
    return repr(eval(what, globals() | {"call": call}))
'''

RUN = """
from bailiwick_sdk import _entry, _wit
import json, sys
asked = json.loads(sys.argv[1])
tools = _entry.load("tools_here")["Tools"]()
for what in asked:
    try:
        context = _wit.types.Context(json.dumps({"what": what}), [], None)
        print("->", tools.call("look", context).value.content[0].value.text)
    except _wit.Err as error:
        print("->", error.value.value)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder with a stub of the host and a module of tools."""
    folder = tmp_path_factory.mktemp("component")
    shutil.copytree(PACKAGE / "_bindings", folder / "wit_world")
    for file in (folder / "wit_world").rglob("*.py"):
        file.write_text(file.read_text().replace("..._result", "componentize_py_types"))
    shutil.copy(PACKAGE / "_result.py", folder / "componentize_py_types.py")
    for name, functions in HOST.items():
        module = folder / "wit_world" / name
        module.write_text(f"{module.read_text()}\n{functions}")
    (folder / "tools_here.py").write_text(TOOLS)
    return folder


def look(folder: Path, *asked: str) -> list[list[str]]:
    """Evaluates each in a call; returns the lines of the log for each, the last with its result."""
    path = os.pathsep.join((str(folder), str(PACKAGE.parent)))
    command = [sys.executable, "-c", RUN, json.dumps(asked)]
    done = subprocess.run(command, env={"PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    calls: list[list[str]] = [[]]
    for line in done.stdout.splitlines():
        calls[-1].append(line.removeprefix("INFO -> "))
        if line.startswith("INFO -> "):
            calls.append([])
    return calls[:-1]


def test_pythons_own_modules_ask_the_host(folder: Path) -> None:
    expected = {
        "time.time()": "1763712000.0",
        "time.monotonic_ns()": "1763712000000000000",
        "time.strftime('%Y-%m-%d')": "'2025-11-21'",
        "datetime.datetime.now(datetime.timezone.utc).hour": "8",
        "datetime.date.today().isoformat()": "'2025-11-21'",
        "datetime.datetime.strptime('2026', '%Y').year": "2026",
        "call.now() == datetime.datetime.now(datetime.timezone.utc)": "True",
        "BUILT > 1764000000": "True",
        "len({os.urandom(8), secrets.token_bytes(8), uuid.uuid4().bytes})": "3",
        "FIRST == random.Random(7).random()": "True",
        "os.path.exists('/'), pathlib.Path('/').is_dir()": "(False, False)",
        "os.environ.get('HOME')": "None",
    }
    assert dict(zip(expected, look(folder, *expected), strict=True)) == {
        what: [seen] for what, seen in expected.items()
    }


def test_what_a_component_lacks_is_an_error_that_says_what_to_use(folder: Path) -> None:
    expected = {
        "open('x')": "there is no file system in a component: read it at the top",
        "pathlib.Path('x').read_text()": "no file system",
        "os.listdir('/')": "no file system",
        "socket.create_connection(('a', 1))": "call.services",
        "socket.socket()": "no network",
        "threading.Thread(target=print).start()": "no thread in a component: `call.send_all`",
        "os.fork()": "no process",
        "time.sleep(1)": "no sleep",
        "input()": "ask the user with `Questions`",
        "__import__('csv')": "`csv` is not in the component: import it at the top",
        "tempfile.mkstemp()": "No usable temporary directory",
    }
    for lines, (what, words) in zip(look(folder, *expected), expected.items(), strict=True):
        first, *places, last = lines
        assert first.startswith("ERROR ") and words in first, what
        assert any("tools_here.py:" in it and " in look: return repr(" in it for it in places)
        assert "the tool failed" in last


def test_each_call_has_random_numbers_of_its_own_unless_a_seed_was_chosen(folder: Path) -> None:
    numbers = look(folder, *["random.random()", "OWN.random()", "random.Random().random()"] * 2)
    assert len({str(number) for number in numbers}) == 6
    assert look(folder, "CHOSEN.random()") == look(folder, "CHOSEN.random()")


def test_output_is_lines_of_the_log(folder: Path) -> None:
    calls = look(
        folder,
        "print('one', end=' '), print('line')",
        "print('begun', end='')",
        "logging.info('it %s', 'is')",
        "logging.debug('left out')",
        "logging.getLogger('a.b').warning('two\\nlines')",
        "sys.stderr.write('careful\\n')",
    )
    assert [lines[:-1] for lines in calls] == [
        ["INFO one line"],
        ["INFO begun"],
        ["INFO it is"],
        [],
        ["WARN two", "WARN lines"],
        ["WARN careful"],
    ]
