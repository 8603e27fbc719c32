"""A checkpoint is a directory: `weights.npz` (tensors, nothing that runs code) and `checkpoint.json` (the rest)."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from infra.contracts.errors import BadInput, EnvironmentFailed
from models.attention.model import AttentionConfig, AttentionModel
from models.features.tokens import FEATURES_VERSION

WEIGHTS, _INFO = "weights.npz", "checkpoint.json"
FILES = (WEIGHTS, _INFO)
"""What a checkpoint consists of."""
Weights = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A model in evaluation mode, the version of its weights, and what `checkpoint.json` says."""

    model: AttentionModel
    version: str
    info: dict[str, Any]
    directory: Path


def weights_of(model: nn.Module) -> Weights:
    """Every tensor of the model by name, as NumPy copies."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in model.state_dict().items()}


def version_of(weights: Weights, config: AttentionConfig) -> str:
    """12 hexadecimal digits of the SHA-256 of tensors, config and features version: equal weights, equal version."""
    digest = hashlib.sha256(json.dumps([config.as_dict(), FEATURES_VERSION], sort_keys=True).encode())
    for name in sorted(weights):
        digest.update(name.encode() + np.ascontiguousarray(weights[name]).tobytes())
    return digest.hexdigest()[:12]


def save(directory: Path, model: AttentionModel, about: Mapping[str, Any]) -> str:
    """Write a checkpoint and return its version. `about` (data digest, metrics, …) goes into the JSON as it is."""
    weights = weights_of(model)
    version = version_of(weights, model.config)
    info = {
        "version": version,
        "features_version": FEATURES_VERSION,
        "model": model.config.as_dict(),
        **about,
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        np.savez(directory / WEIGHTS, allow_pickle=False, **weights)
        (directory / _INFO).write_text(json.dumps(info, indent=2, sort_keys=True) + "\n")
    except OSError as error:
        raise EnvironmentFailed(f"cannot write the checkpoint to {directory}: {error}") from error
    return version


def read_info(directory: Path) -> dict[str, Any]:
    """`checkpoint.json` of a checkpoint. Raises BadInput where there is none or it is not JSON."""
    try:
        info: dict[str, Any] = json.loads((directory / _INFO).read_text())
    except FileNotFoundError:
        raise BadInput(f"{directory} is not a checkpoint: it has no {_INFO}") from None
    except ValueError as error:
        raise BadInput(f"{directory / _INFO} cannot be read as JSON: {error}") from error
    return info


def load(directory: Path) -> Checkpoint:
    """The checkpoint in `directory`. Raises BadInput where it is missing, damaged or of other features."""
    info = read_info(directory)
    if info.get("features_version") != FEATURES_VERSION:
        raise BadInput(
            f"the checkpoint in {directory} was trained on features {info.get('features_version')}, this version "
            f"makes features {FEATURES_VERSION}: train it again"
        )
    model = AttentionModel(AttentionConfig.from_dict(info["model"]))
    try:
        with (directory / WEIGHTS).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            model.load_state_dict({name: torch.from_numpy(stored[name]) for name in stored.files})
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise BadInput(f"the weights in {directory / WEIGHTS} cannot be loaded: {error}") from error
    return Checkpoint(model=model.eval(), version=info["version"], info=info, directory=directory)
