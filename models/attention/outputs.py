"""Some of a model's logits, in another order: for who asks for fewer heads than it has."""

from torch import Tensor, nn

from models.attention import catalog
from models.attention.model import AttentionModel


class Outputs(nn.Module):
    """(B, T, C) -> (B, T, c): the logits of `heads`, all of two classes, of a model that has more."""

    def __init__(self, model: AttentionModel, heads: tuple[str, ...]) -> None:
        super().__init__()
        columns = catalog.columns(model.config.outputs)
        self.model, self.places = model, [columns[head].start for head in heads]

    def forward(self, *inputs: Tensor) -> Tensor:
        """Inputs as the model takes them."""
        logits: Tensor = self.model(*inputs)
        return logits[:, :, self.places]
