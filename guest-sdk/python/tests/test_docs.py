"""The code in docs/python.md runs as it is written."""

import re
import sys
from pathlib import Path
from types import ModuleType

DOCUMENT = Path(__file__).parents[3] / "docs/python.md"


def test_the_documented_code_runs() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) > 4
    module = ModuleType("documented")
    sys.modules["documented"] = module
    for block in blocks:
        exec(compile(block, DOCUMENT, "exec"), vars(module))
    tests = [value for name, value in vars(module).items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test()
