"""``python -m bioconv`` is the command ``bioconv``."""

import sys

from bioconv.cli import main

if __name__ == "__main__":
    sys.exit(main())
