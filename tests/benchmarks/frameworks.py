"""PyTorch Lightning at the same trainings, from the start of the process to its end.

It has an environment of its own, with the torch of this one. Both train the same model on the same
data for as many epochs, with one thread, score the validation split after each, keep the best and the last
checkpoint, and write metrics to files. Lightning runs as its manual has it, without progress bar and model
summary, and records each 50th step, its default; labtui records each step, and more scores. It is
`labtui run` in a new lab, supervisor included. Repeats are a sweep there, one run at a time, and one process
after the other here. Both load torch, which most of a short training is, so a longer one or a second one tells
more of what each adds.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from harness import CHILDREN, Row, child, fresh, interleaved, labtui, median, seconds
from peers import installed
from training import FNIRS

from labtui.files.toml import dumps

DIGITS = {
    "name": "digits",
    "data": {"name": "digits"},
    "model": {"name": "digits_cnn", "channels": 4, "hidden": 16},
    "train": {"batch_size": 64},
}
LIMITS = {"gpus": 0, "threads": 1, "min_free": 0}
THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


WORK = ((FNIRS, 31, 1), (FNIRS, 31, 5), (DIGITS, 40, 1), (DIGITS, 40, 5))
"""Recipe, epochs (the notebook's, and those of recipes/digits.toml), repeats."""


def by_labtui(tables: dict[str, Any], epochs: int, repeats: int) -> float:
    """Seconds of `labtui run`."""
    lab = fresh()
    (lab / "labtui.toml").write_text("[slots]\ncores = 1\n")
    (lab / "random_data.py").write_text((CHILDREN / "random_data.py").read_text())
    train = tables["train"] | {"epochs": epochs}
    more = {"train": train, "resources": LIMITS, "sweep": {"repeats": repeats}}
    (lab / "recipe.toml").write_bytes(dumps(tables | more))
    took = seconds(lambda: _quiet(labtui("run", "recipe.toml"), lab))
    results = [json.loads(path.read_text()) for path in lab.glob("runs/2*/result.json")]
    assert [result["last"]["epoch"] for result in results] == [epochs] * repeats
    return took


def by_lightning(python: Path, name: str, epochs: int, repeats: int) -> float:
    """Seconds of a script that trains with Lightning."""
    command = [str(python), *child("lightning_fit.py", name, epochs)[1:]]
    return sum(seconds(lambda: _quiet(command, fresh())) for _ in range(repeats))


def _quiet(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=os.environ | THREADS)


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    python = installed("lightning", beside=True)
    if python is None:
        print("# lightning: skipped, cannot be installed here", flush=True)
        return
    for tables, epochs, repeats in WORK[::2] if quick else WORK:
        asked = (epochs // 5 if quick else epochs, repeats)
        ours, theirs = interleaved(
            1 if quick else 3,
            partial(by_labtui, tables, *asked),
            partial(by_lightning, python, tables["name"], *asked),
        )
        runs = f"{repeats} runs of {asked[0]} epochs" if repeats > 1 else f"one run of {asked[0]} epochs"
        work = f"{tables['name']}, {runs}, start to end; baseline: PyTorch Lightning"
        yield Row(work, median(ours), "s", median(theirs), 1 / 3, of_ratio=True)
