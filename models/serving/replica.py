"""What a Ray Serve replica runs: the same forward pass as in one process, in a span of its own."""

from collections.abc import Sequence
from pathlib import Path

from infra.telemetry import names
from infra.telemetry.propagation import context_of
from infra.telemetry.setup import Telemetry
from models.serving.local import load
from models.serving.shapes import ModelCard, PaddedBatch, Scores

SERVICE = "forward"


class ForwardReplica:
    """The model of one checkpoint. Spans go to `spans_dir` (nowhere when it is empty), one a call."""

    def __init__(self, checkpoint_dir: str, spans_dir: str, threads: int) -> None:
        self._forward = load(Path(checkpoint_dir), threads)
        self._telemetry = Telemetry(SERVICE, Path(spans_dir)) if spans_dir else None

    def card(self) -> ModelCard:
        """The model behind it."""
        return self._forward.card

    def forward(self, batches: Sequence[PaddedBatch], traceparent: str | None) -> tuple[str, list[Scores]]:
        """The model's version, and the probabilities (N, S, O) of each batch's last S tokens."""
        if self._telemetry is None:
            return self._forward.card.version, self._forward(batches)
        attributes: dict[str, str | int] = {
            names.CALM_MODEL_VERSION: self._forward.card.version,
            names.CALM_BATCH_SIZE: sum(len(batch.kind) for batch in batches),
        }
        context = context_of(traceparent)
        with self._telemetry.tracer.start_as_current_span(names.FORWARD, context=context, attributes=attributes):
            return self._forward.card.version, self._forward(batches)

    def __del__(self) -> None:
        """Serve calls this when the replica shuts down: write the spans that are left."""
        telemetry = getattr(self, "_telemetry", None)
        if telemetry is not None:
            telemetry.close()
