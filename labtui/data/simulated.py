"""What simulators of data have in common."""

from __future__ import annotations

from pathlib import Path

from labtui.errors import DataError

MARK = "SIMULATED.txt"
"""File that says so of data whose own files have no place for it."""


def begin(out: Path, seed: int, *held: str) -> None:
    """Make the folder for simulated data, which must not mix with data that is there.

    Args:
        seed: of the simulator.
        held: patterns of what the folder must not hold.

    Raises:
        DataError: the seed is negative, or the folder holds such files.
    """
    if seed < 0:
        raise DataError(f"seed = {seed}: expected 0 or more")
    if there := next((path for pattern in held for path in out.glob(pattern)), None):
        raise DataError(f"{out} already holds {there.relative_to(out)}: name an empty or a new folder")
    out.mkdir(parents=True, exist_ok=True)


def mark(out: Path) -> None:
    """Say of all that lies in a folder that it was simulated."""
    (out / MARK).write_text("Written by labtui data make: nothing in this folder was recorded.\n", "utf-8")


def marked(folder: Path) -> bool:
    """Whether `mark` said so."""
    return (folder / MARK).exists()
