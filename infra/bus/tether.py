"""Become another program that dies with its parent: `python -I -S tether.py PARENT_PID PROGRAM [ARGUMENT ...]`.

Linux sends SIGKILL to the program when the thread that started it ends (prctl PR_SET_PDEATHSIG, kept across exec), so
whoever starts a tethered program does so from a thread that lives as long as the program. Other systems have no such
signal: there the program ends by its owner's `stop` only. A separate launcher does what `preexec_fn` would, which is
unsafe in a process with threads. Standard library only, so that it starts in about 15 ms.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Tie this process to its parent, then replace it by the program."""
    parent, *command = arguments
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != int(parent):
            sys.exit(1)  # the parent died before the tether was tied
    os.execv(command[0], command)  # noqa: S606 - a list, from our own code; no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
