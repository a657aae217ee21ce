"""A word to the user that never fails: stderr may be a log on a disk that is full, or closed."""

from __future__ import annotations

import sys
from contextlib import suppress


def tell(message: str) -> None:
    """Print a message on stderr, if that can be written."""
    with suppress(OSError, ValueError, AttributeError):
        print(message, file=sys.stderr, flush=True)
