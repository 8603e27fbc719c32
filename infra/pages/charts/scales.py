"""Where a value stands, in pixels: known here, not only inside the renderer, so that labels can be kept apart."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """The values an axis covers, low to high, on a linear or a logarithmic scale."""

    low: float
    high: float
    log: bool = False

    def fraction(self, value: float) -> float:
        """Where `value` stands between low (0) and high (1)."""
        if self.log:
            return math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def linear(values: Iterable[float], *, zero: bool = False, ticks: int = 4) -> Span:
    """A span whose ends are round numbers; with `zero` it includes 0. Without a finite value it is 0 to 1."""
    finite = [v for v in values if math.isfinite(v)] + ([0.0] if zero else [])
    if not finite:
        return Span(0.0, 1.0)
    low, high = min(finite), max(finite)
    if low == high:
        low, high = low - max(abs(low) / 10, 0.5) * (low != 0 or not zero), high + max(abs(high) / 10, 0.5)
    step = _round_step((high - low) / ticks)
    return Span(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step)


def padded(values: Iterable[float], *, zero: bool = False, share: float = 0.06) -> Span:
    """A span that leaves `share` of itself free at each end, for marks that must not touch the edge."""
    finite = [v for v in values if math.isfinite(v)] + ([0.0] if zero else [])
    if not finite:
        return Span(-1.0, 1.0)
    low, high = min(finite), max(finite)
    margin = (high - low) * share or max(abs(high), 1.0) * share
    return Span(low - margin, high + margin)


def logarithmic(values: Iterable[float]) -> Span:
    """A span of at least one decade, its ends at 1, 2 or 5 times a power of ten. Zeros and negatives do not count."""
    positive = [v for v in values if math.isfinite(v) and v > 0]
    if not positive:
        return Span(1.0, 10.0, log=True)
    low, high = _log_step(min(positive), down=True), _log_step(max(positive), down=False)
    if high / low < 10:
        high = low * 10
    return Span(low, high, log=True)


def decades(span: Span) -> list[float]:
    """Tick values of a logarithmic span: its powers of ten, or 1-2-5 steps where fewer than three of them fit."""
    exponents = range(math.floor(math.log10(span.low)) - 1, math.ceil(math.log10(span.high)) + 1)
    tens = [10.0**e for e in exponents if span.low <= 10.0**e * 1.0001 and 10.0**e <= span.high * 1.0001]
    if len(tens) >= 3:
        return tens
    steps = [m * 10.0**e for e in exponents for m in (1, 2, 5)]
    return [s for s in steps if span.low <= s * 1.0001 and s <= span.high * 1.0001]


def apart(positions: Sequence[float], gap: float, length: float) -> list[float]:
    """Move label positions (pixels from the top) so that neighbours are `gap` apart and all lie in 0 to `length`."""
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    placed = [0.0] * len(positions)
    floor = 0.0
    for index in order:
        placed[index] = max(positions[index], floor)
        floor = placed[index] + gap
    ceiling = length
    for index in reversed(order):
        placed[index] = min(placed[index], ceiling)
        ceiling = placed[index] - gap
    return placed


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if step <= m * power * 1.0001)


def _log_step(value: float, *, down: bool) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    steps = [m * power for m in (1, 2, 5, 10)]
    if down:
        return max(s for s in steps if s <= value * 1.0001)
    return min(s for s in steps if s >= value * 0.9999)
