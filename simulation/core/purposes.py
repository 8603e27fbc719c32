"""What the simulation draws for: each use has its own number, so that no two uses share a draw.

Numbers stay below 1,000, which is where the purposes of the other parts begin (`infra.contracts.draws.Purpose`).
"""

from typing import Final

BIRTH: Final = 1
WANDER: Final = 2
TOPIC: Final = 3
FOCUS_NOISE: Final = 4
STRAIN: Final = 5
MOOD_NOISE: Final = 6
CLOCK: Final = 7
SESSION: Final = 8
PLACE: Final = 9
GAZE: Final = 10
EMOTION: Final = 11
CHECK: Final = 12
OFFER: Final = 13
ACT: Final = 14
CONTENT: Final = 15
ANSWER: Final = 16
INTEREST: Final = 17
TASK: Final = 18
TEXT: Final = 19
EVENT_ID: Final = 21
PEER: Final = 22
OPEN: Final = 23
OWN: Final = 24
LEAVE: Final = 25
GROUP: Final = 26
TRIAL_ARM: Final = 40
TRIAL_ORDER: Final = 41
ORACLE: Final = 901
POTENTIAL: Final = 902
