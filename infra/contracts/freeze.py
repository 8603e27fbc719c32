"""The frozen form of the contracts: what a reader of yesterday's frames relies on.

`python -m infra.contracts.freeze` writes infra/contracts/schemas/ anew; a test compares them with the code, so that
every change of the wire shows up in a diff.

Which change is compatible: a frame carries no schema, so the values of a record, their order and their types are
fixed for a version; a change of them is a new version of the record. New event kinds, new enum members and better
descriptions need no new version; codes and names that exist are never changed or reused.
"""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from infra.contracts.fields import Record
from infra.contracts.kinds import KINDS
from infra.contracts.metrics import METRICS
from infra.contracts.records import RECORDS
from infra.contracts.topics import PARTITIONS, Topics

SCHEMAS = Path(__file__).parent / "schemas"


def frozen_documents() -> dict[str, Any]:
    """Every frozen document by file name: one JSON Schema and one Arrow layout a record, the kinds, topics, metrics."""
    documents: dict[str, Any] = {}
    for record in RECORDS.values():
        documents[f"{record.name}.v{record.version}.schema.json"] = record.json_schema()
        documents[f"{record.name}.v{record.version}.arrow.json"] = arrow_layout(record)
    documents["kinds.json"] = {
        spec.name: {
            "code": int(kind),
            "family": spec.family,
            "world": spec.world.label if spec.world else None,
            "role": str(spec.role),
        }
        for kind, spec in KINDS.items()
    }
    documents["topics.json"] = {"partitions": PARTITIONS, "topics": list(Topics("ns").all())}
    documents["metrics.json"] = {m.name: {"unit": m.unit, "better": m.better} for m in METRICS.values()}
    return documents


def arrow_layout(record: Record) -> list[dict[str, Any]]:
    """The wire layout of a record: names, types and nullability, in order."""
    return [_layout(field) for field in record.arrow]


def incompatible_changes(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[str]:
    """What stops a reader of the old layout from reading the new one under the same version; empty: nothing."""
    problems = [f"{a['name']}: {a} became {b}" for a, b in zip(old, new, strict=False) if a != b]
    if len(old) != len(new):
        problems.append(f"{len(old)} values became {len(new)}: a change of the values needs a new version")
    return problems


def _layout(field: pa.Field) -> dict[str, Any]:
    layout: dict[str, Any] = {"name": field.name, "type": str(field.type), "nullable": field.nullable}
    if pa.types.is_struct(field.type):
        layout |= {"type": "struct", "fields": [_layout(child) for child in field.type]}
    return layout


def main() -> None:
    """Write the frozen documents."""
    SCHEMAS.mkdir(exist_ok=True)
    for name, document in frozen_documents().items():
        (SCHEMAS / name).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
