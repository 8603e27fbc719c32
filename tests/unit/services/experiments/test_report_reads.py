"""The report reads what the archiver and the tracer really write."""

from pathlib import Path

import pyarrow as pa

from infra.contracts.events import EVENT
from infra.contracts.frames import Frame
from infra.contracts.kinds import EventKind
from infra.contracts.worlds import World
from infra.storage.lake import LakeWriter
from services.experiments.pages_facts import read_run
from services.experiments.report import build_report
from tests.support.batches import random_batch
from tests.unit.services.experiments.run_folder import FIRST_TICK, partial_summary, write_run


def _events(rows: int, world: World, kind: EventKind) -> pa.RecordBatch:
    batch = random_batch(EVENT, rows)
    for name, value in (("world", world), ("kind", kind)):
        place = batch.schema.get_field_index(name)
        batch = batch.set_column(place, batch.schema.field(name), pa.array([int(value)] * rows, batch[name].type))
    return batch


def test_events_are_counted_by_world_and_kind_in_the_ticks_of_the_run_only(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", partial_summary(), ticks=10)
    writer = LakeWriter(run / "lake", "events", 0)
    frames = [
        (FIRST_TICK - 5, 40, World.GAMING, EventKind.MATCH_PLAYED),  # the warm-up
        (FIRST_TICK + 1, 7, World.SOCIAL, EventKind.POST_PUBLISHED),
        (FIRST_TICK + 2, 3, World.WORK, EventKind.ERROR_MADE),
    ]
    for offset, (tick, rows, world, kind) in enumerate(frames):
        frame = Frame(stream="events", tick=tick, source="test", batch=_events(rows, world, kind), lineage=())
        writer.append(frame, offset)
    writer.flush()
    kinds = read_run(run).kinds
    assert kinds is not None
    assert kinds.rows() == [("social", "PostPublished", 7), ("work", "ErrorMade", 3)]
    assert "post published" in build_report(run).read_text(encoding="utf-8")
