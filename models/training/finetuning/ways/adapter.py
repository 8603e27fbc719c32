"""Adapters (Houlsby et al. 2019): bottlenecks behind both sub-layers of each layer, between frozen weights.

They are no linear maps and cannot be merged into the weights around them: the config of the checkpoint says how wide
they are (`adapter`), so it loads and serves as any other, at the price of their arithmetic.
"""

from dataclasses import dataclass, replace

from infra.contracts.errors import BadInput
from models.attention.model import AttentionModel
from models.training.finetuning.catalog import Way
from models.training.finetuning.parts import names_of, train_only


@dataclass(frozen=True, kw_only=True)
class AdapterSettings:
    """bottleneck: width of each adapter. whole: parts that train as they are (heads and norms in the paper)."""

    bottleneck: int = 4
    whole: tuple[str, ...] = ("heads", "norms")

    def __post_init__(self) -> None:
        if self.bottleneck < 1:
            raise BadInput(f"bottleneck={self.bottleneck} must be above 0")


def _start(model: AttentionModel, settings: AdapterSettings) -> AttentionModel:
    if model.config.adapter:
        raise BadInput("this model has adapters already: fine-tune it in another way, such as --ways full")
    adapted = AttentionModel(replace(model.config, adapter=settings.bottleneck))
    own = set(adapted.load_state_dict(model.state_dict(), strict=False).missing_keys)
    own |= names_of(adapted, settings.whole)
    train_only(adapted, own.__contains__)
    return adapted


WAY = Way(
    title="adapters",
    meaning="bottlenecks behind each sub-layer train, with heads and norms",
    learning_rate=3e-3,
    start=_start,
    settings=AdapterSettings(),
)
