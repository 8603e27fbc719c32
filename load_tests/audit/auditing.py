"""The audit of a run: all findings, and the counts that they belong to."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from infra.contracts.kinds import EventKind
from load_tests.audit.accounts import audit_records
from load_tests.audit.evidence import Evidence
from load_tests.audit.finding import Finding
from load_tests.audit.sequences import audit_rows


@dataclass(frozen=True)
class Verdict:
    """What an audit says. It is clean where nothing was found but what readers recognise and drop."""

    findings: list[Finding]
    counts: dict[str, int]

    @property
    def clean(self) -> bool:
        """Nothing lost, doubled or out of order."""
        return all(found.harmless for found in self.findings)

    def as_document(self, namespace: str) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "clean": self.clean,
            **self.counts,
            "findings": [found.as_document(namespace) for found in self.findings],
        }


def audit(evidence: Evidence) -> Verdict:
    """Every rule on all there is. Linear in records and rows, but for sorting."""
    found = [*audit_records(evidence), *audit_rows(evidence)]
    found.sort(key=lambda each: (each.harmless, each.stream, each.partition, each.offset, each.rule))
    return Verdict(found, _counts(evidence))


def _counts(evidence: Evidence) -> dict[str, int]:
    events, orders = evidence.of("events"), evidence.of("interventions")
    shown = events.filter((pl.col("what") == EventKind.OFFER_SHOWN) & (pl.col("ref") > 0))
    counts = {
        "emitted": len(events),
        "scored": evidence.of("scores")["ref"].n_unique(),
        "decided": len(evidence.of("decisions")),
        "ordered": len(orders),
        "applied": shown["ref"].n_unique(),
    }
    if evidence.records.is_empty():  # a lake does not tell of the rest
        return counts
    return counts | {
        "records": len(evidence.records),
        "archived": sum(len(rows) for rows in evidence.archived.values()),
        "dead_letters": evidence.letters.unique().height,
        "repeated": int(evidence.records["repeat"].sum()),
    }
