"""Values as JSON."""

import dataclasses
import datetime
import json
import uuid
from enum import Enum
from typing import Any


def dumps(value: Any) -> str:
    """Returns a value as JSON: dataclasses, TypedDicts, enums, dates and what consists of them."""
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if hasattr(value, "__bailiwick_json__"):
        return value.__bailiwick_json__()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON")
