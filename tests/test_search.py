"""Searches: what is drawn, what is told, what survives, and what becomes runs."""

from __future__ import annotations

import json
import math
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from launch_lab import eventually, gone
from report_lab import BEGUN, write_metrics

from labtui import launch, sweeper
from labtui.errors import JournalError, LabError, RecipeError
from labtui.files import process
from labtui.files.atomic import read_json, write_json
from labtui.files.paths import LabPaths, RunPaths, SweepPaths
from labtui.files.rundir import directory
from labtui.files.toml import dumps
from labtui.launcher import queue_recipe
from labtui.query import Lab
from labtui.query.sweeps import Watch
from labtui.recipe.read import check
from labtui.run import derive, recipe_of
from labtui.searching import Followed
from labtui.sweep import Plan, definition
from labtui.sweep.search import Search

PROGRAM = """
import sys, labtui
x, y = map(float, sys.argv[1:3])
with labtui.init() as run:
    for epoch in range(1, 4):
        run.log({"val.loss": (x - 2) ** 2 + (y + 1) ** 2 + 1 / epoch}, epoch)
"""
BASE: dict[str, Any] = {
    "name": "toy",
    "command": [sys.executable, "-c", PROGRAM, "{params.x}", "{params.y}"],
    "params": {"x": 0.0, "y": 0.0, "kind": "a", "tail": 0},
    "resources": {"gpus": 0, "min_free": 0},
}
WIDE = {"low": -5.0, "high": 5.0}
SPACE: dict[str, Any] = {"params.x": WIDE, "params.y": WIDE}


def plan(space: dict[str, Any] | None = None, base: dict[str, Any] | None = None, **sweep: Any) -> Plan:
    tables = {"method": "random", "runs": 100, "metric": "val.loss", "space": space or SPACE} | sweep
    return Plan(check(BASE | (base or {}) | {"sweep": tables}, "toy.toml"), "toy.toml")


@pytest.fixture
def paths(lab: Path) -> SweepPaths:
    found = LabPaths(lab).sweep("20261120-102000-toy-aa00")
    found.root.mkdir(parents=True)
    return found


def search(paths: SweepPaths, given: Plan) -> Search:
    return Search(paths, given, *given.objective)


def bowl(values: dict[str, Any]) -> float:
    return float((values["params.x"] - 2) ** 2 + (values["params.y"] + 1) ** 2)


def drawn(
    found: Search, number: int, worth: Callable[[dict[str, Any]], float] = bowl
) -> list[dict[str, Any]]:
    """Candidates that are told one after the other."""
    values = []
    for _ in range(number):
        cell = found.ask()
        assert cell is not None
        found.tell(cell.number, worth(cell.values))
        values.append(cell.values)
    return values


# What is drawn.


def test_a_search_learns_from_what_it_is_told(paths: SweepPaths, tmp_path: Path):
    best = {}
    for method in ("random", "tpe"):
        own = SweepPaths(tmp_path / method)
        own.root.mkdir()
        best[method] = min(map(bowl, drawn(search(own, plan(method=method)), 40)))
    assert best["tpe"] < 0.1 < best["random"]


@pytest.mark.parametrize("method", ["random", "tpe", "qmc", "nsgaii"])
def test_a_search_is_the_same_however_often_it_was_interrupted(
    method: str, paths: SweepPaths, tmp_path: Path
):
    given = plan(method=method, seed=7)
    whole = drawn(search(paths, given), 14)
    parts = SweepPaths(tmp_path / "parts")
    parts.root.mkdir()
    assert [one for _ in range(7) for one in drawn(search(parts, given), 2)] == whole
    assert len({repr(one) for one in whole}) == 14


def test_another_seed_draws_others(paths: SweepPaths, tmp_path: Path):
    other = SweepPaths(tmp_path / "other")
    other.root.mkdir()
    assert drawn(search(paths, plan()), 1) != drawn(search(other, plan(seed=1)), 1)


