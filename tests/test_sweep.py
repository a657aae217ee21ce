"""Sweeps: cells, keys, and what is made of them when."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import Counter
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from launch_lab import eventually

from labtui import launch, sweeper
from labtui.errors import LabtuiError, RecipeError, RunNotFound
from labtui.files.paths import LabPaths, new_run_id
from labtui.files.toml import dumps
from labtui.launcher import queue_recipe
from labtui.query import Lab
from labtui.recipe.core import Recipe
from labtui.recipe.optim import Adam
from labtui.recipe.read import check
from labtui.sweep import Plan, definition, expand
from labtui.sweep.cells import leaves

BASE: dict[str, Any] = {"name": "grid", "data": {"name": "digits"}, "model": {"name": "digits_cnn"}}
PROGRAM: dict[str, Any] = {
    "name": "grid",
    "command": [sys.executable, "-c", "import sys; sys.exit(int(sys.argv[1]))", "{params.x}"],
    "params": {"x": 0},
    "resources": {"gpus": 0, "min_free": 0},
}


def plan(sweep: dict[str, Any], **more: Any) -> Plan:
    return Plan(check(BASE | more | {"sweep": sweep}, "grid.toml"), "grid.toml")


def values(sweep: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [dict(training.values) for training in plan(sweep, **more)]


# What the cells are.


def test_a_grid_is_the_product_of_its_lists():
    space = {"optimizer.lr": [0.1, 0.2], "train.epochs": [1, 2, 3]}
    wanted = [{"optimizer.lr": lr, "train.epochs": n} for lr, n in product([0.1, 0.2], [1, 2, 3])]
    assert values({"space": space}) == wanted


def test_zipped_lists_go_side_by_side():
    space = {"optimizer.lr": [0.1, 0.2], "train.epochs": [1, 2]}
    found = values({"method": "zip", "space": space})
    assert found == [{"optimizer.lr": 0.1, "train.epochs": 1}, {"optimizer.lr": 0.2, "train.epochs": 2}]


def test_listed_cells_have_titles_and_their_own_keys():
    cells = [
        {"title": "Experiment - 1", "optimizer.lr": 0.1},
        {"title": "Experiment - 2", "optimizer": {"lr": 0.2}, "train.epochs": 3},
        {"optimizer": {"name": "sgd", "lr": 0.3}},
    ]
    found = list(plan({"method": "list", "cells": cells}))
    assert [dict(one.values) for one in found] == [
        {"optimizer.lr": 0.1},
        {"optimizer.lr": 0.2, "train.epochs": 3},
        {"optimizer": {"name": "sgd", "lr": 0.3}},
    ]
    assert [one.cell.title for one in found] == ["Experiment - 1", "Experiment - 2", "optimizer=sgd lr=0.3"]


def test_two_listed_cells_that_are_the_same_training_are_named():
    cells = [{"title": "A", "optimizer.lr": 0.1}, {"title": "B", "optimizer.lr": 0.1}]
    with pytest.raises(RecipeError, match=r"cell 1 \(B\) is the same training as cell 0 \(A\)"):
        values({"method": "list", "cells": cells})


def test_a_title_is_short_but_never_ambiguous():
    space = {"optimizer.name": ["sgd"], "optimizer.lr": [0.1], "train.seed": [1], "validate.seed": [2]}
    (one,) = plan({"space": space})
    assert one.cell.title == "optimizer=sgd, lr=0.1, train.seed=1, validate.seed=2"


def test_a_key_without_its_condition_has_the_recipes_own_value_and_no_cell_comes_twice():
    sweep = {
        "space": {"optimizer.name": ["adam", "sgd"], "optimizer.momentum": [0.0, 0.9]},
        "when": {"optimizer.momentum": "optimizer.name=sgd"},
    }
    assert values(sweep) == [
        {"optimizer.name": "adam"},
        {"optimizer.name": "sgd", "optimizer.momentum": 0.0},
        {"optimizer.name": "sgd", "optimizer.momentum": 0.9},
    ]


def test_cells_that_do_not_fit_the_constraints_are_left_out():
    sweep = {
        "space": {"train.epochs": [1, 2, 3], "train.batch_size": [2, 4]},
        "constraints": ["train.epochs<=2"],
    }
    assert [(v["train.epochs"], v["train.batch_size"]) for v in values(sweep)] == [
        (1, 2),
        (1, 4),
        (2, 2),
        (2, 4),
    ]
    nothing = {"space": {"train.epochs": [1, 2]}, "constraints": ["train.epochs>5"]}
    with pytest.raises(RecipeError, match="no cell fits"):
        values(nothing)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            {"space": {"optimizer.lrr": {"low": 0.1, "high": 1.0}}},
            "optimizer.lrr: unknown key; did you mean 'lr'",
        ),
        (
            {"space": {"train.epochs": [1, 2], "model.nope": [1]}, "when": {"model.nope": "train.epochs=2"}},
            "nope",
        ),
        ({"space": {"optimizer.lr": {"low": -2, "high": -1}}}, "optimizer.lr"),
        (
            {"space": {"train.epochs": {"low": 1, "high": 9}}, "constraints": ["train.epochs>9"]},
            "none of 300",
        ),
    ],
)
def test_what_no_candidate_of_a_search_can_have_is_said_before_anything_starts(
    more: dict[str, Any], told: str
):
    with pytest.raises(RecipeError, match=told):
        plan({"method": "tpe", "runs": 5, "metric": "val.loss"} | more).check()


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("optimizer.lr", {"low": 1e-5, "high": 1.0, "log": True}),
        ("optimizer.weight_decay", {"low": 0.0, "high": 0.3, "step": 0.1}),
        ("train.epochs", {"low": 1, "high": 10**30}),
        ("train.batch_size", {"low": 1, "high": 64, "log": True}),
        ("optimizer", [{"name": "sgd"}, {"name": "adam"}]),
    ],
)
def test_a_search_that_can_be_done_passes_its_check(key: str, values: Any):
    assert plan({"method": "tpe", "runs": 5, "metric": "val.loss", "space": {key: values}}).check() == 5


def test_a_value_that_some_candidates_cannot_have_is_no_reason_against_a_search():
    space = {"optimizer.name": ["adam", "sgd"], "optimizer.momentum": {"low": 0.0, "high": 0.9}}
    assert plan({"method": "tpe", "runs": 5, "metric": "val.loss", "space": space}).check() == 5


def test_a_cell_of_another_kind_keeps_what_both_kinds_know():
    adam = {"name": "adam", "lr": 0.5, "betas": [0.8, 0.9]}
    found = expand(
        check(BASE | {"optimizer": adam, "sweep": {"space": {"optimizer.name": ["adam", "sgd"]}}}, "x"), "x"
    )
    told = [recipe.tables()["optimizer"] for recipe in found]
    assert told[0]["betas"] == (0.8, 0.9) and told[1]["name"] == "sgd"
    assert [one["lr"] for one in told] == [0.5, 0.5]


def test_folds_and_repeats_multiply_each_cell():
    sweep = {"space": {"optimizer.lr": [0.1, 0.2]}, "repeats": 2}
    found = list(plan(sweep, validate={"scheme": "kfold", "folds": 3}, train={"seed": 5}))
    assert len(found) == len({one.key for one in found}) == 12
    assert Counter((one.repeat, one.fold) for one in found) == dict.fromkeys(product(range(2), range(3)), 2)
    assert {one.values.get("train.seed", 5) for one in found} == {5, 6}


def test_each_cell_has_the_folds_that_it_says():
    sweep = {"space": {"validate.folds": [2, 3]}}
    found = list(plan(sweep, validate={"scheme": "kfold", "folds": 5}))
    assert [(one.cell.number, one.fold) for one in found] == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]


def test_a_budget_of_runs_ends_a_grid():
    space = {"optimizer.lr": [n / 10 for n in range(1, 101)], "train.seed": list(range(100))}
    assert len(values({"space": space, "runs": 7})) == 7


# What tells them apart.


@given(some.permutations(["optimizer.lr", "train.epochs", "train.seed"]))
def test_a_key_does_not_depend_on_the_order_of_the_space(order: list[str]) -> None:
    space = {"optimizer.lr": [0.1, 0.2], "train.epochs": [1, 2], "train.seed": [0, 1]}
    usual = {one.key for one in plan({"space": space})}
    assert {one.key for one in plan({"space": {key: space[key] for key in order}})} == usual


def test_an_edited_sweep_keeps_the_keys_of_what_stays():
    before = {one.key for one in plan({"space": {"optimizer.lr": [0.1, 0.2]}})}
    after = {one.key for one in plan({"space": {"optimizer.lr": [0.2, 0.1, 0.3]}, "repeats": 2})}
    assert before < after and len(after) == 6


def test_a_key_is_of_the_resolved_recipe():
    written = {"optimizer": {"name": "adam", "lr": 1e-3, "eps": 1e-8}, "description": "x", "tags": ["y"]}
    sweep = {"space": {"train.epochs": [1, 2]}}
    keys = [one.key for one in plan(sweep)]
    assert [one.key for one in plan(sweep, **written)] == keys  # its defaults, written out
    assert [one.key for one in plan(sweep, resources={"threads": 3}, checkpoints={"keep": 1})] == keys
    assert not set(keys) & {one.key for one in plan(sweep, optimizer={"name": "adam", "lr": 2e-3})}


def test_a_key_stays_when_a_later_version_adds_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [one.key for one in plan({"space": {"optimizer.lr": [0.1, 0.2], "train.epochs": [1, 2]}})]
    dump = Adam.model_dump

    def later(self: Adam, **how: Any) -> dict[str, Any]:
        return dump(self, **how) | ({} if how.get("exclude_defaults") else {"new": 1})

    monkeypatch.setattr(Adam, "model_dump", later)
    assert [one.key for one in plan({"space": {"optimizer.lr": [0.1, 0.2], "train.epochs": [1, 2]}})] == keys


def test_what_cells_differ_in_always_tells_them_apart():
    assert len(list(plan({"space": {"resources.threads": [1, 2]}}))) == 2


def test_repeats_of_a_program_without_a_seed_are_told_apart():
    recipe = check(PROGRAM | {"sweep": {"repeats": 3}}, "x.toml")
    assert len({one.origin.key for one in expand(recipe, "x.toml")}) == 3


# What is wrong with them.


@pytest.mark.parametrize(
    ("sweep", "said"),
    [
        ({"space": {"optimizer.lr": []}}, "sweep.space.optimizer.lr: list should have at least 1 item"),
        ({"space": {"optimizer.lrr": [1]}}, "optimizer.lrr: unknown key; did you mean 'lr'"),
        ({"space": {"optimizr.lr": [1]}}, "optimizr: unknown key; did you mean 'optimizer'"),
        ({"space": {"optimizer.lr": [0.1, "x"]}}, "optimizer.lr: expected a valid number, got 'x' (cell 1"),
        ({"space": {"params.x": [1]}}, "params.x: the recipe's [params] have no such key"),
        ({"space": {"origin.sweep": ["x"]}}, "origin is nothing that cells can differ in"),
        ({"space": {"optimizer.lr": {"low": 0.1, "high": 1.0}}}, "a grid needs a list"),
        ({"space": {"optimizer.lr": {"low": 2.0, "high": 1.0}}}, "low = 2.0 must be below high = 1.0"),
        ({"method": "list"}, 'method = "list" needs [[sweep.cells]]'),
        ({"cells": [{"optimizer.lr": 1}]}, '[[sweep.cells]] are for method = "list"'),
        ({"method": "zip", "space": {"train.seed": [1], "train.epochs": [1, 2]}}, "lists of one length"),
        ({"method": "tpe", "space": {"train.seed": [1]}}, "set sweep.runs or sweep.hours"),
        ({"method": "random", "runs": 3}, "needs a `space`"),
        ({"seed": 3}, "seed is for a search"),
        ({"pruner": {"name": "median"}}, "pruner is for a search"),
        ({"when": {"train.seed": "train.epochs=1"}}, "when: train.seed is no key of `space`"),
        ({"space": {"train.seed": [1]}, "constraints": ["train.sed>1"]}, "did you mean 'train.seed'"),
        ({"space": {"train.seed": [1]}, "constraints": ["train.seed>"]}, "sweep.constraints"),
        ({"method": "best"}, "sweep.method: expected 'grid'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_before_anything_starts(sweep: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError) as error:
        list(plan(sweep))
    assert said in str(error.value)


def test_a_vast_grid_says_how_many_and_asks_for_a_budget():
    space = {f"params.{name}": list(range(1000)) for name in "abc"}
    recipe = check(
        PROGRAM | {"params": {"x": 0, "a": 0, "b": 0, "c": 0}, "sweep": {"space": space}}, "v.toml"
    )
    with pytest.raises(RecipeError, match=r"1,000,000,000 runs, more than 1,000,000: set sweep\.runs"):
        Plan(recipe, "v.toml")


@given(
    some.dictionaries(
        some.sampled_from("abc"), some.integers() | some.dictionaries(some.sampled_from("xy"), some.text())
    )
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_cell_is_flat(cell: dict[str, Any]) -> None:
    assert all(not isinstance(value, dict) or not value for value in leaves(cell).values())


# What becomes of them.


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabPaths:
    monkeypatch.chdir(tmp_path)
    return LabPaths(tmp_path)


def written(lab: LabPaths, sweep: dict[str, Any], **more: Any) -> Path:
    file = lab.recipes / "grid.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(dumps(PROGRAM | more | {"sweep": sweep}))
    return file


def states(lab: LabPaths) -> Counter[str]:
    return Counter(row.state for row in Lab(lab).runs())


def all_over(lab: LabPaths, count: int) -> bool:
    return sum(states(lab)[state] for state in ("finished", "failed", "stopped")) == count


def test_a_large_sweep_has_directories_for_what_waits_only_and_is_done_whole(lab: LabPaths) -> None:
    file = written(lab, {"space": {"params.x": [0] * 1}, "repeats": 40})
    made = queue_recipe(lab, file, held=True)
    assert len(made.runs) == sweeper.AHEAD == len(lab.run_ids())
    assert definition.asked(lab.sweep(made.sweep))
    for paths in made.runs:
        launch.queue.change(paths, held=False)
    definition.ask(lab.sweep(made.sweep), python=sys.executable)
    launch.wake(lab)
    eventually(lambda: all_over(lab, 40), 120)
    rows = Lab(lab).runs()
    assert len({row.key for row in rows}) == 40 and {row.sweep for row in rows} == {made.sweep}
    assert definition.asked(lab.sweep(made.sweep)) is None  # nothing is left to make


def test_what_is_not_finished_is_done_on_resume_and_nothing_else(lab: LabPaths) -> None:
    file = written(lab, {"space": {"params.x": [0, 1, 0.0]}})
    sweep = queue_recipe(lab, file).sweep
    eventually(lambda: all_over(lab, 3), 60)
    assert states(lab) == {"finished": 1, "failed": 2}
    finished = next(row.id for row in Lab(lab).runs("state=finished"))
    deleted = next(row for row in Lab(lab).runs("state=failed"))
    launch.remove(lab, lab.run(deleted.id))
    queued, problems = sweeper.resume(lab, sweep)
    assert not problems and len(queued) == 2 and finished not in {paths.id for paths in queued}
    keys = {row.key for row in Lab(lab).runs()}
    assert deleted.key in keys and len(keys) == 3
    launch.wake(lab)
    eventually(lambda: all_over(lab, 3), 60)


def test_of_a_training_with_several_runs_one_goes_on(lab: LabPaths) -> None:
    sweep = queue_recipe(lab, written(lab, {"repeats": 2}), held=True).sweep
    first, second = map(lab.run, sorted(lab.run_ids(), key=lambda one: Lab(lab).run(one).row.repeat or 0))
    for run in (first, second):
        launch.stop(run)
    for run in (first, second):
        shutil.copytree(run.root, lab.runs / new_run_id("copy"))
    queued, problems = sweeper.resume(lab, sweep)
    assert len(queued) == 2 and not problems
    assert {Lab(lab).run(one.id).row.repeat for one in queued} == {0, 1}
    assert not sweeper.resume(lab, sweep)[0]


def test_where_all_that_waits_is_held_nothing_comes_by_itself(lab: LabPaths) -> None:
    made = queue_recipe(lab, written(lab, {"repeats": 60}), held=True)
    fill = sweeper.Sweeper(lab).fill
    assert fill({made.sweep: sweeper.AHEAD})[:2] == (0, False)
    assert fill({})[:2] == (sweeper.AHEAD, True)


def test_an_edited_file_keeps_what_is_done_and_adds_what_is_new(lab: LabPaths) -> None:
    file = written(lab, {"space": {"params.x": [0]}, "repeats": 2})
    sweep = queue_recipe(lab, file, ["params.y=1"]).sweep
    eventually(lambda: all_over(lab, 2), 60)
    before = set(lab.run_ids())
    written(lab, {"space": {"params.x": [0]}, "repeats": 3})
    queued, _ = sweeper.resume(lab, sweep)
    assert len(queued) == 1 and before < set(lab.run_ids())
    assert Lab(lab).run(queued[0].id).row.params["params.y"] == 1  # as it was launched
    launch.wake(lab)
    eventually(lambda: all_over(lab, 3), 60)
    assert sweeper.resume(lab, sweep) == ([], [])


def test_a_file_that_is_no_longer_that_of_such_a_sweep_changes_nothing(lab: LabPaths) -> None:
    file = written(lab, {"space": {"params.x": [0, 1]}})
    sweep = queue_recipe(lab, file).sweep
    eventually(lambda: all_over(lab, 2), 60)
    kept = lab.sweep(sweep).recipe.read_bytes()
    file.write_bytes(dumps(PROGRAM))
    with pytest.raises(RecipeError, match="is that of a single training now"):
        sweeper.resume(lab, sweep)
    written(lab, {"method": "random", "space": {"params.x": [0, 1]}, "runs": 3})
    with pytest.raises(RecipeError, match=r"sweep\.method was 'grid'"):
        sweeper.resume(lab, sweep)
    assert lab.sweep(sweep).recipe.read_bytes() == kept and len(lab.run_ids()) == 2
    file.unlink()
    queued, _ = sweeper.resume(lab, sweep)  # the definition that was kept
    assert len(queued) == 1


def test_a_wrong_cell_leaves_nothing(lab: LabPaths) -> None:
    file = written(lab, {"space": {"resources.gpus": [0, "x"]}})
    with pytest.raises(RecipeError, match="cell 1"):
        queue_recipe(lab, file)
    assert not lab.run_ids() and not lab.sweeps.exists()


def test_a_stopped_sweep_makes_nothing_more(lab: LabPaths) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)", "{params.x}"]
    file = written(lab, {"repeats": 30}, command=sleep)
    sweep = queue_recipe(lab, file).sweep
    eventually(lambda: states(lab)["running"] > 0, 60)
    assert sweeper.stop(lab, sweep) and not sweeper.stop(lab, sweep)
    for row in Lab(lab).runs("state=queued or state=running"):
        with suppress(LabtuiError):
            launch.stop(lab.run(row.id), kill=True)
    eventually(lambda: not states(lab)["running"] + states(lab)["queued"], 60)
    assert len(lab.run_ids()) < 30


def test_two_that_fill_at_once_make_nothing_twice(lab: LabPaths) -> None:
    file = written(lab, {"repeats": 60})
    made = queue_recipe(lab, file, held=True)
    paths = lab.sweep(made.sweep)
    one, other = sweeper.Filling(lab, paths), sweeper.Filling(lab, paths)
    for filling in (one, other, one, one, other):
        filling.fill(8)
    rows = Lab(lab).runs()
    assert len(rows) == len({row.key for row in rows}) == 56


def test_the_hours_of_a_sweep_end(lab: LabPaths) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(.3)", "{params.x}"]
    file = written(lab, {"repeats": 60, "hours": 0.2 / 3600}, command=sleep)
    sweep = queue_recipe(lab, file).sweep
    eventually(lambda: definition.asked(lab.sweep(sweep)) is None, 60)
    assert len(lab.run_ids()) < 30  # few wait when the time is over


def test_a_sweep_is_named_by_a_part_of_its_id(lab: LabPaths) -> None:
    file = written(lab, {"repeats": 2})
    sweep = queue_recipe(lab, file, held=True).sweep
    index = Lab(lab)
    assert index.sweep(sweep) == index.sweep(sweep[:20]) == sweep
    assert index.sweep(lab.run_ids()[0]) == "" and index.sweep("nothing") == ""
    assert len(index.group(sweep)) == 2
    with pytest.raises(RunNotFound):
        index.group("nothing")


def test_cells_to_come_run_the_code_of_the_launch(lab: LabPaths) -> None:
    (lab.root / "prog.py").write_text("print('first')")
    file = written(lab, {"repeats": 20}, command=[sys.executable, "prog.py"])
    made = queue_recipe(lab, file, held=True)
    (lab.root / "prog.py").write_text("print('second')")
    more = sweeper.Filling(lab, lab.sweep(made.sweep)).fill(12)
    assert len(more) == 4
    assert {(paths.code / "prog.py").read_text() for paths in [*made.runs, *more]} == {"print('first')"}
    assert all(json.loads(paths.snapshot.read_bytes())["files"] for paths in more)


def test_a_resolved_run_says_where_it_belongs(lab: LabPaths) -> None:
    file = written(lab, {"space": {"params.x": [3]}, "repeats": 2})
    queue_recipe(lab, file, held=True)
    rows = sorted(Lab(lab).runs(), key=lambda row: row.repeat)
    assert [(row.cell, row.title, row.repeat, row.fold) for row in rows] == [
        (0, "x=3", 0, None),
        (0, "x=3", 1, None),
    ]
    assert all(len(row.key) == 24 for row in rows)


def test_a_listed_cell_that_changes_nothing_is_a_cell_too() -> None:
    found = plan(
        {"method": "list", "cells": [{"title": "as it is"}, {"title": "other", "train": {"seed": 7}}]}
    )
    resolved = [found.resolved(training, "s").origin for training in found]
    assert [(one.cell, one.title) for one in resolved] == [(0, "as it is"), (1, "other")]


def test_the_recipe_of_a_cell_is_complete():
    (one, _) = expand(check(BASE | {"sweep": {"space": {"optimizer.lr": [0.1, 0.2]}}}, "x"), "x")
    assert isinstance(one, Recipe) and one.sweep is None and os.path.basename(one.origin.file) == "x"
