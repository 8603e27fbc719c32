"""Orders to people: what can be carried out is put on the person, what cannot is counted with its reason."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.commands import Practice
from infra.contracts.identity import Pseudonyms

EXPIRED: Final = "expired"
UNKNOWN_PERSON: Final = "unknown person"
UNKNOWN_PRACTICE: Final = "unknown practice"
NOT_AVAILABLE: Final = "not available"
_LONGEST = 60
_PRACTICES: Final = frozenset(Practice)


@dataclass(frozen=True, slots=True)
class Order:
    """One order: internal number of the person, practice, whole minutes, and the command's 64 bits, signed."""

    number: int
    practice: int
    minutes: int
    command: int
    expires_at: int


Recipient = Any
"""A person with the attributes of `core.person.Person`: an agent of the reference, or a view into the array."""


def orders(commands: pa.RecordBatch, pseudonyms: Pseudonyms) -> Iterator[Order]:
    """The orders of COMMAND rows, in the order given. Few rows: a row at a time is fine here."""
    numbers = pseudonyms.decode(commands.column("person").to_numpy())
    columns = [commands.column(name).to_numpy() for name in ("practice", "minutes", "command_id", "expires_at")]
    for number, practice, minutes, command, expires_at in zip(numbers, *columns, strict=True):
        yield Order(
            int(number),
            int(practice),
            int(min(max(round(float(minutes)), 1), _LONGEST)),
            int(np.uint64(command).astype(np.int64)),
            int(expires_at),
        )


def carry_out(
    orders_given: Iterator[Order], now_us: int, find: Callable[[int], Recipient | None]
) -> tuple[NDArray[np.uint64], Counter[str]]:
    """Put each order on the person that `find` gives for its number.

    Returns the ids of the commands that took effect, uint64 in the order given, and how many did not, by reason.
    """
    applied: list[int] = []
    refused: Counter[str] = Counter()
    for order in orders_given:
        person = find(order.number)
        reason = _refusal(order, person, now_us)
        if reason is not None:
            refused[reason] += 1
            continue
        assert person is not None  # noqa: S101  an order without a person has been refused above
        person.offer = order.practice
        person.offer_minutes = order.minutes
        person.command = order.command
        applied.append(order.command)
    return np.array(applied, np.int64).view(np.uint64), refused


def _refusal(order: Order, person: Recipient | None, now_us: int) -> str | None:
    if person is None:
        return UNKNOWN_PERSON
    if order.practice == Practice.NONE or order.practice not in _PRACTICES:
        return UNKNOWN_PRACTICE
    if now_us > order.expires_at:
        return EXPIRED
    if person.world == 0 or person.practice > 0 or person.offer > 0:
        return NOT_AVAILABLE
    return None