def test_ranges_and_lists_give_what_they_say(paths: SweepPaths):
    space = {
        "params.x": {"low": 1e-4, "high": 1.0, "log": True},
        "params.y": {"low": 0.0, "high": 1.0, "step": 0.3},
        "params.tail": {"low": 1, "high": 10, "step": 4},
        "params.kind": ["a", 1, True, [1, 2], {"deep": [3]}],
    }
    found = drawn(search(paths, plan(space)), 60, lambda values: 1.0)
    assert sum(one["params.x"] < 0.01 for one in found) > 15, "as likely in each decade"
    assert {one["params.y"] for one in found} == {0.0, 0.3, 0.6, 0.9}
    assert {one["params.tail"] for one in found} == {1, 5, 9}
    assert {repr(one["params.kind"]) for one in found} == {"'a'", "1", "True", "[1, 2]", "{'deep': [3]}"}


def test_a_key_is_drawn_only_where_its_condition_holds(paths: SweepPaths):
    # In an order in which a key comes before the one that its condition names.
    space = {"params.tail": [1, 2], "params.y": WIDE, "params.kind": ["a", "b"], "params.x": [0, 1]}
    when = {"params.tail": "params.y>0", "params.y": "params.kind=b"}
    found = drawn(search(paths, plan(space, when=when)), 40, lambda values: 1.0)
    for one in found:
        assert ("params.y" in one) == (one["params.kind"] == "b")
        assert ("params.tail" in one) == (one.get("params.y", 0) > 0)
    assert any("params.tail" in one for one in found)
    with pytest.raises(RecipeError, match="wait for each other"):
        search(paths, plan(space, when={"params.x": "params.tail>0", "params.tail": "params.x>0"}))


def test_what_does_not_fit_is_drawn_again_and_costs_nothing(paths: SweepPaths):
    given = plan(constraints=["params.x > params.y"], method="tpe")
    found = search(paths, given)
    assert all(one["params.x"] > one["params.y"] for one in drawn(found, 15))
    assert len(found.trials()) == 15 and len({trial.cell.number for trial in found.trials()}) == 15


def test_a_space_of_which_nothing_fits_is_an_error(paths: SweepPaths):
    with pytest.raises(RecipeError, match=r"do not fit \(sweep.constraints\)"):
        search(paths, plan(constraints=["params.x > 6"])).ask()


def test_what_is_known_is_not_trained_again(paths: SweepPaths):
    found = search(paths, plan({"params.x": [1, 2, 3], "params.y": [4, 5]}))
    assert len(drawn(found, 6)) == 6
    assert found.ask() is None, "there is nothing new"
    assert len(found.trials()) == 6


def test_a_failed_candidate_that_finishes_after_all_counts(paths: SweepPaths):
    found = search(paths, plan())
    cell = found.ask()
    assert cell
    found.tell(cell.number, None)
    assert [(one.cell, one.state) for one in found.trials()] == [(cell, "failed")]
    found.tell(cell.number, 3.0)
    found.tell(cell.number, 4.0)
    (one,) = search(paths, plan()).trials()
    assert (one.cell, one.state, one.value) == (cell, "done", 3.0)
    following = found.ask()
    assert following and following.number not in (cell.number, cell.number + 1)


# What survives.


def test_a_line_that_was_half_written_is_none(paths: SweepPaths):
    found = search(paths, plan())
    cells = [found.ask() for _ in range(3)]
    with open(paths.journal, "ab") as file:
        file.write(b'{"op_code": 4, "worker')
    again = search(paths, plan())
    assert [one.cell for one in again.trials()] == cells
    assert again.ask()
    assert len(search(paths, plan()).trials()) == 4
    assert all(json.loads(line) for line in paths.journal.read_bytes().splitlines())


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n",
        b'{"op_code": 99, "worker_id": "a"}\n',
        b'{"op_code": 4}\n',
        b"[1]\n",
        b"\0" * 50 + b"\n",
    ],
)
def test_a_journal_that_cannot_be_read_is_said_and_kept(line: bytes, paths: SweepPaths):
    search(paths, plan()).ask()
    with open(paths.journal, "ab") as file:
        file.write(line + b'{"op_code": 0, "worker_id": "b", "study_name": "c", "directions": [1]}\n')
    before = paths.journal.read_bytes()
    with pytest.raises(
        JournalError, match=r"journal.log: .*take it away: `labtui resume 20261120-102000-toy-aa00`"
    ):
        search(paths, plan())
    assert paths.journal.read_bytes() == before


