"""Rules of the joint loss: the cross-entropy of every head, weighted, written out by hand."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.attention import catalog
from models.training.losses import JointLoss, mean_log_losses

HEADS = ("interaction", "emotion", "lapse", "next_kind")
WIDTH = sum(catalog.head(name).width for name in HEADS)


def made(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Logits (2, 5, C), values and counts (2, 5, H) of labels of two and of several classes."""
    random = torch.Generator().manual_seed(seed)
    value = torch.stack(
        [torch.randint(0, len(catalog.head(name).classes), (2, 5), generator=random).float() for name in HEADS], dim=2
    )
    counts = (torch.rand(2, 5, len(HEADS), generator=random) < 0.7).float()
    return torch.randn(2, 5, WIDTH, generator=random), value, counts


def by_hand(logits: Tensor, label: float) -> float:
    """-log of the probability of a label, from one logit or from one a class."""
    if len(logits) == 1:
        return math.log(1 + math.exp(-float(logits[0]) if label else float(logits[0])))
    return math.log(sum(math.exp(float(each)) for each in logits)) - float(logits[int(label)])


def losses_by_hand() -> list[list[float]]:
    """For each head the losses of its counted labels in `made()`."""
    logits, value, counts = made()
    columns = catalog.columns(HEADS)
    return [
        [
            by_hand(logits[b, t, columns[name]], float(value[b, t, h]))
            for b in range(2)
            for t in range(5)
            if counts[b, t, h]
        ]
        for h, name in enumerate(HEADS)
    ]


def test_columns_lie_side_by_side_in_the_order_of_the_heads() -> None:
    columns = catalog.columns(HEADS)
    assert list(columns) == list(HEADS)
    assert (columns["interaction"], columns["emotion"], columns["lapse"]) == (slice(0, 1), slice(1, 5), slice(5, 6))
    assert columns["next_kind"] == slice(6, WIDTH)


@pytest.mark.parametrize("weights", [[1, 1, 1, 1], [2, 1, 0.5, 0.5]])
def test_the_loss_is_the_weighted_mean_over_heads_of_cross_entropies_a_label(weights: list[float]) -> None:
    labels_a_batch = torch.tensor([3.0, 4.0, 5.0, 6.0])
    loss = JointLoss(HEADS, np.array(weights), labels_a_batch)(*made())
    sums = [sum(losses) for losses in losses_by_hand()]
    expected = np.mean([w * s / n for w, s, n in zip(weights, sums, labels_a_batch.tolist(), strict=True)])
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


def expected_with_smoothing(smoothing: float) -> Tensor:
    """The mean over heads of summed cross-entropies with soft labels: 1 - s for the label and s / K for every class."""
    logits, value, counts = made()
    sums = []
    for index, name in enumerate(HEADS):
        own = logits[:, :, catalog.columns(HEADS)[name]].double()
        whole = torch.cat([torch.zeros_like(own), own], dim=2) if own.shape[2] == 1 else own
        classes = whole.shape[2]
        target = functional.one_hot(value[:, :, index].long(), classes) * (1 - smoothing) + smoothing / classes
        sums.append((-(target * whole.log_softmax(dim=2)).sum(dim=2) * counts[:, :, index]).sum())
    return torch.stack(sums).mean()


def test_smoothing_spreads_its_share_of_a_label_over_all_classes() -> None:
    smooth = JointLoss(HEADS, np.ones(4), torch.ones(4), smoothing=0.2)(*made())
    assert float(smooth) == pytest.approx(float(expected_with_smoothing(0.2)), rel=1e-5)
    assert float(smooth) != pytest.approx(float(expected_with_smoothing(0.0)), rel=1e-3)


def test_without_smoothing_the_loss_is_to_the_bit_that_of_hard_labels() -> None:
    logits, value, counts = made()
    columns = catalog.columns(HEADS)
    binary = [columns["interaction"].start, columns["lapse"].start]
    hard = functional.binary_cross_entropy_with_logits(
        logits[:, :, binary], value[:, :, [0, 2]], weight=counts[:, :, [0, 2]], reduction="none"
    ).sum(dim=(0, 1))
    others = [
        functional.cross_entropy(
            logits[counts[:, :, index] > 0][:, columns[name]],
            value[:, :, index][counts[:, :, index] > 0].long(),
            reduction="sum",
        )
        for index, name in ((1, "emotion"), (3, "next_kind"))
    ]
    expected = torch.stack([hard[0], others[0], hard[1], others[1]]).mean()
    assert torch.equal(JointLoss(HEADS, np.ones(4), torch.ones(4))(logits, value, counts), expected)


def test_each_head_draws_on_its_own_columns_alone() -> None:
    logits, value, counts = made()
    logits.requires_grad_()
    counts[:, :, [0, 2, 3]] = 0
    (gradient,) = torch.autograd.grad(JointLoss(HEADS, np.ones(4), torch.ones(4))(logits, value, counts), logits)
    own = catalog.columns(HEADS)["emotion"]
    assert gradient[..., own].abs().sum() > 0
    assert gradient[..., : own.start].abs().sum() + gradient[..., own.stop :].abs().sum() == 0


def test_a_batch_without_labels_has_no_loss() -> None:
    logits, value, counts = made()
    assert float(JointLoss(HEADS, np.ones(4), torch.ones(4))(logits, value, counts * 0)) == 0


def test_mean_log_losses_are_those_of_the_counted_labels() -> None:
    logits, value, counts = (array.flatten(0, 1).numpy() for array in made())
    got = mean_log_losses(HEADS, logits, value, counts > 0)
    np.testing.assert_allclose(got, [np.mean(losses) for losses in losses_by_hand()], rtol=1e-5)


def test_a_head_without_counted_labels_has_no_mean() -> None:
    logits, value, counts = (array.flatten(0, 1).numpy() for array in made())
    none: NDArray[np.bool_] = (counts > 0) & np.array([False, False, True, True])
    assert np.isnan(mean_log_losses(HEADS, logits, value, none)).tolist() == [True, True, False, False]
