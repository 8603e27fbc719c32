"""The lake decoded once: tokens, labels and roles of every event, as flat arrays sorted by (person, seq).

Iterating a distributed data set costs several times what the training step does, so the events are decoded once and
kept as tensors; a batch is then a gather.

Shape legend: n events, H heads, F features.
"""

import hashlib
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from infra.contracts.draws import Purpose, bits
from infra.contracts.errors import BadInput
from models.attention import catalog
from models.attention.catalog import LabelSource
from models.features.tokens import Tokens, encode
from models.features.worlds import in_worlds
from models.training.labels import LabelTable, label, label_source
from models.training.lake import EVENT_COLUMNS, OUTCOME_COLUMNS, ReadFiles, read_stream
from models.training.settings import TrainingConfig, TrainingRequest
from models.training.split import Role, roles

_SKETCH = 64


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """n events as tensors.

    value (n, H) float32, known (n, H) bool: labels of `heads` as in `catalog.Labels`; role (n,): see `Role`.
    """

    heads: tuple[str, ...]
    tokens: Tokens
    person: npt.NDArray[np.uint64]
    value: npt.NDArray[np.float32]
    known: npt.NDArray[np.bool_]
    role: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.person)

    def scored(self, role: Role) -> npt.NDArray[np.bool_]:
        """(n,) the events of `role` that have any label."""
        scored: npt.NDArray[np.bool_] = (self.role == role) & self.known.any(axis=1)
        return scored

    def base_rates(self) -> npt.NDArray[np.float64]:
        """(H,) the share of ones among the training labels of each head; of two classes, else it means nothing."""
        training = self.known & (self.role == Role.TRAIN)[:, None]
        ones = np.where(training, self.value, 0).sum(axis=0, dtype=np.float64)
        return np.asarray(ones / training.sum(axis=0), dtype=np.float64)

    def class_rates(self, index: int) -> npt.NDArray[np.float64]:
        """(classes,) the frequencies of the classes among the training labels of head `index`.

        One is added to each count: a class that training never saw still has a probability above 0.
        """
        training = self.known[:, index] & (self.role == Role.TRAIN)
        classes = len(catalog.head(self.heads[index]).classes)
        counts = 1 + np.bincount(self.value[training, index].astype(np.int64), minlength=classes)
        return np.asarray(counts / counts.sum(), dtype=np.float64)

    def digest(self) -> str:
        """32 hexadecimal digits over everything that training sees: equal digests, equal data."""
        return _digest(self.heads, self.tokens, self.person, self.value, self.known, self.role)

    def people_sketch(self) -> list[int]:
        """The 64 smallest hashes of people, ascending: populations that share people share hashes (Broder 1997)."""
        hashes = bits(0, int(Purpose.SPLIT), np.unique(self.person), 2, 0) >> np.uint64(32)
        return [int(each) for each in np.sort(hashes)[:_SKETCH]]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A data set, what its labels were made of (evaluation joins the truth to it), and notes for the reader."""

    dataset: Dataset
    source: LabelSource
    notes: tuple[str, ...]


def prepare(request: TrainingRequest, read: ReadFiles) -> Prepared:
    """Read, decode, label and split the lake of `request`. Nothing of the truth is opened.

    Raises BadInput for an empty lake, an unreadable file, or labels of one class.
    """
    return assemble(request, *read_tables(request, read))


def read_tables(request: TrainingRequest, read: ReadFiles) -> tuple[pa.Table, pa.Table | None]:
    """Sorted events and outcomes of the lake of `request`, None where it has no outcomes; raises as `prepare`."""
    events = read_stream(request.lake, "events", EVENT_COLUMNS, request.ticks, read)
    if events is None:
        where = "" if request.ticks is None else f" in ticks {request.ticks.start} to {request.ticks.stop}"
        raise BadInput(f"the lake {request.lake} has no events{where}: name a finished run with --run, or a lake")
    return events, read_stream(request.lake, "outcomes", OUTCOME_COLUMNS, request.ticks, read)


def assemble(request: TrainingRequest, events: pa.Table, outcomes: pa.Table | None) -> Prepared:
    """The data set of sorted tables, as `prepare` reads them."""
    return assign(decode(request, events, outcomes), request.training)


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Tokens and labels of every event, and what the labels were made of, before anybody is given a role."""

    tokens: Tokens
    labels: LabelTable
    source: LabelSource

    def digest(self) -> str:
        """32 hexadecimal digits: equal digests, equal data, whoever trains on it and whoever is the test."""
        labels = self.labels
        return _digest(labels.heads, self.tokens, self.source.events["person"], labels.value, labels.known)


def decode(request: TrainingRequest, events: pa.Table, outcomes: pa.Table | None) -> Decoded:
    """Tokens and labels of sorted tables, as `prepare` reads them."""
    source = label_source(events, outcomes, request.training.horizon_us)
    labels = label(source, request.model.outputs)
    return Decoded(tokens=encode(events, item_buckets=request.model.item_buckets), labels=labels, source=source)


def assign(decoded: Decoded, training: TrainingConfig) -> Prepared:
    """The data set with the roles that `training` gives. Raises BadInput for training labels of one class, or none."""
    source, labels, tokens = decoded.source, decoded.labels, decoded.tokens
    role = roles(source.events["person"], source.events["occurred_at"], training)
    known = labels.known & _may_count(tokens, role, training.worlds)[:, None]
    usable, notes = _usable_heads(labels.heads, labels.value, known & (role == Role.TRAIN)[:, None])
    dataset = Dataset(
        heads=tuple(labels.heads[index] for index in usable),
        tokens=tokens,
        person=source.events["person"],
        value=labels.value[:, usable],
        known=known[:, usable],
        role=role,
    )
    return Prepared(dataset=dataset, source=source, notes=notes)


def _may_count(tokens: Tokens, role: npt.NDArray[np.int8], worlds: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """(n,) whose labels count: all, or those of `worlds` in training and validation, and all in the test."""
    if not worlds:
        return np.ones(len(tokens), dtype=np.bool_)
    counts: npt.NDArray[np.bool_] = in_worlds(tokens.features, worlds) | (role == Role.TEST)
    return counts


def _digest(heads: tuple[str, ...], tokens: Tokens, *columns: npt.NDArray[Any]) -> str:
    total = hashlib.sha256(repr(heads).encode())
    for array in (*(getattr(tokens, each.name) for each in fields(tokens)), *columns):
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()[:32]


def _usable_heads(
    heads: tuple[str, ...], value: npt.NDArray[np.float32], known: npt.NDArray[np.bool_]
) -> tuple[list[int], tuple[str, ...]]:
    """Columns of the heads that have training labels, and a note on each that has none."""
    usable: list[int] = []
    notes: list[str] = []
    for index, name in enumerate(heads):
        labels = value[known[:, index], index]
        if not len(labels):
            notes.append(f"head '{name}' is left out: this lake has no labels for it")
        elif labels.min() == labels.max():
            raise BadInput(
                f"every one of the {len(labels)} training labels of head '{name}' is {labels[0]:.0f}: "
                f"nothing can be learned; take a longer run or a larger label_share, or leave it out of outputs"
            )
        else:
            usable.append(index)
    if not usable:
        raise BadInput(
            "this lake has no labels to train any head: it needs exposures with answers, or attention checks, of some "
            "of the people that train (a larger label_share names more of them)"
        )
    return usable, tuple(notes)
