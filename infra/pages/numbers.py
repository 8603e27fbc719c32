"""How a number looks on a page: digits that mean something, a true minus sign, the unit with it."""

import math

MISSING = "–"
MINUS = "\N{MINUS SIGN}"


def number(value: float | None, decimals: int | None = None) -> str:
    """`1234.5` as `1,234.5`; without `decimals`, three significant digits. None, NaN and infinities are a dash."""
    if value is None or not math.isfinite(value):
        return MISSING
    if decimals is None:
        decimals = 0 if isinstance(value, int) else significant(value, 3)
    text = f"{value:,.{decimals}f}"
    if text.strip("-0.,") == "":
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def significant(value: float, digits: int) -> int:
    """Decimals that show `value` with so many significant digits, 0 to 8."""
    if value == 0 or not math.isfinite(value):
        return 0
    return min(8, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


def estimate(value: float | None, low: float | None, high: float | None, decimals: int | None = None) -> str:
    """`3.1 [1.2, 5.0]`; without `decimals`, as many as two digits of the interval's width need."""
    if value is None or not math.isfinite(value):
        return MISSING
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return f"{number(value, decimals)} [no interval]"
    if decimals is None:
        width = high - low
        decimals = significant(width, 2) if width > 0 else significant(value, 3)
    return f"{number(value, decimals)} [{number(low, decimals)}, {number(high, decimals)}]"


def milliseconds(value: float | None) -> str:
    """A duration given in milliseconds, in the unit a reader would choose: `420 µs`, `12 ms`, `1.4 s`, `2 min 5 s`."""
    if value is None or not math.isfinite(value):
        return MISSING
    if abs(value) < 1:
        return f"{number(value * 1000, significant(value * 1000, 2))} µs" if value else "0 ms"
    if abs(value) < 1_000:
        return f"{number(value, significant(value, 2))} ms"
    return seconds(value / 1000)


def seconds(value: float | None) -> str:
    """A duration given in seconds: `0.42 s`, `42 s`, `2 min 5 s`, `1 h 3 min`."""
    if value is None or not math.isfinite(value):
        return MISSING
    if abs(value) < 60:
        return f"{number(value, significant(value, 2))} s"
    whole = round(value)
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s".removesuffix(" 0 s")
    return f"{whole // 3_600:,} h {whole % 3_600 // 60} min"


def count(value: int, one: str, many: str | None = None) -> str:
    """`1 event`, `5,000 events`: a count with its noun in the right number."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def share(value: float | None, decimals: int = 1) -> str:
    """A fraction of one as per cent: `0.031` is `3.1%`."""
    return MISSING if value is None or not math.isfinite(value) else f"{number(value * 100, decimals)}%"


def signed(value: float | None, decimals: int | None = None) -> str:
    """A difference, with its sign: `+0.52`, `−3.1`, `0`."""
    text = number(value, decimals)
    return f"+{text}" if value is not None and value > 0 and text != MISSING else text
