"""Rules of pieces and batches: every scored row once, with its context; the order a function of (seed, epoch)."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.features.tokens import FEATURE_COUNT, Tokens
from models.training.batches import Pieces, cut, gather, plan
from models.training.dataset import Dataset

LENGTHS = st.lists(st.integers(1, 90), min_size=1, max_size=8)


def dataset(lengths: list[int]) -> Dataset:
    rows = sum(lengths)
    return Dataset(
        heads=("interaction",),
        tokens=Tokens(
            kind=np.arange(rows).astype(np.int16),
            time_us=np.arange(rows),
            features=np.ones((rows, FEATURE_COUNT), dtype=np.float32),
            item=np.zeros(rows, dtype=np.int32),
        ),
        person=np.repeat(np.arange(1, len(lengths) + 1, dtype=np.uint64), lengths),
        value=np.ones((rows, 1), dtype=np.float32),
        known=np.ones((rows, 1), dtype=np.bool_),
        role=np.ones(rows, dtype=np.int8),
    )


@given(LENGTHS, st.integers(1, 12), st.integers(1, 40), st.integers(0, 99))
def test_every_scored_row_is_in_one_piece_with_all_of_its_context(
    lengths: list[int], context: int, length: int, seed: int
) -> None:
    data = dataset(lengths)
    scored = np.random.default_rng(seed).random(len(data)) < 0.4
    pieces = cut(data.person, scored, context, length)
    times = np.zeros(len(data), dtype=int)
    begin = {person: int(np.argmax(data.person == person)) for person in np.unique(data.person)}
    for start, first, stop in zip(pieces.start, pieces.scored, pieces.stop, strict=True):
        assert len(set(data.person[start:stop])) == 1
        assert stop - start <= max(length, 2 * context)
        assert start == max(begin[data.person[start]], first - (context - 1))
        assert scored[first:stop].any()
        times[first:stop] += 1
    assert (times[scored] == 1).all()


def test_nothing_scored_gives_no_pieces() -> None:
    data = dataset([5])
    assert len(cut(data.person, np.zeros(5, dtype=np.bool_), 3, 10)) == 0


def many(lengths: list[int]) -> Pieces:
    ends = np.cumsum(lengths, dtype=np.int64)
    starts = ends - np.array(lengths, dtype=np.int64)
    return Pieces(starts, starts, ends)


@given(LENGTHS, st.integers(16, 400), st.integers(0, 9), st.integers(0, 9))
def test_a_plan_holds_each_piece_once_within_the_budget(lengths: list[int], budget: int, seed: int, epoch: int) -> None:
    planned = plan(many(lengths), budget, (seed, epoch))
    assert sorted(np.concatenate(planned).tolist()) == list(range(len(lengths)))
    for which in planned:
        width = -(-max(lengths[index] for index in which) // 16) * 16
        assert len(which) == 1 or width * len(which) <= budget


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    pieces = many([3 + index % 40 for index in range(300)])

    def order(seed: int, epoch: int) -> list[list[int]]:
        return [which.tolist() for which in plan(pieces, 256, (seed, epoch))]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


@given(LENGTHS, st.integers(16, 400), st.integers(0, 9), st.integers(1, 4))
def test_what_workers_take_together_is_of_neighbouring_lengths(
    lengths: list[int], budget: int, epoch: int, workers: int
) -> None:
    pieces = many(lengths * 3)
    planned = plan(pieces, budget, (1, epoch), workers)
    assert sorted(np.concatenate(planned).tolist()) == list(range(len(pieces)))
    width = -(-(pieces.stop - pieces.start) // 16) * 16
    widest = [int(width[which].max()) for which in planned]
    for step in range(len(planned) // workers):
        mine = sorted(widest[step * workers : (step + 1) * workers])
        assert all(each in mine for each in widest if mine[0] < each < mine[-1])


def test_one_worker_takes_the_batches_in_the_order_they_always_had() -> None:
    pieces = many([3 + index % 40 for index in range(300)])
    alone = [which.tolist() for which in plan(pieces, 256, (1, 2))]
    assert [which.tolist() for which in plan(pieces, 256, (1, 2), 1)] == alone
    assert [which.tolist() for which in plan(pieces, 256, (1, 2), 2)] != alone


def test_a_batch_pads_on_the_right_and_counts_only_what_is_scored() -> None:
    data = dataset([10, 4])
    pieces = Pieces(np.array([0, 10]), np.array([6, 10]), np.array([10, 14]))
    counted = data.known.copy()
    counted[7] = False
    batch = gather(data, pieces, counted)
    assert batch.kind.shape == (2, 16)
    assert batch.kind[1].tolist() == [10, 11, 12, 13] + [0] * 12
    assert batch.mask.sum(dim=1).tolist() == [10, 4]
    assert batch.counts[0, :, 0].tolist() == [0] * 6 + [1, 0, 1, 1] + [0] * 6
    assert batch.rows[0].tolist() == [-1] * 6 + [6, 7, 8, 9] + [-1] * 6
