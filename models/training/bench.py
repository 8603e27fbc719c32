"""`calmverse bench train`: the loop on Ray Train beside a plain single-process PyTorch loop, on the same batches.

The data set is made up, as large and as ragged as a small run's, with labels that depend on nothing: what is measured
is speed. Every lane has one thread of torch, and the same batches in the same order.
"""

import math
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from infra.hosting.ray_session import ray_session
from models.attention.model import AttentionConfig, AttentionModel
from models.features.tokens import FEATURE_COUNT, Tokens
from models.features.vocabulary import KIND_COUNT
from models.training.batches import Batch, cut, gather, plan
from models.training.dataset import Dataset
from models.training.ray_train import fit_on_ray
from models.training.settings import Progress, TrainingConfig, TrainingRequest
from models.training.split import Role

_START_US = 1_772_000_000_000_000
_MEAN_GAP_US = 120e6
_HEADS = ("interaction", "lapse")
_PLAIN_S = 600.0


@dataclass(frozen=True, kw_only=True)
class TrainBench:
    """How much is trained: people (some 300 tokens each), epochs (the first is warm-up), rounds of all lanes,
    tokens a step and worker.

    An epoch must be long beside the ten seconds in which Ray's own processes start and take a share of two cores.
    """

    people: int = 4_000
    epochs: int = 4
    rounds: int = 2
    batch_tokens: int = 4_096
    seed: int = 1
    model: AttentionConfig = field(default_factory=AttentionConfig)


def run_bench(bench: TrainBench, progress: Callable[[str], None]) -> dict[str, Any]:
    """Tokens a second of each lane, medians over rounds; ratios within a round.

    `ratio`: one Ray worker against one plain loop. `efficiency_2_workers`: two Ray workers that share gradients against
    two plain loops that do not know of each other.
    """
    rounds = []
    with tempfile.TemporaryDirectory(prefix="calm-bench-") as folder, ray_session(cpus=6):
        for number in range(bench.rounds):
            # A folder of its own: a round must not go on from the savepoints of the one before.
            rounds.append(_round(bench, Path(folder) / f"round-{number}"))
            progress(f"round {number + 1}/{bench.rounds}: " + ", ".join(f"{k} {v:,.2f}" for k, v in rounds[-1].items()))
    median = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    return {
        "tokens_per_s": round(median["ray_1"]),
        "baseline_tokens_per_s": round(median["plain_1"]),
        "ratio": round(statistics.median(each["ray_1"] / each["plain_1"] for each in rounds), 3),
        "tokens_per_s_2_workers": round(median["ray_2"]),
        "two_plain_tokens_per_s": round(median["plain_2"]),
        "efficiency_2_workers": round(statistics.median(each["ray_2"] / each["plain_2"] for each in rounds), 3),
        "input_wait_fraction": round(median["waited"], 4),
        "rounds": [{name: round(value, 4) for name, value in each.items()} for each in rounds],
    }


def _round(bench: TrainBench, folder: Path) -> dict[str, float]:
    dataset = made_up(bench.people, bench.seed)
    one, two = _on_ray(bench, dataset, folder, 1), _on_ray(bench, dataset, folder, 2)
    return {
        "plain_1": sum(_plain_loops(bench, 1)),
        "ray_1": _steady(one, "tokens_per_s"),
        "plain_2": sum(_plain_loops(bench, 2)),
        "ray_2": _steady(two, "tokens_per_s"),
        "waited": _steady(one, "input_wait_share"),
    }


def _steady(history: tuple[Progress, ...], name: str) -> float:
    """Median over the epochs after the first."""
    return float(statistics.median(getattr(each, name) for each in history[1:]))


def _on_ray(bench: TrainBench, dataset: Dataset, folder: Path, workers: int) -> tuple[Progress, ...]:
    request = TrainingRequest(
        lake=folder, out_dir=folder / f"{workers}", model=bench.model, training=_training(bench), workers=workers
    )
    return fit_on_ray(dataset, request, lambda _: None).history


def _training(bench: TrainBench) -> TrainingConfig:
    return TrainingConfig(seed=bench.seed, epochs=bench.epochs, patience=bench.epochs, batch_tokens=bench.batch_tokens)


def _plain_loops(bench: TrainBench, count: int) -> list[float]:
    """Tokens a second of each of `count` plain loops, in processes of their own that begin together."""
    context = multiprocessing.get_context("spawn")
    together, answers = context.Barrier(count), context.SimpleQueue()
    lanes = [context.Process(target=_plain_lane, args=(bench, together, answers)) for _ in range(count)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join(_PLAIN_S)
    return [answers.get() for _ in lanes]


def _plain_lane(bench: TrainBench, together: Any, answers: Any) -> None:  # noqa: ANN401  types of a spawn context
    torch.set_num_threads(1)
    dataset = made_up(bench.people, bench.seed)
    together.wait()
    answers.put(plain_loop(dataset, bench.model, _training(bench)))


def plain_loop(dataset: Dataset, config: AttentionConfig, training: TrainingConfig) -> float:
    """Tokens a second of a training written as one would without Ray; the median of the epochs after the first."""
    torch.manual_seed(training.seed)
    model = AttentionModel(config).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=training.learning_rate, fused=True)
    pieces = cut(dataset.person, dataset.scored(Role.TRAIN), config.context, training.sequence_tokens)
    counted = dataset.known & (dataset.role == Role.TRAIN)[:, None]
    rates = []
    for epoch in range(training.epochs):
        began, tokens = time.perf_counter(), 0
        for which in plan(pieces, training.batch_tokens, (training.seed, epoch)):
            tokens += _plain_step(model, optimiser, gather(dataset, pieces.take(which), counted), training.clip)
        rates.append(tokens / (time.perf_counter() - began))
    return statistics.median(rates[1:])


def _plain_step(model: AttentionModel, optimiser: torch.optim.Optimizer, batch: Batch, clip: float) -> int:
    optimiser.zero_grad(set_to_none=True)
    logits = model(*batch.inputs(torch.device("cpu")))
    loss = functional.binary_cross_entropy_with_logits(logits, batch.value, weight=batch.counts)
    loss.backward()  # type: ignore[no-untyped-call]  # torch does not type it
    torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimiser.step()
    return int(batch.mask.sum())


def made_up(people: int, seed: int) -> Dataset:
    """Events of `people` whose numbers are log-normal around 300, everybody in training but one in ten."""
    random = np.random.default_rng(seed)
    length = np.exp(random.normal(math.log(250), 0.6, people)).astype(np.int64).clip(8, 2_000)
    total, begin = int(length.sum()), np.cumsum(length) - length
    time_us = np.cumsum(random.exponential(_MEAN_GAP_US, total)).astype(np.int64)
    time_us += _START_US - np.repeat(time_us[begin], length)
    label = (random.random((total, len(_HEADS))) < 0.3).astype(np.float32)
    return Dataset(
        heads=_HEADS,
        tokens=Tokens(
            kind=random.integers(2, KIND_COUNT, total).astype(np.int16),
            time_us=time_us,
            features=random.random((total, FEATURE_COUNT), dtype=np.float32),
            item=np.zeros(total, dtype=np.int32),
        ),
        person=np.repeat(np.arange(people, dtype=np.uint64), length),
        value=label,
        known=random.random((total, len(_HEADS))) < 0.5,
        role=np.repeat(np.where(np.arange(people) % 10 == 0, Role.VALIDATION, Role.TRAIN), length).astype(np.int8),
    )