@pytest.mark.parametrize("name", ["my study", "labtui-9-1-0123456789abcdef"])
def test_a_journal_of_another_program_or_version_is_not_touched(name: str, paths: SweepPaths):
    line = {"op_code": 0, "worker_id": "b", "study_name": name, "directions": [1]}
    paths.journal.write_text(json.dumps(line) + "\n")
    before = paths.journal.read_bytes()
    with pytest.raises(JournalError, match="another version"):
        search(paths, plan())
    assert paths.journal.read_bytes() == before


def test_a_candidate_that_was_not_drawn_to_its_end_is_none(paths: SweepPaths):
    found = search(paths, plan())
    found.ask()
    lines = paths.journal.read_text().splitlines(keepends=True)
    paths.journal.write_text("".join(lines[:-1]))  # without the word that it is whole
    assert search(paths, plan()).trials() == []
    begun = json.loads(lines[1])["datetime_start"]
    paths.journal.write_text("".join(lines[:-1]).replace(begun, "2026-01-01T00:00:00.000000+00:00"))
    assert search(paths, plan()).trials() == []
    told = json.loads(paths.journal.read_text().splitlines()[-1])
    assert (told["trial_id"], told["state"]) == (0, 3), "which is Optuna's for failed"
    cell = search(paths, plan()).ask()
    assert cell and cell.number == 1


def test_a_journal_that_cannot_be_written_is_an_error_with_its_name(paths: SweepPaths):
    paths.journal.mkdir()
    with pytest.raises(LabError, match=r"journal\.log"):
        search(paths, plan())


# What becomes runs. The runs' ends are written by hand.


class Hand:
    """A search of a lab whose runs are ended by hand, as one machine fills it."""

    def __init__(self, lab: Path, given: Plan) -> None:
        self.lab, self.given = LabPaths(lab), given
        self.paths = self.lab.sweep("20261120-102000-toy-aa00")
        definition.write(self.paths, given, [])
        definition.ask(self.paths)
        self.filling = sweeper.Filling(self.lab, self.paths)

    def fill(self) -> list[RunPaths]:
        return self.filling.fill(0)

    @property
    def trials(self) -> list[tuple[int, str, float | None]]:
        found = search(self.paths, self.given).trials()
        return [(one.cell.number, one.state, one.value) for one in found]


def end(run: RunPaths, outcome: str = "finished", **metrics: float) -> None:
    """Write how a run ended."""
    write_metrics(run.root, {name.replace("_", "."): [(1, value)] for name, value in metrics.items()})
    record = {"attempt": 1, "outcome": outcome, "reason": "", "started": BEGUN, "ended": BEGUN + 10}
    write_json(run.result, record, fsync=False)


def begin(run: RunPaths, **metrics: list[tuple[int, float]]) -> None:
    """Let a run seem to be at work, in this process."""
    mine = process.identity() | {"attempt": 1, "directory": directory(run.root), "time": BEGUN}
    write_json(run.process, mine, fsync=False)
    write_metrics(run.root, {name.replace("_", "."): points for name, points in metrics.items()})


def test_a_candidate_is_drawn_when_the_last_one_does_not_wait_any_more(lab: Path):
    hand = Hand(lab, plan(runs=3))
    (first,) = hand.fill()
    assert hand.fill() == [], "it waits"
    begin(first)
    (second,) = hand.fill()
    end(first, val_loss=2.0)
    first.process.unlink()
    assert hand.fill() == []
    end(second, val_loss=1.0)
    (third,) = hand.fill()
    assert hand.trials == [(0, "done", 2.0), (1, "done", 1.0), (2, "open", None)]
    assert [recipe_of(run)["origin"]["cell"] for run in (first, second, third)] == [0, 1, 2]
    end(third, val_loss=5.0)
    assert hand.fill() == [] and not hand.paths.request.exists(), "three runs were its budget"
    assert hand.trials[2] == (2, "done", 5.0)


