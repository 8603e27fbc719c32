"""The vocabulary of event kinds and worlds: from contract codes and lake names to token indices."""

import numpy as np
import numpy.typing as npt

from infra.contracts.kinds import KIND_BY_NAME, KINDS
from infra.contracts.worlds import World

PAD = 0
"""Index of the padding slot: no event."""
UNKNOWN = 1
"""Index of a kind this version has never heard of."""

KIND_CODES: tuple[int, ...] = tuple(sorted(int(kind) for kind in KINDS))
"""Contract codes of the known kinds; code i has token index i + 2."""
KIND_COUNT = len(KIND_CODES) + 2


def _index_table() -> npt.NDArray[np.int16]:
    table = np.full(max(KIND_CODES) + 1, UNKNOWN, dtype=np.int16)
    table[list(KIND_CODES)] = np.arange(2, KIND_COUNT, dtype=np.int16)
    return table


_INDEX = _index_table()


def kind_index(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int16]:
    """Token indices of contract kind codes; what is not in the contract becomes UNKNOWN. Shapes (n,)."""
    known = (codes >= 0) & (codes < len(_INDEX))
    return np.where(known, _INDEX[np.where(known, codes, 0)], np.int16(UNKNOWN))


def kind_names() -> dict[str, int]:
    """Every spelling under which a kind may be stored (wire name, enum name) -> contract code."""
    codes = {name: int(kind) for name, kind in KIND_BY_NAME.items()}
    return codes | {kind.name: int(kind) for kind in KIND_BY_NAME.values()}


def world_names() -> dict[str, int]:
    """Every spelling under which a world may be stored (label, enum name) -> contract code."""
    return {world.label: int(world) for world in World} | {world.name: int(world) for world in World}
