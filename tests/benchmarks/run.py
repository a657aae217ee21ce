"""Benchmarks: each beside a baseline that is measured in the same run, as one line of a table.

python tests/benchmarks/run.py                # all
python tests/benchmarks/run.py log read       # some
python tests/benchmarks/run.py --quick        # fewer repetitions: for a look, not for figures
python tests/benchmarks/run.py --peers log    # other tools too, each installed in a place of its own
python tests/benchmarks/run.py tui keys idle memory    # the terminal application, through a pty of both sizes
python tests/benchmarks/run.py leet           # the best other viewer beside it, in the same terminal
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib import import_module

from harness import HEAD, clean_environment, line

FAMILIES = {
    "log": "logging_rate",
    "first": "first",
    "kill": "kill",
    "read": "reading",
    "create": "creating",
    "list": "listing",
    "sweeps": "sweeps",
    "concurrent": "together",
    "train": "training",
    "inside": "inside",
    "warm": "warm",
    "together": "stacked",
    "queue": "queueing",
    "search": "searching",
    "cli": "commands",
    "augment": "augmenting",
    "tui": "screens",
    "keys": "keys",
    "idle": "idle",
    "memory": "memory",
    "leet": "leet",
}
"""What a benchmark is called, and the file it is in."""


def main() -> None:
    """Run the benchmarks that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name", nargs="*", help=" ".join(FAMILIES))
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, smaller labs")
    parser.add_argument("--peers", action="store_true", help="how fast other tools log and train, too")
    asked = parser.parse_args()
    if unknown := [name for name in asked.name if name not in FAMILIES]:
        parser.error(f"no such benchmark: {' '.join(unknown)}; there are: {' '.join(FAMILIES)}")
    clean_environment()
    print(f"# Python {platform.python_version()}, {os.cpu_count()} cores, {platform.platform()}")
    print(line(HEAD), flush=True)
    for name in asked.name or [name for name in FAMILIES if name != "leet" or asked.peers]:
        for row in import_module(FAMILIES[name]).rows(asked.quick):
            print(line(row.cells()), flush=True)
    if asked.peers:
        for module in ("peers", "frameworks"):
            for row in import_module(module).rows(asked.quick):
                print(line(row.cells()), flush=True)
    load = " ".join(f"{figure:.2f}" for figure in os.getloadavg())
    print(f"# load average at the end: {load}")


if __name__ == "__main__":
    sys.exit(main())
