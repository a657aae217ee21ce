"""The supervisor's process: `python -m labtui.agent LAB [LOCK]`, started when something is queued.

Here launching meets searching: a reference in a recipe is looked up when the run that needs it starts,
and what sweeps still want becomes runs.
"""

from __future__ import annotations

import math
import sys
import time
import traceback
from pathlib import Path

from labtui.files.paths import LabPaths

REST = 2.0
"""Seconds between the unexpected end of a supervisor and the next one, doubled each time."""
LONGEST = 300.0


def supervise(folder: Path, lock: int | None = None) -> bool:
    """Supervise a lab until nothing is left to do; False when another process does so already.

    Args:
        lock: descriptor of the locked file, when it was handed over.

    Raises:
        LabError: the lab cannot be written.
    """
    from labtui.launch.agent import Supervisor
    from labtui.launch.wake import Lock

    lab = LabPaths(folder)
    held = Lock(lab, lock)
    if not held.take():
        held.close()
        return False

    def resolve(reference: str, asking: str) -> str:
        from labtui.query.lab import Lab, resolve

        index = Lab(lab).index
        index.refresh()
        own = index.row(asking) or {"sweep": "", "created": math.inf}
        # Neither itself nor those that were launched with it; the last one is the last before it.
        others = [row for row in index.rows if row["id"] != asking and row["sweep"] != (own["sweep"] or None)]
        if reference == "@last":
            others = [row for row in others if row["created"] <= own["created"]]
        return str(resolve(others, reference)["id"])

    from labtui.sweeper import Sweeper

    sweeper = Sweeper(lab)
    rest = REST
    while True:
        begun = time.monotonic()
        try:
            Supervisor(lab, held, resolve, sweeper.fill).work()
            return True
        except Exception:  # nobody is there at night; all that it knew is on the disk, for the next one
            traceback.print_exc()
            rest = REST if time.monotonic() - begun > 2 * rest else min(2 * rest, LONGEST)
            time.sleep(rest)


if __name__ == "__main__":
    supervise(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