def test_a_candidate_is_worth_the_mean_of_its_repeats(lab: Path):
    hand = Hand(lab, plan(repeats=2, runs=5))
    runs = hand.fill()
    assert len(runs) == 2
    end(runs[0], val_loss=1.0)
    assert hand.trials == [(0, "open", None)]
    end(runs[1], val_loss=2.0)
    runs = hand.fill()
    assert hand.trials[0] == (0, "done", 1.5)
    for run in runs:
        end(run, val_loss=3.0)
    assert hand.fill() == [], "one more would be half a candidate"


def test_a_clusters_queue_has_two_candidates_or_as_many_as_run(lab: Path):
    slurm = {"launcher": "slurm", "gpus": 0, "min_free": 0}
    hand = Hand(lab, plan(base={"resources": slurm}))
    runs = hand.fill()
    assert len(runs) == 2 and hand.fill() == []
    for run in runs:
        begin(run)
    runs += hand.fill()
    assert len(runs) == 4
    begin(runs[2])
    assert len(hand.fill()) == 2, "three run, three wait"


def test_a_budget_below_one_candidate_is_an_error():
    with pytest.raises(RecipeError, match="less than the 2 trainings of one candidate"):
        plan(repeats=2, runs=1).check()


def test_hours_end_a_search(lab: Path):
    hand = Hand(lab, plan(runs=None, hours=15 / 3600))
    for _ in range(2):
        (run,) = hand.fill()
        end(run, val_loss=1.0)
    assert hand.fill() == [] and not hand.paths.request.exists()


def test_runs_that_fail_or_log_no_number_make_a_candidate_fail(lab: Path):
    hand = Hand(lab, plan())
    end(hand.fill()[0], val_loss=1.0)
    end(hand.fill()[0], "failed")
    end(hand.fill()[0], val_loss=float("nan"))
    hand.fill()
    assert [state for _, state, _ in hand.trials] == ["done", "failed", "failed", "open"]


def test_a_metric_that_nobody_logs_is_said_after_the_first_run(lab: Path):
    hand = Hand(lab, plan())
    (run,) = hand.fill()
    end(run, val_acc=1.0)
    with pytest.raises(RecipeError, match=r"without a value of val\.loss.*it logged val\.acc"):
        hand.fill()
    assert len(hand.lab.run_ids()) == 1


def test_what_its_user_has_to_mend_ends_a_search_until_it_is_resumed(lab: Path):
    hand = Hand(lab, plan())
    definition.ask(hand.paths, priority=3)
    (run,) = hand.fill()
    end(run, val_acc=1.0)
    agent, waits = sweeper.Sweeper(hand.lab), Lab(hand.lab)
    assert agent.fill({}) == (0, False, math.inf) == agent.fill({})
    progress = Watch(waits, hand.paths.id).look()
    assert progress.broken and "without a value of val.loss" in progress.problem
    assert not progress.hosts and progress.eta is None, "nothing is to come by itself"
    write_metrics(run.root, {"val.loss": [(1, 1.0)]})
    sweeper.resume(hand.lab, hand.paths.id)
    assert definition.asked(hand.paths) == {"priority": 3}
    assert not Watch(waits, hand.paths.id).look().problem


def test_a_metric_without_a_direction_is_said_before_anything_starts(lab: Path):
    path = lab / "toy.toml"
    path.write_bytes(
        dumps(BASE | {"sweep": {"method": "tpe", "runs": 9, "metric": "val.zeal", "space": SPACE}})
    )
    with pytest.raises(RecipeError, match=r"is less or more of val\.zeal better\? .*\[goals\]"):
        queue_recipe(LabPaths(lab), path)
    assert not LabPaths(lab).runs.exists()


def test_a_wrong_key_or_value_is_said_before_anything_starts(lab: Path):
    for key, wrong in (("params.z", "no such key"), ("resources.gpus", "resources.gpus")):
        path = lab / "toy.toml"
        sweep = {"method": "tpe", "runs": 9, "metric": "val.loss", "space": {key: [-5, -6]}}
        path.write_bytes(dumps(BASE | {"sweep": sweep}))
        with pytest.raises(RecipeError, match=wrong):
            queue_recipe(LabPaths(lab), path)
        assert not LabPaths(lab).run_ids() and not list(LabPaths(lab).sweeps.glob("*"))


