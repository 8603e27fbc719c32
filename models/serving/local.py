"""The forward pass in this process: what a replica on Ray Serve runs too.

One thread and one fixed shape a call: only then are a row's bits the same whoever shares its chunk.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.attention import catalog, checkpoint
from models.attention.model import AttentionModel
from models.serving.shapes import ModelCard, PaddedBatch, Scores


def load(checkpoint_dir: Path, threads: int = 1) -> "LocalForward":
    """The forward pass of a checkpoint, see `LocalForward`.

    Raises BadInput where it is missing, damaged, of other features, or of a mechanism that is not for streaming.
    """
    loaded = checkpoint.load(checkpoint_dir)
    return LocalForward(loaded.model, loaded.version, threads)


class LocalForward:
    """`shapes.Forward` of a model in this process: its heads of two classes; no others go over the wire.

    `threads` chunks are computed at a time, each by one thread of torch: the number moves no bit. Raises BadInput for
    a mechanism that is not for streaming.
    """

    def __init__(self, model: AttentionModel, version: str, threads: int = 1) -> None:
        model.config.check_streaming()
        columns = catalog.columns(model.config.outputs)
        self._columns = {name: at.start for name, at in columns.items() if catalog.head(name).binary}
        self._model = model.eval()
        self._version = version
        self._pool = ThreadPoolExecutor(threads, "forward", initializer=torch.set_num_threads, initargs=(1,))

    @property
    def card(self) -> ModelCard:
        """The model behind it."""
        config = self._model.config
        return ModelCard(
            version=self._version,
            outputs=tuple(self._columns),
            context=config.context,
            item_buckets=config.item_buckets,
        )

    def __call__(self, batches: Sequence[PaddedBatch], traceparent: str | None = None) -> list[Scores]:  # noqa: ARG002  the caller's span covers a call in the same process
        """Probabilities (N, S, O) of each batch's last S tokens."""
        waiting = [[self._pool.submit(self._chunk, batch.step, chunk) for chunk in batch.chunks()] for batch in batches]
        return [np.concatenate([part.result() for part in parts]) for parts in waiting]

    def _chunk(self, step: int, chunk: tuple[NDArray[Any], ...]) -> Scores:
        with torch.inference_mode():
            kind, features, item, time_us, mask = (_tensor(column) for column in chunk)
            logits_bso = self._model(kind, features, item, time_us, mask, last=step)
            scores: Scores = torch.sigmoid(logits_bso[:, :, list(self._columns.values())]).numpy()
            return scores


def _tensor(column: NDArray[Any]) -> torch.Tensor:
    # Arrays out of Ray's object store are read-only, which torch warns of: it has no read-only tensors.
    return torch.from_numpy(column if column.flags.writeable else column.copy())
