"""The forward pass as a program of `torch.export`: written, read again, and held against the model on real batches.

Batch and length are free where the mechanism allows it: two people or more, and tokens a multiple of 16 from 32 on; one
person alone is padded to two, as serving pads to whole chunks. Else the program has the shape of the first batch.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch.export import Dim, ExportedProgram

from infra.contracts.errors import EnvironmentFailed
from models.attention.model import AttentionModel
from models.attention.windowed import BLOCK
from models.evaluation.compression.speed import ForwardPass, Inputs

TOLERANCE: Final = 1e-5
"""Most that a logit of the program may differ from the model's, as streaming may from whole sequences."""
LEAST_TOKENS: Final = 2 * BLOCK
LEAST_PEOPLE: Final = 2  # torch takes a size of 1 for fixed
_MOST: Final = 4_096  # people a batch, and blocks a sequence


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A program as read from `file`. free: whether batch and length are. difference: the greatest of any logit on
    `batches` batches of `tokens` real tokens.
    """

    file: Path
    run: ForwardPass
    free: bool
    difference: float
    batches: int
    tokens: int

    @property
    def same(self) -> bool:
        """Whether it says what the model says, within `TOLERANCE`."""
        return self.difference <= TOLERANCE

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "file": str(self.file),
            "bytes_on_disk": self.file.stat().st_size,
            "free_shapes": self.free,
            "greatest_difference": self.difference,
            "tolerance": TOLERANCE,
            "same": self.same,
            "batches": self.batches,
            "tokens": self.tokens,
        }


def export(model: AttentionModel, inputs: list[Inputs], file: Path) -> Exported:
    """Export `model` to `file`, read it again and check it on `inputs`; the first is the example.

    inputs: of `LEAST_PEOPLE` and `LEAST_TOKENS` or more, else the program takes the shape of the first alone.
    Raises EnvironmentFailed where it cannot be written.
    """
    program, free = _program(model.eval(), inputs[0])
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.export.save(program, file)
    except OSError as error:
        raise EnvironmentFailed(f"cannot write the exported program to {file}: {error}") from error
    run = torch.export.load(file).module()
    checked = inputs if free else [each for each in inputs if each[0].shape == inputs[0][0].shape]
    return Exported(
        file=file,
        run=run,
        free=free,
        difference=max(_difference(run, model, each) for each in checked),
        batches=len(checked),
        tokens=sum(int(each[-1].sum()) for each in checked),
    )


def _program(model: AttentionModel, example: Inputs) -> tuple[ExportedProgram, bool]:
    people, blocks = Dim("people", min=LEAST_PEOPLE, max=_MOST), Dim("blocks", min=2, max=_MOST)
    shapes = tuple({0: people, 1: BLOCK * blocks} for _ in example)
    if example[0].shape[0] < LEAST_PEOPLE:
        return torch.export.export(model, example, strict=False), False
    try:
        return torch.export.export(model, example, dynamic_shapes=shapes, strict=False), True
    except RuntimeError:  # what torch.export raises where shapes cannot be free
        return torch.export.export(model, example, strict=False), False


def _difference(run: ForwardPass, model: AttentionModel, inputs: Inputs) -> float:
    with torch.inference_mode():
        real = inputs[-1]
        return float((run(*inputs) - model(*inputs))[real].abs().max())
