"""The same command for ``python -m rmz_async.cli``."""

import sys

from rmz_async.cli import main

__all__ = ()

if __name__ == "__main__":
    sys.exit(main())
