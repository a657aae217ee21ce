"""A sweep as one table: what is done of it, what is best, how long the rest will take."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sweep_lab import accuracies, training

from labtui import swept
from labtui.cli.sweep_screen import draw, window
from labtui.errors import LabError, RunNotFound
from labtui.files.paths import LabPaths, new_run_id
from labtui.query import Lab
from labtui.query.progress import Progress, eta, record
from labtui.query.sweeps import Watch, progress, sweeps
from labtui.recipe.read import check
from labtui.sweep import Plan, definition

RECIPE: dict[str, Any] = {
    "name": "gestures", "data": {"name": "digits"}, "model": {"name": "digits_cnn"},
    "validate": {"scheme": "kfold", "folds": 3, "monitor": "val.acc"},
}  # fmt: skip
SPACE = {"optimizer.lr": [0.1, 0.2, 0.3, 0.4]}


def define(lab: Path, sweep: dict[str, Any] | None = None, **more: Any) -> tuple[str, Plan]:
    """A sweep of four cells in three folds that is asked for, none of its runs made."""
    plan = Plan(check(RECIPE | {"sweep": sweep or {"space": SPACE}} | more, "g.toml"), "g.toml")
    sweep_id = new_run_id("gestures")
    paths = LabPaths(lab).sweep(sweep_id)
    definition.write(paths, plan, [])
    definition.ask(paths, python="")
    return sweep_id, plan


def runs(lab: Path, sweep: str, plan: Plan, *states: str, first: int = 0) -> list[str]:
    """Ended runs of the plan's first trainings; `-` for one that is missing. A cell's accuracy is its
    number / 10, and some more in each fold."""
    made = []
    for number, (one, state) in enumerate(zip(plan, states, strict=False), first):
        if state != "-":
            place = {"cell": one.cell.number, "title": one.cell.title, "fold": one.fold, "repeat": one.repeat}
            best = one.cell.number / 10 + (one.fold or 0) / 100
            recipe = {
                "validate": {"monitor": "val.acc"},
                "optimizer": {"lr": one.values.get("optimizer.lr", 0.1)},
            }
            how = {"state": "stopped", "reason": "pruned"} if state == "pruned" else {"state": state}
            points = accuracies(best, 0.0)
            made.append(training(lab, number, recipe, points, sweep=sweep, key=one.key, **place, **how))
    return made


def look(lab: Path, sweep: str) -> Progress:
    return progress(Lab(LabPaths(lab)), sweep)


def test_every_cell_is_there_whether_it_has_runs_or_not(lab):
    sweep, plan = define(lab)
    ids = runs(lab, sweep, plan, "finished", "finished", "finished", "finished", "failed", "-", "stopped")
    found = look(lab, sweep)
    assert [swept.marks(line.places) for line in found.lines] == ["✓✓✓", "✓✗·", "■··", "···"]
    assert found.counts == {"finished": 4, "failed": 1, "stopped": 1, "to_come": 6}
    assert (found.trainings, found.left, found.going) == (12, 8, 0)
    assert [place.row["id"] for line in found.lines for place in line.places if place.row] == ids
    assert found.lines[0].spread.mean == pytest.approx(0.01) and found.lines[1].spread.n == 1
    assert found.hosts == [os.uname().nodename] and not found.problem


def test_the_best_is_a_cell_that_is_done_as_soon_as_there_is_one(lab):
    sweep, plan = define(lab)
    runs(lab, sweep, plan, "finished", "-", "-", "finished")
    assert look(lab, sweep).best.number == 1
    runs(lab, sweep, plan, "-", "finished", "finished", first=20)
    found = look(lab, sweep)
    assert found.best.number == 0 and found.goal == "max"
    assert swept.best(found) == "best so far: val.acc 0.010 ± 0.010 (3) in cell 0: lr=0.1"


def test_a_pruned_training_is_done_and_has_no_say(lab):
    sweep, plan = define(lab)
    runs(lab, sweep, plan, *["finished"] * 3, *["pruned"] * 9)
    found = look(lab, sweep)
    assert found.counts == {"finished": 3, "pruned": 9, "to_come": 0} and not found.left
    assert {place.reason for line in found.lines for place in line.places} == {""}  # the state says it
    assert found.best.number == 0 and found.lines[3].spread.n == 0


def test_an_edited_sweep_says_which_runs_belong_to_it_no_more(lab):
    sweep, plan = define(lab)
    ids = runs(lab, sweep, plan, *["finished"] * 4)
    watch = Watch(Lab(LabPaths(lab)), sweep)
    assert not watch.look().strays
    fewer = Plan(check(RECIPE | {"sweep": {"space": {"optimizer.lr": [0.2, 0.9]}}}, "g.toml"), "g.toml")
    definition.write(LabPaths(lab).sweep(sweep), fewer, [])
    found = watch.look()
    assert sorted(found.strays) == ids[:3] and found.counts == {"finished": 1, "to_come": 5}
    assert found.lines[0].title == "lr=0.2" and found.lines[0].places[0].row["id"] == ids[3]
    assert "3 runs of it belong to no cell any more" in "\n".join(swept.page(found))


def test_what_changes_is_seen_at_the_next_look(lab):
    sweep, plan = define(lab)
    watch = Watch(Lab(LabPaths(lab)), sweep)
    assert watch.look().counts == {"to_come": 12}
    ids = runs(lab, sweep, plan, "finished", "failed")
    before = watch.look()
    assert before.counts == {"finished": 1, "failed": 1, "to_come": 10}
    second = lab / "runs" / ids[1]
    result = json.loads((second / "result.json").read_text())
    (second / ".new").write_text(json.dumps(result | {"outcome": "finished"}))
    (second / ".new").rename(second / "result.json")
    now = watch.look()
    assert now.counts == {"finished": 2, "to_come": 10}
    assert now.lines[0] is not before.lines[0] and now.lines[1] is before.lines[1]
    (lab / "runs" / ids[0]).rename(lab / "gone")
    assert watch.look().counts == {"finished": 1, "to_come": 11}


def test_of_a_search_there_are_the_cells_that_exist_so_far(lab):
    sweep = {"method": "random", "space": SPACE, "runs": 30}
    sweep_id, _ = define(lab, sweep)
    for number, lr in enumerate((0.4, 0.1)):
        for fold in range(2):
            recipe = {"optimizer": {"lr": lr}, "validate": {"monitor": "val.acc"}}
            origin = {"sweep": sweep_id, "cell": number, "title": f"optimizer.lr={lr}", "fold": fold}
            training(lab, 4 * number + fold, recipe, accuracies(lr, 0.0), key=f"{number}{fold}", **origin)
    found = look(lab, sweep_id)
    assert [swept.marks(line.places) for line in found.lines] == ["✓✓·", "✓✓·"]
    assert found.counts == {"finished": 4, "to_come": 26} and found.runs == 30
    assert found.lines[0].values == {"optimizer.lr": 0.4} and found.best.number == 0


def test_without_a_definition_there_are_the_runs(lab):
    sweep, plan = define(lab)
    runs(lab, sweep, plan, *["finished"] * 4)
    paths = LabPaths(lab).sweep(sweep)
    paths.recipe.unlink()
    found = look(lab, sweep)
    assert "has no definition" in found.problem and not found.broken and found.method == ""
    assert [swept.marks(line.places) for line in found.lines] == ["✓✓✓", "✓"]
    assert found.metric == "val.acc" and found.best.number == 1
    paths.recipe.write_text("name = [")
    found = look(lab, sweep)
    assert found.broken and str(paths.recipe) in found.problem and found.counts["finished"] == 4


def test_an_unknown_sweep_is_none(lab):
    with pytest.raises(RunNotFound, match="no such sweep"):
        look(lab, "20261120-102000-nothing-aa00")
    with pytest.raises(LabError, match="no name of a folder"):
        look(lab, "../../..")


def test_all_sweeps_have_their_totals(lab):
    (one, plan), (other, _) = define(lab), define(lab, {"space": SPACE, "repeats": 2})
    runs(lab, one, plan, "finished", "finished", "finished", "failed")
    training(lab, 50, {}, accuracies(0.5, 0.1), sweep="../..", cell=0)
    found = sweeps(Lab(LabPaths(lab)))
    assert [entry.sweep for entry in found] == sorted((one, other))
    assert {entry.sweep: dict(entry.counts) for entry in found} == {
        one: {"finished": 3, "failed": 1, "to_come": 8},
        other: {"to_come": 24},
    }
    assert next(entry for entry in found if entry.sweep == one).best.number == 0
    definition.withdraw(LabPaths(lab).sweep(other))
    assert [entry.sweep for entry in sweeps(Lab(LabPaths(lab)), going=True)] == [one]


# How long it takes.


def row(state: str, duration: float | None = None) -> dict[str, Any]:
    return {"state": state, "duration": duration}


@pytest.mark.parametrize(
    ("rows", "to_come", "hours", "seconds"),
    [
        ([row("queued")], 5, None, None),  # nothing has finished
        ([row("finished", 10.0)], 0, None, None),  # nothing goes on
        ([row("finished", 10.0)], 5, None, 50.0),
        ([row("finished", 10.0), row("running", 4.0), row("running", 4.0), row("queued")], 1, None, 16.0),
        ([row("finished", 10.0), row("running", 1.0), row("running", 9.0)], 0, None, 9.0),
        ([row("finished", 10.0), row("running", 30.0)], 0, None, 0.0),
        ([row("finished", 10.0)], 1000, 60 / 3600, 50.0),  # the budget's hours end it
        ([row("finished", 10.0)], float("inf"), 60 / 3600, 50.0),
    ],
)
def test_the_rest_takes_as_long_as_what_has_run(rows, to_come, hours, seconds):
    found = eta(rows, to_come, hours)
    assert found == (None if seconds is None else pytest.approx(seconds))


# As a table.


def test_the_whole_sweep_is_recorded(lab):
    sweep, plan = define(lab)
    runs(lab, sweep, plan, "finished", "failed")
    found = record(look(lab, sweep))
    assert json.loads(json.dumps(found))["counts"] == {"finished": 1, "failed": 1, "to_come": 10}
    assert len(found["cells"]) == 4 and found["best"] == 0 and found["metric"] == "val.acc"
    trainings = found["cells"][0]["trainings"]
    assert [one["state"] for one in trainings] == ["finished", "failed", "to_come"]
    assert trainings[2]["run"] is None and trainings[2]["fold"] == 2 and len(trainings[2]["key"]) == 24


def many(lab: Path, cells: int, done: int) -> Progress:
    sweep, plan = define(
        lab, {"space": {"train.epochs": list(range(1, cells + 1))}}, validate={"monitor": "val.acc"}
    )
    runs(lab, sweep, plan, *["finished"] * done)
    return look(lab, sweep)


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (160, 48), (40, 10), (20, 6)])
def test_a_screen_is_never_wider_or_longer_than_the_terminal(lab, columns, lines):
    found = many(lab, 200, 20)
    shown = draw(found, columns, lines, "the queue is paused: by hand").plain.splitlines()
    assert len(shown) < lines and all(len(line) <= columns for line in shown)
    assert shown[0].startswith("20 of 200 finished"[: columns - 1])
    assert any(line.startswith("… and 1") for line in shown)


def test_a_screen_has_the_best_and_what_is_next(lab):
    found = many(lab, 200, 20)
    best, now = window(found, 18)
    assert [line.number for line in best] == [19, 18, 17]
    numbers = [line.number for line in now]
    assert 20 in numbers and numbers == sorted(numbers)
    assert len(best) + len(now) + 2 <= 18


def test_folds_of_a_single_cell_have_a_line_each(lab):
    sweep, plan = define(lab, {"repeats": 2})
    runs(lab, sweep, plan, "finished", "failed", "finished")
    text = draw(look(lab, sweep), 80, 24).plain
    assert "repeat 0, fold 1  ✗ failed" in text and "repeat 1, fold 2  · to come" in text
    columns, rows = swept.in_words(look(lab, sweep))
    assert columns == ["repeat", "fold", "run", "state", "val.acc ↑", "duration"] and len(rows) == 6


def test_titles_are_data(lab):
    cells = [
        {"title": "[bold]x[/]\x1b[31m\nend", "optimizer.lr": 0.1},
        {"title": "plain", "optimizer.lr": 0.2},
    ]
    sweep, plan = define(lab, {"method": "list", "cells": cells})
    runs(lab, sweep, plan, *["finished"] * 6)
    found = look(lab, sweep)
    text = draw(found, 80, 24).plain
    assert "[bold]x[/]␛[31m\\nend" in text and "\x1b" not in text
    columns, rows = swept.in_words(found)
    assert columns[:3] == ["cell", "title", "optimizer.lr"] and rows[1][1] == "plain"
    assert "\x1b" not in "\n".join(swept.page(found))


def test_what_was_decided_of_training_together_is_said(lab):
    sweep, _ = define(lab)
    file = LabPaths(lab).sweep(sweep).stack("a1")
    file.write_text(json.dumps({"together": True, "why": "", "ratio": 8.13}))
    other = LabPaths(lab).sweep(sweep).stack("b2")
    other.write_text(json.dumps({"together": False, "why": "the model has a buffer", "ratio": 0}))
    said = swept.page(look(lab, sweep))
    assert "trained together: 8.1 times as fast together" in said
    assert "trained one by one: the model has a buffer" in said


def test_ten_thousand_cells_are_looked_at_again_in_no_time(lab):
    space = {"params.x": list(range(10_000))}
    program = {"name": "p", "command": ["true"], "params": {"x": 0}, "sweep": {"space": space}}
    plan = Plan(check(program, "p.toml"), "p.toml")
    sweep = new_run_id("p")
    definition.write(LabPaths(lab).sweep(sweep), plan, [])
    rows = [_row(number, one.key, sweep) for number, one in enumerate(plan)]
    watch = Watch(Lab(LabPaths(lab)), sweep)
    assert watch.update(rows).counts == {"finished": 10_000, "to_come": 0}
    rows[17] = rows[17] | {"state": "running"}
    begun = time.perf_counter()
    found = watch.update(rows)
    assert time.perf_counter() - begun < 0.1  # 15 ms; the plan alone takes more
    assert Counter(found.counts) == {"finished": 9_999, "running": 1, "to_come": 0}


def _row(number: int, key: str, sweep: str) -> dict[str, Any]:
    return {
        "id": f"{number:05d}", "sweep": sweep, "key": key, "cell": number, "repeat": None, "fold": None,
        "state": "finished", "reason": "", "duration": 1.0, "metrics": {}, "params": {}, "title": "",
    }  # fmt: skip
