"""What an audit finds, and where."""

from dataclasses import asdict, dataclass
from typing import Any

import polars as pl


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something lost, doubled or out of order, located.

    `service` is who is answerable for it, `count` how many records or rows, `offset` where it is, or (for what is not
    there) where it should have been: at it, or behind it. `harmless` is what readers recognise and drop.
    """

    rule: str
    service: str
    stream: str
    partition: int
    offset: int
    count: int
    detail: str
    harmless: bool = False

    def as_document(self, namespace: str) -> dict[str, Any]:
        """As JSON has it, with the name of the topic."""
        document = asdict(self)
        return {"rule": document.pop("rule"), "topic": f"calm.{namespace}.{document.pop('stream')}", **document}


def findings(rule: str, rows: pl.DataFrame, *, harmless: bool = False) -> list[Finding]:
    """A finding for each row; columns service, stream, partition, offset, count and detail."""
    return [Finding(rule=rule, harmless=harmless, **row) for row in rows.select(COLUMNS).to_dicts()]


COLUMNS = ("service", "stream", "partition", "offset", "count", "detail")
