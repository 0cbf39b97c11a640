"""Run a command that ends when the process that started it ends, however that happens.

This file is run by path: ``python child.py PARENT COMMAND ARGUMENT...``, see
`bioconv.ground.processes`.  It asks Linux to end this process with its parent, and then becomes the
command.  Other systems have no such request; there it only becomes the command.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

#: prctl(2)
_PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Become the command, whose parent has the process number ``parent``."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended before the request
            sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
