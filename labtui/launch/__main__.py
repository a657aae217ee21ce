"""Starts queued runs one after another: `python -m labtui.launch LAB RUN…`, detached from terminals."""

from __future__ import annotations

import sys
from pathlib import Path

from labtui.errors import LabtuiError
from labtui.files.paths import LabPaths
from labtui.launch.start import start


def main(folder: str, run_ids: list[str]) -> None:
    """Start each run that still waits, and the next one when it has ended."""
    lab = LabPaths(Path(folder))
    for run_id in run_ids:
        paths = lab.run(run_id)
        try:
            worker = start(lab, paths) if paths.root.is_dir() else None
        except LabtuiError:
            continue  # the run says why
        if worker is not None:
            worker.wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
