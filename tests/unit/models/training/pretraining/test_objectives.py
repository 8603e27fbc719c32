"""What each objective asks, and of what: contents cannot leak, and losses are their formulas."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from models.features.tokens import FEATURES, GAP_BOUNDS_S
from models.training.batches import Pieces
from models.training.bench import made_up
from models.training.pretraining.content import VALUES, ContentDecoder, Scales
from models.training.pretraining.objectives import contrastive, masked, next_event
from models.training.pretraining.unlabelled import Unlabelled
from models.training.settings import TrainingConfig

TRAINING = TrainingConfig()
PIECES = Pieces(np.array([0, 40, 90]), np.array([10, 40, 95]), np.array([37, 60, 120]))


@pytest.fixture(scope="module")
def unlabelled() -> Unlabelled:
    dataset = made_up(8, 1)
    features = dataset.tokens.features.copy()
    buckets = [FEATURES.index(f"gap_under_{bound}s") for bound in GAP_BOUNDS_S] + [FEATURES.index("gap_longer")]
    features[:, buckets] = np.eye(7, dtype=np.float32)[np.arange(len(features)) % 7]
    first = np.flatnonzero(np.concatenate([[True], dataset.person[1:] != dataset.person[:-1]]))
    features[first[:, None], buckets] = 0
    features[:, FEATURES.index("scale_mood")] = 1
    return Unlabelled.of(replace(dataset, tokens=replace(dataset.tokens, features=features)), TRAINING)


@pytest.fixture(scope="module")
def scales(unlabelled: Unlabelled) -> Scales:
    return Scales(unlabelled.dataset.tokens, unlabelled.training)


def test_the_content_of_a_hidden_token_is_not_shown(unlabelled: Unlabelled, scales: Scales) -> None:
    batch = masked.draw(unlabelled, scales, 3, PIECES, 1)
    rows = (PIECES.start[:, None] + np.arange(batch.mask.shape[1]))[batch.hidden.numpy()]
    shown_rows = np.setdiff1d(np.arange(10, 37), rows)
    tokens, random = unlabelled.dataset.tokens, np.random.default_rng(1)

    def changed(at: np.ndarray) -> masked.MaskedBatch:
        other = tokens.take(np.arange(len(tokens)))
        other.kind[at] = (other.kind[at] - 1) % 5 + 2
        other.features[at] = random.random(other.features[at].shape)
        other.item[at] += 1
        other.time_us[at] += 1  # times stay in order: gaps are far longer
        return masked.draw(replace(unlabelled, dataset=replace(unlabelled.dataset, tokens=other)), scales, 3, PIECES, 1)

    after = changed(rows)
    assert all(torch.equal(first, second) for first, second in zip(batch.shown, after.shown, strict=True))
    assert torch.equal(batch.hidden, after.hidden)
    assert not torch.equal(batch.content[0], after.content[0])
    assert not torch.equal(batch.content[2], after.content[2])
    assert not torch.equal(batch.shown[1], changed(shown_rows).shown[1])


def test_a_hidden_time_is_that_of_the_last_token_shown_before_it(unlabelled: Unlabelled, scales: Scales) -> None:
    batch = masked.draw(unlabelled, scales, 3, PIECES, 1)
    time_us, hidden, mask = batch.shown[3].numpy(), batch.hidden.numpy(), batch.mask.numpy()
    real = unlabelled.dataset.tokens.time_us
    for piece, start in enumerate(PIECES.start):
        shown = np.flatnonzero(~hidden[piece] & mask[piece])
        for place in np.flatnonzero(mask[piece]):
            before = shown[shown <= place]
            assert time_us[piece, place] == real[start + (before[-1] if len(before) else shown[0])]


def test_another_epoch_hides_others_and_only_scored_tokens_are_predicted(
    unlabelled: Unlabelled, scales: Scales
) -> None:
    everything = Pieces(np.array([0]), np.array([0]), np.array([2_000]))
    first, other = (masked.draw(unlabelled, scales, 3, everything, epoch) for epoch in (0, 1))
    assert not torch.equal(first.hidden, other.hidden)
    assert float(first.hidden[first.mask].float().mean()) == pytest.approx(masked.SHARE, abs=0.04)
    batch = masked.draw(unlabelled, scales, 3, PIECES, 1)
    assert bool((batch.hidden & ~batch.predicted).any())
    assert not batch.predicted[0, :10].any()
    assert len(batch.content[0]) == int(batch.predicted.sum())
    again = masked.draw(unlabelled, scales, 3, PIECES.take(np.array([1])), 1)  # whoever shares the batch
    assert torch.equal(again.hidden[0, :20], batch.hidden[1, :20])


def test_the_loss_of_a_content_is_its_formula(unlabelled: Unlabelled, scales: Scales) -> None:
    rows = np.flatnonzero(unlabelled.training)[:12]
    tokens = unlabelled.dataset.tokens.take(rows)
    kind, features = torch.from_numpy(tokens.kind), torch.from_numpy(tokens.features)
    torch.manual_seed(1)
    decoder, state = ContentDecoder(8), torch.randn(12, 8)
    content = scales.content(kind, features)
    known = unlabelled.dataset.tokens.take(unlabelled.training)
    total = 0.0
    with torch.inference_mode():
        for n, k in enumerate(tokens.kind):
            own = known.features[known.kind == k][:, VALUES].astype(np.float64)
            mean, deviation = own.mean(axis=0), own.std(axis=0)
            total -= float(torch.log_softmax(decoder.kind(state[n]), dim=0)[int(k)])
            buckets = np.flatnonzero([tokens.features[n, FEATURES.index(f"gap_under_{b}s")] for b in GAP_BOUNDS_S])
            if len(buckets) or tokens.features[n, FEATURES.index("gap_longer")]:
                bucket = int(buckets[0]) if len(buckets) else len(GAP_BOUNDS_S)
                total -= float(torch.log_softmax(decoder.gap(state[n]), dim=0)[bucket])
            said = decoder.values(state[n] + decoder.told.weight[int(k)]).numpy()
            varies = deviation > 1e-3
            z = (tokens.features[n, VALUES][varies] - mean[varies]) / deviation[varies]
            total += 0.5 * float(np.mean((np.clip(z, -5, 5) - said[varies]) ** 2))
        assert float(decoder(state, *content.tensors())) == pytest.approx(total / 12, rel=1e-4)
        nothing = scales.content(kind[:0], features[:0])
        assert float(decoder(state[:0], *nothing.tensors())) == 0
    assert not content.varies[:, VALUES.index(FEATURES.index("scale_mood"))].any()
    assert not {FEATURES.index(name) for name in ("gap_log", "has_previous", "day_sin", "gap_longer")} & set(VALUES)


def test_the_next_event_is_asked_of_the_token_before_it(unlabelled: Unlabelled, scales: Scales) -> None:
    batch = next_event.draw(unlabelled, scales, PIECES, 0)
    asked = [(piece, place) for piece, place in np.argwhere(batch.asked.numpy()).tolist()]
    wanted = [
        (piece, row - int(PIECES.start[piece]))
        for piece in range(3)
        for row in range(int(PIECES.scored[piece]), int(PIECES.stop[piece]) - 1)
    ]
    assert asked == wanted
    following = [int(PIECES.start[piece]) + place + 1 for piece, place in asked]
    assert batch.content[0].tolist() == unlabelled.dataset.tokens.kind[following].tolist()


def test_the_contrastive_loss_equals_its_formula() -> None:
    random = np.random.default_rng(2)
    view, person = random.normal(size=(8, 5)), [0, 1, 1, 2]
    unit = view / np.linalg.norm(view, axis=1, keepdims=True)
    total = 0.0
    for i in range(8):
        j = (i + 4) % 8
        allowed = [k for k in range(8) if k == j or person[k % 4] != person[i % 4]]
        weights = {k: math.exp(float(unit[i] @ unit[k]) / contrastive.TEMPERATURE) for k in allowed}
        total -= math.log(weights[j] / sum(weights.values()))
    found = contrastive.nt_xent(torch.from_numpy(view), torch.tensor(person))
    assert float(found) == pytest.approx(total / 8)


def test_views_are_of_the_same_stretch_and_gaps_stay_gaps(unlabelled: Unlabelled) -> None:
    batch = contrastive.draw(unlabelled, 3, PIECES, 0)
    kind, features, _, time_us, mask = batch.shown
    assert mask.shape[0] == 6
    assert torch.equal(kind[:3], kind[3:])
    assert not torch.equal(mask[:3], mask[3:])
    lengths = PIECES.stop - PIECES.start
    for view in range(6):
        seen = np.flatnonzero(mask[view].numpy())
        assert 1 <= len(seen) < lengths[view % 3]
        assert seen[-1] < lengths[view % 3]
        step = np.diff(time_us[view, : lengths[view % 3]].numpy())
        real = np.diff(unlabelled.dataset.tokens.time_us[PIECES.start[view % 3] : PIECES.stop[view % 3]])
        assert (np.abs(np.log((step + 1) / (real + 1))) < 0.201).all()
        assert len(np.unique(step)) > 5
    first, column = FEATURES.index("has_previous"), FEATURES.index("gap_under_10s")
    gaps = features[..., column : FEATURES.index("gap_longer") + 1]
    assert torch.equal(gaps.sum(dim=-1), (features[..., first] > 0).float())
