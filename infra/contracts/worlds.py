"""The worlds a person can be in."""

from enum import IntEnum


class World(IntEnum):
    """Code of a world on the wire. NONE is an event from outside every world (a replayed log)."""

    NONE = 0
    SOCIAL = 1
    LEARNING = 2
    WORK = 3
    GAMING = 4
    MEDICAL = 5

    @property
    def label(self) -> str:
        """Lower-case name, as people read it."""
        return self.name.lower()
