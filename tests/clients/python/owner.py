"""Runs the check of `service.py` on known answers, as a service would.

`python owner.py FOLDER` prints, for each transaction token of the folder, who asks or why it is refused, as one JSON
object.
"""

import json
import sys
from pathlib import Path

from joserfc.jwk import KeySet

sys.dont_write_bytecode = True
from service import who_asks  # noqa: E402


def verdict(vector):
    keys = KeySet.import_key_set(vector["jwks"])
    try:
        asks = who_asks(vector["input"], keys, vector["trust_domain"], vector["service"], vector["now"])
    except Exception as error:  # whatever a library raises is a refusal
        return f"refused: {type(error).__name__}: {error}"
    return f"{asks['user'][1]} by {asks['agent']}"


def main(folder):
    vectors = Path(folder).glob("transaction*.json")
    print(json.dumps({path.name: verdict(json.loads(path.read_text())) for path in vectors}))


main(*sys.argv[1:])
