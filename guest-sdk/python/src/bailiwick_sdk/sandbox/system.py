"""The network, threads and processes: there are none."""

import builtins
import contextlib
import importlib
import os
import sys
import threading
from typing import Any

from .state import STATE, refusing

plain_compile = builtins.compile
"""The compiler for sources that are known to be right."""
NO_FILE = "\ud800"
NETWORK = 'ask a service of the operator: `call.services["orders_api"]`'
THREADS = "`call.send_all` sends several requests at once"
PROCESSES = "ask a service of the operator (`call.services`)"


def prepare() -> None:
    """Replaces what would be a trap."""
    for module, names, noun, instead in (
        (threading, ("_start_new_thread", "_start_joinable_thread"), "thread", THREADS),
        (os, STARTS, "process", PROCESSES),
    ):
        for name in names:
            # What is not there is asked for with `hasattr`, so it stays away.
            if hasattr(module, name):
                vars(module)[name] = refusing(noun, getattr(module, name), instead)
    prepare_compiler()


def prepare_compiler() -> None:
    """Replaces `compile`, which opens the file that wrong code comes from to show the line. With a
    name that no file can have it does not."""
    original = plain_compile

    def compile(source: Any, filename: Any, mode: str, *args: Any, **options: Any) -> Any:
        if not STATE.sealed or not isinstance(filename, str):
            return original(source, filename, mode, *args, **options)
        try:
            return original(source, filename + NO_FILE, mode, *args, **options)
        except SyntaxError as error:
            error.filename = filename
            raise

    builtins.compile = compile


def load() -> None:
    """Loads modules that the standard library imports only in a call, and replaces the network in
    those that are there."""
    for name in LATE:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if "zoneinfo" in sys.modules:
        importlib.import_module("importlib.resources")
    socket = sys.modules.get("socket")
    if socket is not None:
        for name in ("getaddrinfo", "create_connection", "gethostbyname", "socketpair", "socket"):
            if hasattr(socket, name):
                vars(socket)[name] = refusing("network", getattr(socket, name), NETWORK)
    uuid = sys.modules.get("uuid")
    if uuid is not None:
        # `uuid1` asks the network cards for an address, and otherwise takes a random one.
        vars(uuid)["_GETTERS"] = []


STARTS = ("fork", "forkpty", "posix_spawn", "system", "execv", "execve", "popen", "kill")
LATE = (
    "_colorize",
    "encodings.ascii",
    "encodings.idna",
    "encodings.latin_1",
    "encodings.punycode",
    "encodings.utf_8_sig",
    "linecache",
    "locale",
    "stringprep",
    "tokenize",
    "traceback",
    "unicodedata",
    "uuid",
    "warnings",
)
