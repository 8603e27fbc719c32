"""One way gone from one seed: base and labels of a world in, a fine-tuned model out, by the training loop."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from infra.contracts.draws import Purpose, uniform
from infra.contracts.errors import BadInput
from models.attention.model import AttentionModel
from models.attention.outputs import Outputs
from models.features.worlds import in_worlds
from models.training.dataset import Dataset
from models.training.finetuning.catalog import way
from models.training.finetuning.parts import trainable
from models.training.finetuning.settings import Plan
from models.training.loop import Trainee, fit_module
from models.training.savepoints import Savepoints
from models.training.settings import Progress
from models.training.split import Role


@dataclass(frozen=True, kw_only=True)
class FineTuned:
    """A fine-tuned model, in evaluation mode, how many numbers were trained, a report of each epoch, and seconds."""

    model: AttentionModel
    trainable: int
    history: tuple[Progress, ...]
    seconds: float

    @property
    def validation_loss(self) -> float:
        """Of the epoch that was kept."""
        return min(each.validation_loss for each in self.history)


def of_world(dataset: Dataset, world: str, share: float = 1.0, seed: int = 0) -> Dataset:
    """The data set with the labels of one world alone, for the heads that it trains and tests.

    share: of the people who train and validate, how many have labels; who is a hash of `seed` and their pseudonym. All
    who test have theirs. Raises BadInput where there are none.
    """
    inside = in_worlds(dataset.tokens.features, (world,))
    if share < 1:
        drawn = uniform(seed, int(Purpose.SPLIT), dataset.person, 3, 0)
        inside &= (drawn < share) | (dataset.role == Role.TEST)
    known = dataset.known & inside[:, None]
    kept = [index for index in range(len(dataset.heads)) if _usable(dataset, known[:, index], index)]
    if not kept:
        raise BadInput(
            f"events of '{world}' have no labels to learn from and to test on: fine-tune on another world, or on a "
            "longer run, or one of more people"
        )
    heads = tuple(dataset.heads[index] for index in kept)
    return replace(dataset, heads=heads, value=dataset.value[:, kept], known=known[:, kept])


def needed(dataset: Dataset, context: int) -> Dataset:
    """The rows that train or validate, and the `context` - 1 rows of the person before each: all that their scores
    depend on, so nothing changes but the cost. Labels of one world are rare among a person's events.
    """
    counted = np.isin(dataset.role, (Role.TRAIN, Role.VALIDATION)) & dataset.known.any(axis=1)
    rows = np.flatnonzero(counted)
    begin = np.searchsorted(dataset.person, dataset.person[rows], side="left")
    steps = np.bincount(np.maximum(begin, rows - (context - 1)), minlength=len(dataset) + 1)
    steps -= np.bincount(rows + 1, minlength=len(dataset) + 1)
    kept = np.flatnonzero(np.cumsum(steps[:-1]) > 0)
    return Dataset(
        heads=dataset.heads,
        tokens=dataset.tokens.take(kept),
        person=dataset.person[kept],
        value=dataset.value[kept],
        known=dataset.known[kept],
        role=dataset.role[kept],
    )


def fit_way(
    base: AttentionModel,
    dataset: Dataset,
    plan: Plan,
    seed: int,
    report: Callable[[Progress], None] = lambda _: None,
    savepoints: Savepoints | None = None,
) -> FineTuned:
    """Fine-tune a copy of `base` on the labels of `dataset` (`of_world`, `needed`).

    seed: of first weights and of the order. Heads that the data set has no labels of stay as they are. Raises BadInput
    where way and model do not fit.
    """
    chosen = way(plan.way)
    made: list[Trainee[Outputs]] = []

    def build() -> Trainee[Outputs]:
        model = chosen.start(copy.deepcopy(base), plan.settings)
        for name in (each for each in model.config.outputs if each not in dataset.heads):
            model.heads[name].requires_grad_(requires_grad=False)
        made.append(Trainee(Outputs(model, dataset.heads), None, model.config.context))
        return made[-1]

    began = time.perf_counter()
    training = replace(plan.training, seed=seed)
    trained = fit_module(dataset, build, training, lambda progress, _module: report(progress), savepoints=savepoints)
    seconds = time.perf_counter() - began
    trained.load_into(made[0].module)
    count = trainable(made[0].module)
    model = chosen.finish(made[0].module.model)
    return FineTuned(model=model.eval(), trainable=count, history=trained.history, seconds=seconds)


def _usable(dataset: Dataset, known: np.ndarray[tuple[int], np.dtype[np.bool_]], index: int) -> bool:
    """Whether both classes are among the training labels, and the test has any."""
    training = dataset.value[known & (dataset.role == Role.TRAIN), index]
    return len(training) > 0 and training.min() < training.max() and bool((known & (dataset.role == Role.TEST)).any())