def test_a_candidate_without_runs_gets_them_from_the_next_filler(lab: Path):
    hand = Hand(lab, plan(repeats=2))
    search(hand.paths, hand.given).ask()
    runs = hand.fill()
    assert [recipe_of(run)["origin"]["cell"] for run in runs] == [0, 0]
    launch.remove(hand.lab, runs[0])
    (again,) = sweeper.Filling(hand.lab, hand.paths).fill(0)
    assert recipe_of(again)["origin"]["repeat"] == 0, "what was removed is made again"


def test_a_journal_that_is_lost_is_put_together_from_the_runs(lab: Path):
    hand = Hand(lab, plan({"params.x": WIDE, "params.kind": ["a", [1, 2]]}, method="tpe"))
    for loss in (3.0, 2.0, 1.0):
        end(hand.fill()[0], val_loss=loss)
    hand.fill()
    before = search(hand.paths, hand.given).trials()
    hand.paths.journal.unlink()
    definition.ask(hand.paths)  # as `resume` does
    assert hand.fill() == [], "the last one still waits"
    assert search(hand.paths, hand.given).trials() == before


def test_an_edited_space_keeps_what_is_in_it(lab: Path):
    hand = Hand(lab, plan({"params.x": [1, 2, 3], "params.y": WIDE}))
    for loss in range(4):
        end(hand.fill()[0], val_loss=float(loss))
    hand.fill()
    was = {one.cell.number: one for one in search(hand.paths, hand.given).trials("done")}
    hand.given = plan({"params.x": [1, 2, 4], "params.y": {"low": -6.0, "high": 6.0}})
    definition.write(hand.paths, hand.given, [])
    hand.fill()
    kept = {number: one for number, one in was.items() if one.cell.values["params.x"] != 3}
    assert 0 < len(kept) < 4
    now = search(hand.paths, hand.given).trials()
    assert {one.cell.number: one for one in now if one.state == "done"} == kept
    assert [one.cell.number for one in now if one.state == "open"] >= [4], "numbers are counted on"


def test_another_recipe_begins_its_search_anew_and_counts_on(lab: Path):
    hand = Hand(lab, plan())
    end(hand.fill()[0], val_loss=1.0)
    hand.fill()
    hand.given = plan(base={"params": {**BASE["params"], "tail": 1}})
    definition.write(hand.paths, hand.given, [])
    hand.fill()
    assert hand.trials == [(2, "open", None)]


# Several machines.


def test_machines_that_search_together_share_what_they_know(lab: Path, monkeypatch: pytest.MonkeyPatch):
    here = Hand(lab, plan(method="tpe", runs=4))
    (mine,) = here.fill()
    there, who = sweeper.Filling(here.lab, here.paths), os.uname()

    def at(name: str) -> None:
        named = os.uname_result((who[0], name, *who[2:]))
        monkeypatch.setattr(os, "uname", lambda: named)
        process.host.cache_clear()

    own = process.host()
    try:
        at("other")
        definition.ask(here.paths)
        (theirs,) = there.fill(0)
        assert recipe_of(theirs)["origin"]["cell"] == 1
        end(mine, val_loss=1.0)
        end(theirs, val_loss=2.0)
        at(own)
        (mine,) = here.fill()
        assert here.trials == [(0, "done", 1.0), (1, "done", 2.0), (2, "open", None)]
        launch.remove(here.lab, mine)
        at("other")
        (theirs,) = there.fill(0)
        assert recipe_of(theirs)["origin"]["cell"] == 3, "the other machine makes what it drew"
        end(theirs, val_loss=3.0)
        at(own)
        definition.withdraw(here.paths)
        at("other")
        (taken,) = there.fill(0)
        assert recipe_of(taken)["origin"]["cell"] == 2, "which is no longer at it"
    finally:
        monkeypatch.undo()
        process.host.cache_clear()


TOGETHER = """
import sys
from pathlib import Path
from labtui.files.paths import SweepPaths
from labtui.recipe.read import check
from labtui.sweep import Plan
from labtui.sweep.search import Search
plan = Plan(check(eval(sys.argv[2]), "toy.toml"), "toy.toml")
search = Search(SweepPaths(Path(sys.argv[1])), plan, *plan.objective)
for _ in range(10):
    cell = search.ask()
    search.tell(cell.number, cell.values["params.x"] ** 2)
"""


