"""A search of a toy objective: what labtui adds to each trial.

The baseline is Optuna alone: the same method asked and told in the same kind of journal. What is timed of
labtui is the filler's whole work: reading how runs ended, telling, drawing, making the run directory.
The runs are ended by hand between two looks, as workers would.
"""

from __future__ import annotations

import struct
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from harness import Row, fresh, median, seconds

from labtui import sweeper
from labtui.files.atomic import write_json
from labtui.files.paths import LabPaths, RunPaths
from labtui.recipe.read import check
from labtui.run import recipe_of
from labtui.sweep import Plan, definition

KEYS = ("params.x", "params.y", "params.z")


def toy(trials: int) -> Plan:
    """A search for the bottom of a bowl."""
    sweep = {
        "method": "tpe",
        "runs": trials,
        "metric": "val.loss",
        "space": {key: {"low": -5.0, "high": 5.0} for key in KEYS},
    }
    recipe = {"name": "toy", "command": ["true"], "params": dict.fromkeys("xyz", 0.0), "sweep": sweep}
    return Plan(check(recipe | {"resources": {"min_free": 0.0}}, "toy.toml"), "toy.toml")


def end(run: RunPaths) -> None:
    """End a run as its worker would, with the objective's value."""
    value = sum(number * number for number in recipe_of(run)["params"].values())
    run.keys.write_bytes(b"val.loss\n")
    run.metrics.write_bytes(struct.pack("<qqdd", 0, 1, time.time(), value))
    now = time.time()
    write_json(run.result, {"attempt": 1, "outcome": "finished", "started": now, "ended": now}, fsync=False)


def searched(trials: int) -> Iterator[float]:
    """Seconds of each look of the filler, one after the other."""
    lab, plan = LabPaths(fresh()), toy(trials)
    paths = lab.sweep("20261120-102000-toy-aa00")
    definition.write(paths, plan, [])
    definition.ask(paths)
    filling = sweeper.Filling(lab, paths)
    filling.fill(0)
    while paths.request.exists():
        for run_id in lab.run_ids()[-1:]:
            end(lab.run(run_id))
        yield seconds(lambda: filling.fill(0))
    assert len(lab.run_ids()) == trials


def bare(folder: Path) -> Iterator[float]:
    """Seconds of each trial with Optuna alone."""
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    file = str(folder / "bare.log")
    backend = JournalFileBackend(file, lock_obj=JournalFileOpenLock(file))
    sampler = optuna.samplers.TPESampler(seed=0, multivariate=True)
    study = optuna.create_study(storage=optuna.storages.JournalStorage(backend), sampler=sampler)

    def trial() -> None:
        trial = study.ask()
        study.tell(trial, sum(trial.suggest_float(key, -5.0, 5.0) ** 2 for key in KEYS))

    while True:
        yield seconds(trial)


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    trials = 50 if quick else 200
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna's, of what is experimental
        pairs = list(zip(searched(trials), bare(fresh()), strict=False))
    for work, part in (
        (f"search, {trials} trials: labtui's part of each", pairs),
        ("  of the last quarter", pairs[-trials // 4 :]),
    ):
        own, base = (median([pair[place] for pair in part]) for place in (0, 1))
        yield Row(f"{work}; bare: Optuna's", own - base, "s", base, 0.010)
