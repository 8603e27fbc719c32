"""What can be seen of a person at each token: the last reading of the face and of the gaze, and how old they are.

Only readings in the token's own window count, the token itself included, so it is the same whether the whole sequence
or the window alone is given.

Shape legend: B people, T tokens, F features, C `STATE_COUNT`.
"""

import torch
from torch import Tensor

from models.features.tokens import FEATURES

_READINGS = (("has_emotion", ("valence", "arousal", "confidence")), ("has_gaze", ("gaze_on_task",)))
STATE: tuple[str, ...] = tuple(
    name for present, values in _READINGS for name in (present, *values, f"{present.removeprefix('has_')}_age_log")
)
"""Names of the state's columns: whether there is a reading, what it says, and log(1 + age in s) / 10, all 0 without."""
STATE_COUNT = len(STATE)


def observed_state(time_us: Tensor, mask: Tensor, features: Tensor, window: int) -> Tensor:
    """(B, T, C) float32 state at each token: time_us (B, T) int64, mask (B, T) bool, features (B, T, F)."""
    parts = [_latest(time_us, mask, features, window, reading) for reading in _READINGS]
    return torch.cat(parts, dim=-1)


def _latest(
    time_us: Tensor, mask: Tensor, features: Tensor, window: int, reading: tuple[str, tuple[str, ...]]
) -> Tensor:
    """(B, T, 2 + values): presence, values and age of the last reading of one kind in each token's window."""
    present, values = reading
    place = torch.arange(time_us.shape[1], device=time_us.device)
    has = mask & (features[:, :, FEATURES.index(present)] > 0)
    latest = torch.where(has, place, -window).cummax(dim=1).values
    seen = (place - latest < window)[:, :, None]
    at = latest.clamp(min=0)
    columns = features[:, :, [FEATURES.index(name) for name in values]]
    said = columns.gather(1, at[:, :, None].expand(-1, -1, len(values)))
    age_s = (time_us - time_us.gather(1, at)).clamp(min=0).to(features.dtype) / 1e6
    age = torch.log1p(age_s)[:, :, None] / 10
    return torch.cat([seen.to(features.dtype), torch.where(seen, torch.cat([said, age], dim=-1), 0.0)], dim=-1)
