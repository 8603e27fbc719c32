"""What a way leaves in its folder: `weights.npz` (arrays, nothing that runs code) and `compressed.json` (the rest).

It is no checkpoint: `models.attention.checkpoint` reads ordinary models alone, and says so of this folder.
"""

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from infra.contracts.errors import BadInput, EnvironmentFailed
from models.attention.model import AttentionConfig, AttentionModel
from models.training.compression.catalog import Packed, way
from models.training.finetuning.settings import Plan

WEIGHTS: Final = "weights.npz"
_INFO: Final = "compressed.json"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A compressed model as read from its folder, and the bytes of its weights on disk."""

    model: AttentionModel
    bytes_on_disk: int


def save(folder: Path, packed: Packed, plan: Plan, parent: str) -> None:
    """Write a compressed model. parent: version of the model that it comes from. Raises EnvironmentFailed."""
    info = {"way": plan.way, "settings": asdict(plan.settings), "model": packed.config.as_dict(), "parent": parent}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / WEIGHTS, allow_pickle=False, **packed.arrays)
        (folder / _INFO).write_text(json.dumps(info, indent=2, sort_keys=True) + "\n")
    except OSError as error:
        raise EnvironmentFailed(f"cannot write the compressed model to {folder}: {error}") from error


def load(folder: Path) -> Stored:
    """The compressed model in `folder`. Raises BadInput where it is missing or damaged."""
    try:
        info: dict[str, Any] = json.loads((folder / _INFO).read_text())
        chosen = way(info["way"])
        with np.load(folder / WEIGHTS, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        settings = type(chosen.settings)(**info["settings"])
        model = chosen.restore(AttentionConfig.from_dict(info["model"]), arrays, settings)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, zipfile.BadZipFile) as error:
        raise BadInput(f"there is no compressed model in {folder}: {error}") from error
    return Stored(model=model, bytes_on_disk=(folder / WEIGHTS).stat().st_size)
