"""The next event: what happens after each token (as language models learn: Radford et al. 2018).

From the state at token i, which sees i and what came before, the content (`content.py`) of token i + 1 is predicted:
its kind, its gap, its values. Every token is predicted from a past without holes, which is also what a score is made
of. It needs attention that does not see the future.

Shape legend: B people, T tokens.
"""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from infra.contracts.errors import BadInput
from models.attention import catalog
from models.attention.model import AttentionModel
from models.training.batches import Pieces, gather
from models.training.loop import Objective, Place
from models.training.pretraining.catalog import Pretraining
from models.training.pretraining.content import ContentDecoder, Scales
from models.training.pretraining.unlabelled import Cutting, OnEvents, Unlabelled
from models.training.settings import TrainingConfig


@dataclass(frozen=True)
class NextBatch:
    """shown: kind, features, item, time_us, mask as the model gets them; asked (B, T) bool: tokens whose next one is
    predicted; content: that of the next ones, as `Content.tensors`.
    """

    shown: tuple[Tensor, ...]
    asked: Tensor
    content: tuple[Tensor, ...]

    @property
    def mask(self) -> Tensor:
        """(B, T) bool: the real tokens."""
        return self.shown[-1]

    def inputs(self, device: torch.device) -> tuple[Tensor, ...]:
        """What `NextModel` takes."""
        return tuple(each.to(device) for each in (*self.shown, self.asked, *self.content))


class NextModel(nn.Module):
    """The trunk and the decoder."""

    def __init__(self, trunk: AttentionModel) -> None:
        super().__init__()
        self.trunk = trunk
        self.decoder = ContentDecoder(trunk.config.d_model)

    def forward(self, *inputs: Tensor) -> Tensor:
        """The mean loss of the next tokens, from `NextBatch.inputs`."""
        kind, features, item, time_us, mask, asked, *content = inputs
        state_btd = self.trunk.states(self.trunk.embed(kind, features, item), features, time_us, mask)
        loss: Tensor = self.decoder(state_btd[asked], *content)
        return loss


def draw(unlabelled: Unlabelled, scales: Scales, pieces: Pieces, _epoch: int) -> NextBatch:
    """The batch of `pieces`, the same in every epoch."""
    batch = gather(unlabelled.dataset, pieces, unlabelled.dataset.known)
    asked = torch.zeros_like(batch.mask)
    asked[:, :-1] = torch.from_numpy(batch.rows[:, :-1] >= 0) & batch.mask[:, 1:]
    after = asked.roll(1, dims=1)
    content = scales.content(batch.kind[after], batch.features[after])
    shown = (batch.kind, batch.features, batch.item, batch.time_us, batch.mask)
    return NextBatch(shown, asked, content.tensors())


def begin(
    unlabelled: Unlabelled, trunk: AttentionModel, training: TrainingConfig, place: Place
) -> tuple[nn.Module, Objective]:
    """As `catalog.Pretraining.begin`."""
    name = trunk.config.mechanism
    if not getattr(catalog.mechanism(name), "causal", True):
        raise BadInput(f"attention of mechanism '{name}' sees the next event: pretrain=masked, or another mechanism")
    cutting = Cutting(context=trunk.config.context, length=training.sequence_tokens, batch_tokens=training.batch_tokens)
    scales = Scales(unlabelled.dataset.tokens, unlabelled.training)
    return NextModel(trunk).to(place.device), OnEvents(
        unlabelled, cutting, partial(draw, unlabelled, scales), place.device
    )


OBJECTIVE = Pretraining(meaning="say what each next event will be", begin=begin)
