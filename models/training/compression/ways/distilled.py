"""Distillation (Hinton, Vinyals & Dean 2015): a smaller model learns what the model says, beside what the labels say,

    loss = α T² H(σ(z / T), σ(y / T)) + (1 - α) H(label, σ(y)),

z the logits of the model, y those of the student, H the cross-entropy, T the temperature. The model speaks on every
event of a training person whose kind has labels of the head, labelled or not; so the student has far more to learn from
than the labels. It is otherwise trained by the loop, on the same batches, and validated on labels.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812  the name everybody reads
from torch import Tensor, nn

from infra.contracts.errors import BadInput
from models.attention.checkpoint import Weights, weights_of
from models.attention.model import AttentionConfig, AttentionModel
from models.attention.outputs import Outputs
from models.training.batches import Batch, cut
from models.training.compression.catalog import Material, Packed, Way
from models.training.compression.linear import plain_model
from models.training.dataset import Dataset
from models.training.loop import Labelled, Place, fit_objective, predict
from models.training.settings import Progress
from models.training.split import Role


@dataclass(frozen=True, kw_only=True)
class DistilledSettings:
    """temperature: T. soft: α. width: d_model of the student over that of the model. depth: layers of the student."""

    temperature: float = 2.0
    soft: float = 0.7
    width: float = 0.5
    depth: int = 1

    def __post_init__(self) -> None:
        if self.temperature <= 0 or not 0 <= self.soft <= 1:
            raise BadInput(f"temperature={self.temperature} must be above 0, soft={self.soft} from 0 to 1")
        if not 0 < self.width <= 1 or self.depth < 1:
            raise BadInput(f"width={self.width} must be above 0 and at most 1, depth={self.depth} at least 1")


def student_config(config: AttentionConfig, heads: tuple[str, ...], settings: DistilledSettings) -> AttentionConfig:
    """A smaller model of the same mechanism, window and tokens, for `heads`; its width is a multiple of its heads."""
    each = max(1, round(settings.width * config.d_model / config.heads))
    hidden = max(1, round(settings.width * config.hidden))
    layers = min(settings.depth, config.layers)
    return replace(config, outputs=heads, d_model=each * config.heads, hidden=hidden, layers=layers)


def teacher_logits(teacher: AttentionModel, dataset: Dataset, sequence_tokens: int, batch_tokens: int) -> Any:  # noqa: ANN401  an array
    """(n, H) float32 logits of the teacher where its answer is learned from, NaN elsewhere: events of training, of a
    kind that has training labels of the head.
    """
    training = dataset.role == Role.TRAIN
    pieces = cut(dataset.person, training, teacher.config.context, sequence_tokens)
    logits = predict(Outputs(teacher, dataset.heads), dataset, pieces, batch_tokens)
    for index in range(len(dataset.heads)):
        kinds = np.unique(dataset.tokens.kind[training & dataset.known[:, index]])
        logits[~(training & np.isin(dataset.tokens.kind, kinds)), index] = np.nan
    return logits


@dataclass(frozen=True)
class _SoftBatch:
    """A batch, and what the teacher says of its tokens: (B, T, H), NaN where it is not asked."""

    labelled: Batch
    teacher: Tensor

    @property
    def mask(self) -> Tensor:
        """(B, T) of real tokens."""
        return self.labelled.mask


class Distilling(Labelled):
    """The objective of a student; validated as any training on labels."""

    def __init__(self, material: Material, context: int, settings: DistilledSettings) -> None:
        super().__init__(material.dataset, context, material.training, Place())
        self.settings = settings
        training = material.training
        self.teacher: npt.NDArray[np.float32] = teacher_logits(
            material.base, material.dataset, training.sequence_tokens, training.batch_tokens
        )

    def batches(self, planned: list[Any], epoch: int) -> Iterator[Any]:
        """The batches of a plan, each with the teacher's logits."""
        for batch in super().batches(planned, epoch):
            said = np.where(batch.rows[:, :, None] >= 0, self.teacher[batch.rows], np.float32(np.nan))
            yield _SoftBatch(batch, torch.from_numpy(said))

    def loss(self, module: nn.Module, batch: Any) -> Tensor:  # noqa: ANN401  see Objective
        """Of soft and hard targets."""
        logits = module(*batch.labelled.inputs(self.device))
        hard = self.joint_loss(logits, batch.labelled.value, batch.labelled.counts)
        soft = soft_loss(logits, batch.teacher, self.settings.temperature)
        return self.settings.soft * soft + (1 - self.settings.soft) * hard


def soft_loss(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T² times the cross-entropy of logits (B, T, H) to the teacher's at temperature T, mean over tokens where the
    teacher's are no NaN, then over heads.
    """
    asked = ~teacher.isnan()
    target = torch.sigmoid(teacher.nan_to_num() / temperature)
    entropy = F.binary_cross_entropy_with_logits(logits / temperature, target, weight=asked.float(), reduction="none")
    by_head = entropy.sum(dim=(0, 1)) / asked.sum(dim=(0, 1)).clamp_min(1)
    mean: Tensor = temperature**2 * by_head.mean()
    return mean


def _pack(material: Material, settings: DistilledSettings) -> Packed:
    config = student_config(material.base.config, material.dataset.heads, settings)
    made: list[AttentionModel] = []

    def begin() -> tuple[AttentionModel, Distilling]:
        student = AttentionModel(config)
        with torch.no_grad():
            for name in config.outputs:
                student.heads[name].get_parameter("bias").copy_(material.base.heads[name].get_parameter("bias"))
        made.append(student)
        return student, Distilling(material, config.context, settings)

    def report(progress: Progress, _: AttentionModel) -> None:
        material.report(progress)

    trained = fit_objective(begin, material.training, report)
    losses = [each.validation_loss for each in trained.history]
    about = {"student": config.as_dict(), "validation_loss": min(losses)}
    trained.load_into(made[0])
    return Packed(config=config, arrays=weights_of(made[0]), epochs=len(losses), about=about)


def _restore(config: AttentionConfig, arrays: Weights, _: DistilledSettings) -> AttentionModel:
    return plain_model(config, arrays)


def _ordinary(model: AttentionModel) -> AttentionModel:
    return model


WAY = Way(
    title="distilled",
    meaning="a smaller model that learns from what the model says, and from the labels",
    pack=_pack,
    restore=_restore,
    settings=DistilledSettings(),
    loop={"epochs": 3, "patience": 2, "learning_rate": 6e-3, "warmup_share": 0.1},
    ordinary=_ordinary,
)
