"""The two ends of a function of the interface, as componentize-py has them."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
E = TypeVar("E")


@dataclass
class Ok(Generic[T]):
    """A value."""

    value: T


@dataclass(frozen=True)
class Err(Exception, Generic[E]):
    """A failure, which is raised."""

    value: E


Result = Ok[T] | Err[E]