def test_processes_that_have_one_journal_lose_nothing_and_draw_nothing_twice(paths: SweepPaths):
    given = plan(method="tpe")
    search(paths, given)
    tables = repr(given.recipe.model_dump(by_alias=True, exclude_unset=True))
    children = [subprocess.Popen([sys.executable, "-c", TOGETHER, str(paths.root), tables]) for _ in range(2)]
    assert [child.wait(60) for child in children] == [0, 0]
    trials = search(paths, given).trials()
    assert len(trials) == 20 and {one.state for one in trials} == {"done"}
    assert sorted(one.cell.number for one in trials) == list(range(20))


# Ending what is hopeless.


def test_hopeless_candidates_are_ended_and_told(lab: Path):
    hand = Hand(lab, plan(pruner={"name": "median", "startup": 2, "warmup": 2}))
    good = [(epoch, 1.0 / epoch) for epoch in range(1, 6)]
    (run,) = hand.fill()
    for _ in range(2):
        begin(run, val_loss=good)
        (following,) = hand.fill()
        run.process.unlink()
        end(run, val_loss=0.2)
        run = following
    begin(run, val_loss=[(1, 9.0)])
    hand.fill()
    assert read_json(run.control) is None, "each has two epochs"
    begin(run, val_loss=[(1, 9.0), (2, 9.0)])
    hand.fill()
    told = read_json(run.control) or {}
    assert (told["action"], told["reason"]) == ("stop", "pruned") and "hopeless (median)" in told["message"]
    run.process.unlink()
    row = next(row for row in Lab(hand.lab).runs() if row.id == run.id)
    assert (row.state, row.reason) == ("stopped", "pruned") and sweeper.done(row)
    assert "pruned" in [state for _, state, _ in hand.trials]


def test_epochs_are_followed_through_a_resume(lab: Path):
    run = RunPaths(lab / "runs" / "20261120-102000-toy-aa00")
    run.root.mkdir(parents=True)
    points = {"epoch": [(10, 1.0), (20, 2.0)], "val.loss": [(0, 9.0), (10, 3.0), (20, 2.0)]}
    follower = Followed(run, "val.loss")
    assert follower.look() == {}
    write_metrics(run.root, points)
    assert follower.look() == {1: 3.0, 2: 2.0}
    with open(run.metrics, "ab") as file:
        file.write(struct.pack("<qqdd", -1, 10, BEGUN, 0.0))
        file.write(struct.pack("<qqdd", 1, 20, BEGUN, 1.5) + struct.pack("<qqdd", 0, 20, BEGUN, 2.0))
    assert follower.look() == {1: 3.0, 2: 1.5}
    assert follower.look() == {1: 3.0, 2: 1.5}


@pytest.mark.parametrize("name", ["asha", "hyperband"])
def test_halving_ends_most_of_them_early(name: str, paths: SweepPaths):
    found = search(paths, plan(pruner={"name": name, "reduction": 2}))
    ends = []
    for number in range(12):
        cell = found.ask()
        assert cell
        for epoch in range(1, 9):
            if hopeless := found.report(cell.number, epoch, 10.0 - number % 5 + 1 / epoch):
                break
        ends.append(epoch)
        found.tell(cell.number, None if hopeless else 1.0, pruned=hopeless)
    assert min(ends) < 8 == max(ends)


# With real runs.


def test_a_search_ends_with_its_budget_and_goes_on_with_more(lab: Path):
    path = lab / "toy.toml"
    tables = {"method": "tpe", "runs": 2, "metric": "val.loss", "space": SPACE}
    path.write_bytes(dumps(BASE | {"sweep": tables}))
    paths = LabPaths(lab)
    sweep = queue_recipe(paths, path).sweep

    def over(number: int) -> Any:
        rows = Lab(paths).runs()
        return len(rows) == number and {row.state for row in rows} == {"finished"}

    eventually(lambda: over(2) and not paths.sweep(sweep).request.exists(), 40)
    path.write_bytes(dumps(BASE | {"sweep": tables | {"runs": 3}}))
    sweeper.resume(paths, sweep)
    launch.wake(paths)
    eventually(lambda: over(3) and not paths.sweep(sweep).request.exists(), 40)
    rows = Lab(paths).runs(sort="created")
    assert [row.cell for row in rows] == [0, 1, 2]
    trials = search(paths.sweep(sweep), definition.read(paths.sweep(sweep))).trials()
    assert [one.value for one in trials] == [row.metrics["val.loss"].at_best for row in rows]


