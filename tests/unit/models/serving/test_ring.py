"""The ring and the assembly of padded rows, against plain lists."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.contracts.errors import BadInput
from models.features.tokens import FEATURE_COUNT, NO_TIME, Tokens
from models.serving.assembly import Assembly
from models.serving.ring import TokenRing
from models.serving.shapes import Shapes

CONTEXT = 5
SHAPES = Shapes(context=CONTEXT, rows=4, steps=(1, 3))

ticks = st.lists(st.dictionaries(st.integers(0, 6), st.integers(1, 9), max_size=5), min_size=1, max_size=6)


def tokens_of(times: list[int]) -> Tokens:
    values = np.array(times, dtype=np.int64)
    features = np.repeat(values[:, None], FEATURE_COUNT, axis=1).astype(np.float32)
    return Tokens((values % 100).astype(np.int16), values, features, values.astype(np.int32))


@settings(deadline=None, max_examples=150)
@given(ticks)
def test_each_new_token_sees_exactly_the_persons_last_tokens(history: list[dict[int, int]]) -> None:
    past: dict[int, list[int]] = {person: [] for person in range(7)}
    ring, clock = TokenRing(CONTEXT), 1
    for counts in history:
        persons = np.repeat(np.array(sorted(counts), dtype=np.uint64), [counts[one] for one in sorted(counts)])
        times = list(range(clock, clock + len(persons)))
        clock += len(persons)
        rows, tokens = ring.people.enroll(persons), tokens_of(times)
        last = [past[int(person)][-1] if past[int(person)] else NO_TIME for person in persons]
        assert ring.last_time_us(rows).tolist() == last
        assembly = Assembly(SHAPES, rows)
        answers = []
        for batch in assembly.batches(ring, tokens):
            assert len(batch.kind) % SHAPES.rows == 0
            assert not batch.time_us[~batch.mask].any()
            # The "model": the sum of the last CONTEXT times up to each of the scored tokens.
            sums = np.stack([batch.time_us[:, at : at + CONTEXT].sum(axis=1) for at in range(batch.step)], axis=1)
            answers.append(sums[..., None].astype(np.float32))
            assert np.array_equal(batch.features[..., 0], batch.time_us)
        found = assembly.collect(answers, 1)[:, 0]
        for person, time, total in zip(persons, times, found, strict=True):
            past[int(person)].append(time)
            assert sum(past[int(person)][-CONTEXT:]) == total
        ring.push(rows, tokens)


def test_shapes_refuse_what_cannot_be_a_shape() -> None:
    for wrong in (
        {"context": 0},
        {"context": 3, "rows": 0},
        {"context": 3, "steps": (4, 2)},
        {"context": 3, "steps": ()},
    ):
        with pytest.raises(BadInput, match="shapes"):
            Shapes(**wrong)
