"""Workers: from the claim of a small training to its first optimiser step, forked from the warm parent.

The baseline is what nobody can do without in a process of its own: import torch and make an
optimiser. The first training of a supervisor waits for the same once; the later ones do not.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from harness import Row, fresh, labtui, median, whole

from labtui.files import rundir
from labtui.files.paths import LabPaths, RunPaths
from labtui.files.toml import dumps
from labtui.launch.warm import Warm
from labtui.recipe.core import Recipe
from labtui.series import read

BARE = [sys.executable, "-c", "import torch; torch.optim.SGD([torch.zeros(1)], 1)"]
RECIPE = {
    "name": "small",
    "data": {"name": "digits", "shift": 1},
    "model": {"name": "digits_cnn", "channels": 4, "hidden": 16, "dropout": 0.3},
    "train": {"epochs": 2, "batch_size": 128},
    "resources": {"gpus": 0, "threads": 1, "min_free": 0},
}


def began(run: RunPaths) -> float:
    """Unix time of a run's first optimiser step."""
    series = read(run, "train.step_loss")
    assert series.steps[0] == 1
    return float(series.times[0])


def forked(lab: LabPaths, warm: Warm) -> float:
    """Seconds from the claim of a run to its first optimiser step."""
    tables = Recipe.model_validate(RECIPE).tables()
    run = rundir.create(lab, "small", tables, queued=True)
    claimed = time.time()
    rundir.claim(run, 1)
    environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    warm.send(run.id, run, 1, environment=environment, folder=lab.root, tables=tables)
    kinds: list[str] = []
    while "ended" not in kinds:
        select.select([warm.fileno()], [], [])
        kinds += [event.kind for event in warm.receive()]
    assert kinds == ["started", "ended"], run.log.read_text()
    return began(run) - claimed


def parent(later: int) -> tuple[float, list[float]]:
    """The first and the later workers of one warm parent."""
    lab = LabPaths(fresh())
    warm = Warm(lab)
    try:
        return forked(lab, warm), [forked(lab, warm) for _ in range(later)]
    finally:
        warm.close()


def sweep(runs: int) -> tuple[float, list[float]]:
    """`labtui run` of a sweep, one run at a time: seconds from the request to the first optimiser
    step of its first run, and from the end of each run to the first step of the next."""
    lab = fresh()
    (lab / "labtui.toml").write_text("[slots]\ncores = 1\n")
    (lab / "small.toml").write_bytes(dumps(RECIPE | {"sweep": {"repeats": runs}}))
    subprocess.run(labtui("run", "small.toml"), cwd=lab, check=True, capture_output=True)
    paths = LabPaths(lab)
    made = sorted((paths.run(run_id) for run_id in paths.run_ids()), key=began)
    assert len(made) == runs
    ends = [_time(run.result, "ended") for run in made]
    asked = min(_time(run.queue, "time") for run in made)
    return began(made[0]) - asked, [began(run) - end for run, end in zip(made[1:], ends, strict=False)]


def _time(path: Path, key: str) -> float:
    return float(json.loads(path.read_text())[key])


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    bare, first, later = [], [], []
    begin, turn = [], []
    whole(BARE)
    for _ in range(2 if quick else 7):
        bare.append(whole(BARE))
        one, more = parent(5)
        first.append(one)
        later += more
        one, more = sweep(6)
        begin.append(one)
        turn += more
    base = median(bare)
    work = "small training: claim → first optimiser step, first worker; bare: torch"
    yield Row(work, median(first), "s", base, 1.2, of_ratio=True)
    yield Row("  the second and later workers", median(later), "s", base, 0.1, of_ratio=True)
    yield Row("  slowest of them", max(later), "s", base)
    yield Row("  `labtui run` of a sweep, supervisor included: queued → first step", median(begin), "s", base)
    yield Row(
        "  the same: end of a run → first step of the next", median(turn), "s", base, 0.1, of_ratio=True
    )
