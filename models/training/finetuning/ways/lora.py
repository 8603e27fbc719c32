"""LoRA (Hu et al. 2021): to each chosen linear map W a product of two thin matrices is added,

    W + (α / r) B A,    A (r, in) random, B (out, r) zero at the start

and these alone train, with the parts that train whole. At the end the product is added for good: what comes out is a
model as any other. As PEFT libraries do, the product is added to the weights and not run beside them: the same
function, and cheaper where maps are small and tokens many.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  the name everybody reads
from torch import Tensor, nn
from torch.nn.utils import parametrize

from infra.contracts.errors import BadInput
from models.attention.model import AttentionModel
from models.training.finetuning.catalog import Way
from models.training.finetuning.parts import names_of, train_only

_PROJECTED = ("q", "k", "v")
_OF_LAYERS = (*_PROJECTED, "o", "up", "down")
_OF_INPUT = ("features", "kind")
TARGETS = (*_OF_LAYERS, *_OF_INPUT)
"""Maps that may be adapted: projections to queries, keys, values and out of them, both maps of the perceptron, and the
input: of the features and of the kinds of events.
"""


@dataclass(frozen=True, kw_only=True)
class LoraSettings:
    """rank: r. alpha: α. targets: which maps, of `TARGETS`. whole: parts that train as they are."""

    rank: int = 1
    alpha: float = 2.0
    targets: tuple[str, ...] = ("q", "k", "v", "o", "up", "down")
    whole: tuple[str, ...] = ("heads",)

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha <= 0:
            raise BadInput(f"rank={self.rank} and alpha={self.alpha} must be above 0")
        for target in self.targets:
            if target not in TARGETS:
                raise BadInput(f"targets={target}: no map is called so; there are: {', '.join(TARGETS)}")


class LowRank(nn.Module):
    """The parametrization of rows [first, first + out) of a matrix: W + (α / r) B A."""

    def __init__(self, place: "_Place", settings: LoraSettings) -> None:
        super().__init__()
        rows, columns = place.shape
        if settings.rank > min(rows, columns):
            raise BadInput(f"rank={settings.rank} is more than {place.name} has: it is {rows} by {columns}")
        self.scale, self.above, self.below = settings.alpha / settings.rank, place.first, place.below
        self.a_rc = nn.Parameter(torch.randn(settings.rank, columns) * columns**-0.5)
        self.b_or = nn.Parameter(torch.zeros(rows, settings.rank))

    def forward(self, weight_oc: Tensor) -> Tensor:
        """The adapted matrix."""
        return weight_oc + F.pad(self.scale * self.b_or @ self.a_rc, (0, 0, self.above, self.below))


@dataclass(frozen=True)
class _Place:
    """A map of the model: the module whose weight it is, its rows, and what it is called."""

    name: str
    module: nn.Module
    first: int
    shape: tuple[int, int]

    @property
    def below(self) -> int:
        """Rows of the weight that come after those of the map."""
        weight: Any = self.module.weight
        return int(weight.shape[0]) - self.first - self.shape[0]


def _start(model: AttentionModel, settings: LoraSettings) -> AttentionModel:
    whole = names_of(model, settings.whole)
    train_only(model, whole.__contains__)
    for place in _places(model, settings.targets):
        parametrize.register_parametrization(place.module, "weight", LowRank(place, settings))
    return model


def _finish(model: AttentionModel) -> AttentionModel:
    """The model with every product added to its weights."""
    for module in list(model.modules()):
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
    plain = AttentionModel(model.config)
    plain.load_state_dict(model.state_dict())
    return plain


def _places(model: AttentionModel, targets: tuple[str, ...]) -> Iterator[_Place]:
    layers: list[Any] = list(model.layers)
    for name in targets:
        if name in _OF_INPUT:
            module: Any = getattr(model, name)
            yield _Place(name, module, 0, tuple(module.weight.shape))
            continue
        for layer in layers:
            yield _place(layer, name, model.config.d_model)


def _place(layer: Any, name: str, width: int) -> _Place:  # noqa: ANN401  a layer's parts are told by their names
    if name in _PROJECTED:
        return _Place(name, layer.attention.project, _PROJECTED.index(name) * width, (width, width))
    module = {"o": layer.attention.out, "up": layer.perceptron[1], "down": layer.perceptron[3]}[name]
    return _Place(name, module, 0, tuple(module.weight.shape))


WAY = Way(
    title="LoRA",
    meaning="products of thin matrices are added to linear maps and merged in the end; the heads train with them",
    learning_rate=1e-2,
    start=_start,
    settings=LoraSettings(),
    finish=_finish,
)
