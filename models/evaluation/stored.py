"""A checkpoint on a lake: what it says of its training, the lake as it was trained on it, and its predictions."""

from dataclasses import replace
from pathlib import Path

from infra.contracts.errors import BadInput
from models.attention import catalog
from models.attention.checkpoint import Checkpoint
from models.attention.outputs import Outputs
from models.evaluation.sequences import SequencePredictor
from models.training.dataset import Prepared, prepare
from models.training.lake import read_directly
from models.training.settings import TrainingConfig, TrainingRequest


def training_of(stored: Checkpoint) -> TrainingConfig:
    """How the checkpoint was trained. Raises BadInput where it does not say."""
    try:
        return TrainingConfig(**stored.info["training"])
    except (KeyError, TypeError) as error:
        raise BadInput(
            f"the checkpoint in {stored.directory} does not say how it was trained ({error}), so nobody can tell which "
            "people it has not seen: train it again"
        ) from None


def binary_heads(stored: Checkpoint) -> tuple[str, ...]:
    """The heads of two classes. Raises BadInput where there is none."""
    binary = tuple(name for name in stored.model.config.outputs if catalog.head(name).binary)
    if not binary:
        raise BadInput(f"the model in {stored.directory} has no head of two classes: there is nothing to compare")
    return binary


def prepare_for(stored: Checkpoint, training: TrainingConfig, lake: Path) -> Prepared:
    """The lake as the model was trained on it, for its heads of two classes: the others have no oracle."""
    config = replace(stored.model.config, outputs=binary_heads(stored))
    training = replace(training, head_weights=())
    request = TrainingRequest(lake=lake, out_dir=stored.directory, model=config, training=training)
    return prepare(request, read_directly)


def predictor(stored: Checkpoint, prepared: Prepared, training: TrainingConfig) -> SequencePredictor:
    """The checkpoint as a predictor of the heads that this lake has labels of."""
    module = Outputs(stored.model, prepared.dataset.heads)
    return SequencePredictor(module, stored.model.config.context, training)
