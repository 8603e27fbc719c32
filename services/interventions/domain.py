"""Which policy holds at which tick, and who may see whose decisions. No I/O."""

import hashlib
import secrets
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

FIRST_TICK = -1
"""Stands for "from the beginning" in a timeline."""


@dataclass(frozen=True, kw_only=True)
class PolicyChange:
    """From this tick on this policy holds. A policy is exchanged at a tick boundary, never within a tick."""

    from_tick: int
    name: str
    parameters: Mapping[str, Any]


def policy_at(timeline: Sequence[PolicyChange], tick: int) -> PolicyChange:
    """The change that holds at a tick; `timeline` is ascending by `from_tick` and not empty.

    A tick that is worked on again after a restart finds the policy that it had the first time.
    """
    index = bisect_right([change.from_tick for change in timeline], tick)
    return timeline[max(index - 1, 0)]


class Access(Enum):
    """The answer to "may the bearer of this token see this person's record"."""

    GRANTED = "granted"
    UNKNOWN = "unknown"  # no token, or none of ours
    OTHER_PERSON = "other person"  # a good token, of somebody else


def person_token(secret: str, person: int) -> str:
    """The token that opens one person's record and nothing else: the pseudonym and its keyed BLAKE2b hash."""
    key = hashlib.blake2b(secret.encode()).digest()
    mark = hashlib.blake2b(str(person).encode(), key=key, digest_size=16).hexdigest()
    return f"{person}.{mark}"


def access(secret: str | None, token: str | None, person: int) -> Access:
    """Whether a bearer may see a person's record: the service's token opens everybody's, a person's token their own.

    Without a secret everybody may: the service then listens to this machine only.
    """
    if secret is None:
        return Access.GRANTED
    given = (token or "").encode()
    if secrets.compare_digest(given, secret.encode()):
        return Access.GRANTED
    owner, _, _ = (token or "").partition(".")
    if not owner.isdigit() or not secrets.compare_digest(given, person_token(secret, int(owner)).encode()):
        return Access.UNKNOWN
    return Access.GRANTED if int(owner) == person else Access.OTHER_PERSON
