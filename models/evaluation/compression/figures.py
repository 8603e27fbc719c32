"""The figures of each way: bytes, speed and quality, each beside the original's."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from torch import nn

from models.evaluation.compression.speed import Rates
from models.evaluation.finetuning.judge import ALL, INSIDE, Losses, Sampled, mean_of
from models.training.compression.catalog import Packed, way
from models.training.compression.store import Stored
from models.training.finetuning.settings import Plan

BASE: Final = "original"
EXPORT: Final = "exported"


@dataclass(frozen=True, kw_only=True)
class Made:
    """A way that is gone: what it made, as it was read from its folder, and in how many seconds."""

    plan: Plan
    packed: Packed
    stored: Stored
    folder: Path
    seconds: float


@dataclass(frozen=True)
class Measured:
    """How good a model is on unseen people: log losses, and areas under the ROC curve by head."""

    losses: Losses
    aucs: dict[str, Sampled]

    def log_loss(self) -> dict[str, Sampled]:
        """By head, and their mean."""
        return {head: one for (place, head), one in self.losses.items() if place == INSIDE}

    def auc(self) -> dict[str, Sampled]:
        """By head, and their mean."""
        return self.aucs | {ALL: mean_of(list(self.aucs.values()))}


def sizes(model: nn.Module) -> dict[str, int]:
    """How many numbers a model holds, how many of them are not zero, and their bytes in memory."""
    tensors = [*model.parameters(), *model.buffers()]
    return {
        "parameters": sum(each.numel() for each in tensors),
        "nonzero": sum(int((each != 0).sum()) for each in tensors),
        "bytes_in_memory": sum(each.numel() * each.element_size() for each in tensors),
    }


def document_of(
    base: Measured, judged: dict[str, Measured], made: dict[str, Made], rates: Rates, margin: float, seed: int
) -> dict[str, Any]:
    """The part of the document that says how good the original and the ways are."""
    return {
        "base": {"log_loss": _figures(base.log_loss()), "auc": _figures(base.auc())},
        "ways": {
            name: _about(one)
            | {"tokens_per_s": rates.median(name), "speed": rates.ratio(name, BASE, seed)}
            | _quality(judged[name], base, margin)
            for name, one in made.items()
        },
    }


def _about(made: Made) -> dict[str, Any]:
    return {
        "folder": str(made.folder),
        "settings": asdict(made.plan.settings),
        "seconds": made.seconds,
        "epochs": made.packed.epochs,
        "about": made.packed.about,
        "ordinary": way(made.plan.way).ordinary is not None,
        "bytes_on_disk": made.stored.bytes_on_disk,
        **sizes(made.stored.model),
    }


def _quality(one: Measured, base: Measured, margin: float) -> dict[str, Any]:
    """Losses and areas, and what they are above the original's on the same rows: positive is a loss of quality in log
    loss, and a gain in area.
    """
    loss, area, loss_base, area_base = one.log_loss(), one.auc(), base.log_loss(), base.auc()
    above = {head: loss[head] - loss_base[head] for head in loss}
    high = above[ALL].figure().ci_high
    return {
        "log_loss": _figures(loss),
        "auc": _figures(area),
        "log_loss_difference": _figures(above),
        "auc_difference": _figures({head: area[head] - area_base[head] for head in area}),
        "no_worse": bool(high <= margin) if high == high else None,  # noqa: PLR0124  NaN: one person, no interval
    }


def _figures(found: dict[str, Sampled]) -> dict[str, Any]:
    return {head: one.figure().as_dict() for head, one in found.items()}
