"""The kinds of practice: what each leaves behind, how its minutes count, and how readily it is broken off.

That kinds differ in these directions is what guides and reviews say; by how much is mostly unknown, so that sizes are
chosen within the small effects of rows 18 to 21. '?' marks a source that was recalled and not re-read.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from infra.contracts.commands import Practice


class Kind(NamedTuple):
    """One kind. Shares are of `Parameters.practice_ease` and its like; minutes where a line says so."""

    ease: float
    """Share of the most that stress is eased by."""
    awareness: float
    """Share of the most that the mind is kept from wandering by."""
    drive: float
    """Share of the most that focus is raised by."""
    lift: float
    """Share of the most that mood is lifted by, at the end of the practice."""
    settling: float
    """Share of the length in which the practice settles in."""
    closing: float
    """Share of the length in which it closes; the core lies between."""
    arriving: float
    """Minutes of a practice that give nothing yet."""
    saturation: float
    """Minutes, after the first, within which 63% of all that the kind can give is reached."""
    breaking: float
    """Factor on how readily it is broken off."""


NOTHING: Final = Kind(0.0, 0.0, 0.0, 0.0, 0.3, 0.1, 1.0, 8.0, 1.0)
"""The kind of no practice."""

BY_PRACTICE: Final[Mapping[Practice, Kind]] = {
    Practice.NONE: NOTHING,
    # Slow breathing acts on arousal within minutes (Zaccaro 2018 ?; Fincham 2023 ?: lower stress, small to medium) and
    # is easy to keep up.
    Practice.BREATHING: Kind(
        ease=1.0,
        awareness=0.30,
        drive=0.25,
        lift=0.15,
        settling=0.15,
        closing=0.10,
        arriving=0.5,
        saturation=5.0,
        breaking=0.7,
    ),
    # A body scan relaxes as well as it teaches to notice; it takes its time, and alone does little else (Gan 2022 ?).
    Practice.BODY_SCAN: Kind(
        ease=0.80,
        awareness=0.60,
        drive=0.15,
        lift=0.15,
        settling=0.20,
        closing=0.15,
        arriving=2.0,
        saturation=12.0,
        breaking=1.3,
    ),
    # The one that brief trials mostly studied (rows 20 and 21 are measured with it).
    Practice.MINDFULNESS_OF_BREATH: Kind(
        ease=0.35,
        awareness=1.0,
        drive=0.35,
        lift=0.0,
        settling=0.25,
        closing=0.10,
        arriving=1.0,
        saturation=8.0,
        breaking=1.0,
    ),
    # Attention held on one thing trains what it is tried on and calms little (Lutz 2008 ?: focused attention).
    Practice.FOCUS_TRAINING: Kind(
        ease=0.10,
        awareness=0.50,
        drive=1.0,
        lift=0.0,
        settling=0.10,
        closing=0.05,
        arriving=1.0,
        saturation=10.0,
        breaking=1.1,
    ),
    # Looking at what happened from some distance: mood first, by reappraisal (Gross 1998 ?; Kross & Ayduk 2011 ?).
    Practice.REFLECTION: Kind(
        ease=0.45,
        awareness=0.35,
        drive=0.05,
        lift=1.0,
        settling=0.20,
        closing=0.20,
        arriving=1.5,
        saturation=9.0,
        breaking=1.2,
    ),
}
"""What is known of each practice."""

KINDS: Final = tuple(BY_PRACTICE[practice] for practice in Practice)
"""The same by code, for kernels."""
