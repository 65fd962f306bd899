"""The identity of a call: the Execution Identity Envelope, one question at a time.

The records are the interface's own. Invariant: a function reads them and can show the `Envelope` to
a verifier, but no change that it makes to them changes the host's conduct.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from . import _wit
from ._outside import Outside

ActorKind = _wit.identity.ActorKind
Binding = _wit.identity.Binding
Correlation = _wit.identity.Correlation
DelegationMode = _wit.identity.DelegationMode
Executor = _wit.identity.Executor
Login = _wit.identity.Login
Principal = _wit.identity.Principal
PriorActor = _wit.identity.PriorActor


@dataclass(frozen=True, slots=True)
class Envelope:
    """The whole envelope as the host signed it: a result, or a part of one, that a verifier can
    check."""

    json: str
    """The signed JSON, character for character."""

    def __bailiwick_json__(self) -> Any:
        return json.loads(self.json)

    @staticmethod
    def __bailiwick_schema__() -> dict[str, Any]:
        parts = ("actor", "agent", "session", "authorization", "delegation", "call", "meta")
        members: dict[str, Any] = {name: {"type": "object"} for name in parts}
        about = "The Execution Identity Envelope of a call, signed by the host."
        return {
            "type": "object",
            "description": about,
            "properties": members,
            "required": list(parts),
        }


class Identity:
    """For whom a call runs. An answer never changes within a call, so the host is asked for each at
    most once, and only if the function wants it."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    @cached_property
    def actor(self) -> Principal:
        """The principal that asked: always the pair (`iss`, `sub`)."""
        return self._outside.actor()

    @cached_property
    def login(self) -> Login:
        """The actor's login: `acr` and `auth_time`, if the token has them."""
        return self._outside.authentication()

    @cached_property
    def agent(self) -> Executor:
        """The client that executes for the actor."""
        return self._outside.agent()

    @cached_property
    def session(self) -> Correlation:
        """The session of the call. For correlation only; decide nothing by it."""
        return self._outside.session()

    @cached_property
    def scopes(self) -> tuple[str, ...]:
        """The token's scopes, narrowed to what this call requires; sorted."""
        return tuple(self._outside.scopes())

    @cached_property
    def services(self) -> Mapping[str, DelegationMode]:
        """The services that this call may reach, each with the mode in which the host calls it."""
        return {service.name: service.mode for service in self._outside.services()}

    @cached_property
    def binding(self) -> Binding:
        """The values that bind the envelope: this call, its component and its arguments."""
        return self._outside.call()

    @cached_property
    def envelope(self) -> Envelope:
        """The signed envelope. It is evidence, and no credential."""
        return Envelope(self._outside.json())
