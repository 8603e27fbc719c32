"""Training data from somebody else's log: person, time, kind and outcome, no simulation and no lake needed."""

import hashlib

import pyarrow as pa

from infra.contracts.errors import BadInput
from models.features.outside_events import outside_ticks
from models.features.outside_log import read_rows
from models.training.dataset import Prepared, assemble
from models.training.settings import OutsideLog, TrainingRequest

_KEYS = [("person", "ascending"), ("seq", "ascending")]


def prepare_log(request: TrainingRequest, log: OutsideLog) -> Prepared:
    """The rows of a log as the data set of `assemble`; a note tells of rows that cannot be used.

    People get pseudonyms by a key that the seed of the training gives. Raises BadInput: an unreadable file, a log
    without outcomes, outcomes of one class.
    """
    if log.mapping.outcome is None:
        raise BadInput(f"{log.file}: its map names no outcome, so there is nothing to learn: add `outcome` to the map")
    good, broken = read_rows(log.file, log.mapping)
    seed = request.training.seed.to_bytes(8, "little", signed=True)
    key = hashlib.blake2b(b"calmverse train", key=seed, digest_size=32).digest()
    table = pa.Table.from_batches([tick.events for tick in outside_ticks(good, key)])
    prepared = assemble(request, table.sort_by(_KEYS).combine_chunks(), None)
    if not broken:
        return prepared
    first = f"line {broken[0].line}: {broken[0].reason}"
    note = f"{len(broken):,} of {len(good) + len(broken):,} rows cannot be used and are left out; the first is {first}"
    return Prepared(dataset=prepared.dataset, source=prepared.source, notes=(*prepared.notes, note))