def test_a_supervisor_that_is_killed_loses_nothing_and_starts_nothing_twice(lab: Path):
    path, paths = lab / "toy.toml", LabPaths(lab)
    path.write_bytes(
        dumps(BASE | {"sweep": {"method": "random", "runs": 4, "metric": "val.loss", "space": SPACE}})
    )
    queue_recipe(paths, path)
    for number in (1, 2):
        eventually(lambda number=number: len(paths.run_ids()) > number)
        process.kill_group(launch.at_work(paths) or {})
        gone(paths)
        launch.wake(paths)
    eventually(lambda: [row.state for row in Lab(paths).runs()] == ["finished"] * 4, 40)
    # One who is killed between drawing a candidate and naming its cell leaves a number that nobody has.
    assert len({row.cell for row in Lab(paths).runs()}) == 4


def test_another_machine_joins_a_search(lab: Path):
    uts = ["unshare", "--uts", "sh", "-c"]
    if subprocess.run([*uts, "hostname elsewhere"], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to give itself another host's name")
    path, paths = lab / "toy.toml", LabPaths(lab)
    slow = PROGRAM.replace("epoch)\n", "epoch)\n        __import__('time').sleep(0.2)\n")
    base = BASE | {"command": [sys.executable, "-c", slow, "{params.x}", "{params.y}"]}
    sweep = {"method": "tpe", "runs": 6, "metric": "val.loss", "space": SPACE}
    path.write_bytes(dumps(base | {"sweep": sweep, "resources": BASE["resources"] | {"threads": 64}}))
    made = queue_recipe(paths, path)
    resume = f"hostname elsewhere && {sys.executable} -m labtui resume --detach {made.sweep}"
    subprocess.run([*uts, resume], check=True, env=os.environ | {"LABTUI_LAB": str(lab)})
    eventually(lambda: [row.state for row in Lab(paths).runs()] == ["finished"] * 6, 60)
    rows = Lab(paths).runs()
    assert sorted(row.cell for row in rows) == list(range(6))
    hosts = {(read_json(paths.run(row.id).process) or {})["host"] for row in rows}
    assert hosts == {"elsewhere", process.host()}
    eventually(lambda: not definition.hosts(paths.sweep(made.sweep)))


def test_a_run_that_was_ended_early_says_so_itself(lab: Path):
    from launch_lab import LOGS, queue

    paths = LabPaths(lab)
    run = queue(paths, LOGS)
    launch.wake(paths)
    eventually(lambda: derive(run).state == "running")
    launch.stop(run, reason="pruned", message="hopeless")
    eventually(lambda: derive(run).state == "stopped")
    status = eventually(lambda: derive(run).result and derive(run))
    assert (status.reason, status.message) == ("pruned", "hopeless")


def test_a_check_tells_what_is_searched(lab: Path, capsys: pytest.CaptureFixture[str]):
    from labtui.cli import run

    space = {"params.x": {"low": 0.001, "high": 1.0, "log": True}, "params.kind": ["a", "b"]}
    sweep = {"method": "tpe", "runs": 30, "hours": 2, "repeats": 2, "metric": "val.loss", "space": space}
    more = {
        "when": {"params.x": "params.kind=b"},
        "pruner": {"name": "asha"},
        "constraints": ["params.x < 2"],
    }
    (lab / "toy.toml").write_bytes(dumps(BASE | {"sweep": sweep | more}))
    assert run(["check", "toy.toml"]) == 0
    told = capsys.readouterr().out
    assert "a search (tpe) for the min of val.loss: 30 runs or 2 hours, 2 runs for each candidate" in told
    assert "0.001 to 1, log  params.kind=b" in told and "only where params.x < 2" in told
