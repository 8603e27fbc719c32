"""The sentiment of texts by a trained model, and where in a text it looks.

Events carry `social.sentiment` as a number already; who has texts in their place (a client of the gateway, a log) makes
the number with `load(folder).sentiment(texts)`.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from infra.contracts.errors import BadInput, EnvironmentFailed
from models.features.sentiment.model import SentimentConfig, SentimentModel, TokenBatch
from models.features.sentiment.text import TEXT_VERSION, normalise, units

_WEIGHTS, _INFO = "sentiment.npz", "sentiment.json"
_AT_ONCE = 256
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Window:
    """Neighbouring units of a text: their share of the attention, and the score without them minus with them."""

    characters: str
    share: float
    change: float


@dataclass(frozen=True)
class SentimentClassifier:
    """A model in evaluation mode."""

    model: SentimentModel

    def sentiment(self, texts: Sequence[str]) -> Doubles:
        """(n,) tone of each text, −1 to 1: probability of positive minus probability of negative."""
        parts = [texts[first : first + _AT_ONCE] for first in range(0, len(texts), _AT_ONCE)]
        return np.concatenate([np.zeros(0), *(self._tones(part) for part in parts)])

    def attention(self, text: str) -> tuple[str, Doubles]:
        """The normalised text, and (its length,) the share of the attention on each character; they sum to 1."""
        tokens = self.model.tokens(text)
        with torch.no_grad():
            _, attention = self.model(TokenBatch.of([tokens]))
        return tokens.text, tokens.by_character(attention.double().numpy())

    def windows(self, text: str, width: int = 2) -> list[Window]:
        """Every run of `width` neighbouring units of the normalised text: Chinese characters, English words."""
        plain, share = self.attention(text)
        read = units(plain)
        spans = [(read[place][0], read[place + width - 1][1]) for place in range(len(read) - width + 1)]
        tones = self.sentiment([plain, *(plain[:first] + plain[past:] for first, past in spans)])
        return [
            Window(plain[first:past], float(share[first:past].sum()), float(tone - tones[0]))
            for (first, past), tone in zip(spans, tones[1:], strict=True)
        ]

    def points_at(self, text: str, word: str) -> bool:
        """Whether `word` has more attention than any other run of as many units, and decides: the tone changes most
        without it."""
        looked_for = normalise(word)
        windows = self.windows(text, len(units(looked_for)))
        if not windows:
            return False
        seen = max(windows, key=lambda each: each.share)
        decides = max(windows, key=lambda each: abs(each.change))
        return seen.characters == decides.characters == looked_for

    def _tones(self, texts: Sequence[str]) -> Doubles:
        batch = TokenBatch.of([self.model.tokens(text) for text in texts])
        with torch.no_grad():
            probability = torch.softmax(self.model(batch)[0].double(), dim=1).numpy()
        return np.asarray(probability[:, 1] - probability[:, 0])


def save(directory: Path, model: SentimentModel, about: Mapping[str, Any]) -> str:
    """Write weights and JSON, and return the version: 12 hexadecimal digits of a hash of weights and config."""
    weights = {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}
    digest = hashlib.sha256(json.dumps([model.config.as_dict(), TEXT_VERSION], sort_keys=True).encode())
    for name in sorted(weights):
        digest.update(name.encode() + np.ascontiguousarray(weights[name]).tobytes())
    version = digest.hexdigest()[:12]
    info = {"version": version, "text_version": TEXT_VERSION, "model": model.config.as_dict(), **about}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        np.savez(directory / _WEIGHTS, allow_pickle=False, **weights)
        (directory / _INFO).write_text(json.dumps(info, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    except OSError as error:
        raise EnvironmentFailed(f"cannot write the sentiment model to {directory}: {error}") from error
    return version


def load(directory: Path) -> SentimentClassifier:
    """The classifier saved in `directory`. Raises BadInput where it is missing, damaged or of another version."""
    try:
        info = json.loads((directory / _INFO).read_text())
    except FileNotFoundError:
        raise BadInput(f"there is no sentiment model in {directory}: train one with calmverse sentiment") from None
    except ValueError as error:
        raise BadInput(f"{directory / _INFO} cannot be read as JSON: {error}") from error
    if info.get("text_version") != TEXT_VERSION:
        raise BadInput(
            f"the sentiment model in {directory} reads text in another way than this version: train it again"
        )
    model = SentimentModel(SentimentConfig.from_dict(info["model"]))
    try:
        with np.load(directory / _WEIGHTS, allow_pickle=False) as stored:
            model.load_state_dict({name: torch.from_numpy(stored[name]) for name in stored.files})
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise BadInput(f"the weights in {directory / _WEIGHTS} cannot be loaded: {error}") from error
    return SentimentClassifier(model.eval())
