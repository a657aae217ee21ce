"""Which trainings may be done together, and which queued runs start in one process."""

from __future__ import annotations

import dataclasses
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labtui.files.paths import LabPaths, RunPaths, SweepPaths
from labtui.gpus import Gpu
from labtui.launch import group, logs
from labtui.launch.group import MOST, Group, Stack, form
from labtui.launch.queue import Request
from labtui.launch.slots import Machine, Need, Place, Running
from labtui.recipe.read import check
from labtui.recipe.stack import fixed, unfit
from labtui.sweep import Plan, stack
from labtui.sweep.stack import Decision

BASE: dict[str, Any] = {"name": "x", "data": {"name": "digits"}, "model": {"name": "digits_cnn"}}
SWEEP = "20260101-000000-many-0000"
CORE = Need(gpus=0, threads=1)


def tables(**more: Any) -> dict[str, Any]:
    return check(BASE | more, "x.toml").tables()


@pytest.mark.parametrize(
    ("more", "alike"),
    [
        ({"optimizer": {"lr": 0.5, "weight_decay": 0.1, "betas": [0.5, 0.9]}}, True),
        ({"train": {"seed": 7, "epochs": 99, "clip_norm": 1.0}}, True),
        ({"validate": {"scheme": "kfold", "fold": 2, "patience": 3}}, True),
        ({"schedule": {"name": "cosine"}}, True),
        ({"model": {"name": "digits_cnn", "dropout": 0.9}}, True),
        ({"name": "y", "tags": ["t"], "resources": {"retries": 2, "priority": 5}}, True),
        ({"model": {"name": "digits_cnn", "hidden": 9}}, False),
        ({"data": {"name": "digits", "shift": 2}}, False),
        ({"train": {"batch_size": 7}}, False),
        ({"optimizer": {"name": "sgd"}}, False),
        ({"loss": {"label_smoothing": 0.1}}, False),
        ({"resources": {"gpus": 0}}, False),
    ],
)
def test_a_stack_is_what_differs_in_numbers_only(more, alike):
    assert (fixed(tables(**more)) == fixed(tables())) is alike
    assert (stack.key(tables(**more), True) == stack.key(tables(), True)) is alike


def test_what_was_measured_does_not_hold_for_what_is_wanted():
    assert stack.key(tables(), True) != stack.key(tables(), "auto")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, ""),
        ({"resources": {"gpus": 0}}, ""),
        ({"resources": {"gpus": 2}}, "several processes"),
        ({"resources": {"processes": 2}}, "several processes"),
        ({"resources": {"launcher": "slurm"}}, "a job of Slurm"),
        ({"train": {"precision": "float16"}}, "'float16'"),
        ({"train": {"on_oom": "halve"}}, "train.on_oom"),
        ({"train": {"accumulate": 2}}, "cut into pieces"),
        ({"checkpoints": {"teacher": True}}, "a teacher"),
    ],
)
def test_recipes_say_what_speaks_against_it(more, why):
    found = unfit(tables(**more))
    assert why in found and bool(why) == bool(found)


def test_a_command_is_never_trained_together():
    assert "program" in unfit(check({"name": "x", "command": ["true"]}, "x").tables())


@pytest.mark.parametrize("together", [True, "auto", False])
def test_runs_say_of_which_stack_they_are(together):
    sweep = {"space": {"model.hidden": [8, 16], "optimizer.lr": [0.1, 0.2]}, "together": together}
    plan = Plan(check(BASE | {"sweep": sweep}, "x.toml"), "x.toml")
    origins = [plan.resolved(training, SWEEP).origin for training in plan]
    keys = [origin.stack for origin in origins]
    if not together:
        assert keys == [None] * 4 and origins[0].together is None
        return
    assert keys[0] == keys[1] != keys[2] == keys[3]
    assert {origin.together for origin in origins} == {together}
    again = plan.resolved(next(iter(plan)), SWEEP).tables()
    assert again["origin"]["stack"] == keys[0]


def test_decisions_are_kept_and_broken_ones_are_none(tmp_path):
    paths = SweepPaths(tmp_path)
    assert stack.decided(paths, "abc") is None
    stack.decide(paths, "abc", Decision(True, "fast", 3.0))
    assert stack.decided(paths, "abc") == Decision(True, "fast", 3.0)
    for broken in ("", "[]", '{"together": 1}', '{"together": "yes"}'):
        paths.stack("abc").write_text(broken)
        assert stack.decided(paths, "abc") is None
    stack.decide(SweepPaths(tmp_path / "gone"), "abc", Decision(True, ""))  # nobody minds


def request(number: int, need: Need = CORE, **origin: Any) -> Request:
    paths = RunPaths(Path(f"/lab/runs/20260101-000000-run-{number:04d}"))
    told = {"origin": {"sweep": SWEEP, **origin}} if origin else {}
    return Request(paths, 1, 0, float(number), (), False, 0, "python", need, told)


def formed(
    requests: list[Request], machine: Machine, decision: Decision | None = None, deciding: str = ""
) -> list[Group]:
    return form(requests, machine, group.stack_of, lambda _: decision, {deciding})


def sizes(groups: list[Group]) -> list[int]:
    return [len(one.requests) for one in groups]


TWO = Machine((), 2, 1)
YES, NO = Decision(True, ""), Decision(False, "no")


def test_the_first_of_a_stack_takes_the_others_along():
    mixed = [
        request(0),
        request(1, stack="a", together=True),
        request(2),
        request(3, stack="a", together=True),
    ]
    found = formed(mixed, TWO, YES)
    assert [[one.paths.id[-1] for one in each.requests] for each in found] == [["0"], ["1", "3"], ["2"]]
    assert sizes(formed(mixed, TWO, NO)) == [1, 1, 1, 1]


def test_only_one_process_of_a_stack_finds_out_for_all():
    many = [request(number, stack="a", together=True) for number in range(MOST + 5)]
    assert sizes(formed(many, TWO)) == [MOST]
    assert sizes(formed(many, TWO, deciding="a")) == []
    assert sizes(formed(many, TWO, YES)) == [MOST, 5]
    assert sizes(formed(many[:1], TWO, deciding="a")) == [1], "one alone has nothing to find out"


def test_how_many_would_be_at_work_apart_is_of_the_whole_machine():
    many = [request(number, stack="a", together="auto") for number in range(5)]
    (found,) = formed(many, Machine((), 2, 1, (Running(Place(cores=1), CORE),)))
    assert found.slots == 2 and found.need == CORE
    assert formed(many, TWO, YES)[0].slots == 0, "it is known"
    assert sizes(formed(many[:2], TWO, YES)) == [1, 1], "each has a place of its own"
    always = [request(number, stack="a", together=True) for number in range(2)]
    assert sizes(formed(always, TWO)) == [2] and formed(always, TWO)[0].slots == 0


def test_python_code_and_needs_are_of_one_kind_in_a_process(tmp_path):
    one, two = (request(number, stack="a", together=True) for number in range(2))
    assert sizes(formed([one, two], TWO, YES)) == [2]
    assert sizes(formed([one, dataclasses.replace(two, python="other")], TWO, YES)) == [1, 1]
    assert sizes(formed([one, dataclasses.replace(two, need=Need(threads=2))], TWO, YES)) == [1, 1]
    lab = LabPaths(tmp_path)
    own = lab.run("20260101-000000-run-0001")
    own.root.mkdir(parents=True)
    own.snapshot.write_text("{}")
    assert sizes(formed([one, dataclasses.replace(two, paths=own)], TWO, YES)) == [1, 1]


def test_each_run_of_a_process_takes_its_memory_of_the_gpu():
    gpu = Gpu(0, 10 * 10**9)
    need = Need(gpu_memory=3.0)
    many = [request(number, need, stack="a", together=True) for number in range(7)]
    found = formed(many, Machine((gpu,), 2, 1), YES)
    assert sizes(found) == [3, 3, 1]
    assert [one.need.gpu_memory for one in found] == [9.0, 9.0, 3.0]


@pytest.mark.parametrize(
    "origin",
    [
        {"stack": "../../x"},
        {"stack": 3},
        {"stack": ""},
        {"stack": "a", "sweep": "../.."},
        {"stack": "a", "sweep": None},
    ],
)
def test_what_other_hands_wrote_names_no_file(origin):
    assert group.stack_of(request(0, together=True, **origin)) is None


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.booleans()), max_size=100), st.integers(1, 4))
def test_every_run_is_in_one_group_at_most_and_none_is_forgotten(kinds, cores):
    requests = [
        request(number, **({"stack": key, "together": "auto" if key == "b" else True} if key else {}))
        for number, (key, _) in enumerate(kinds)
    ]
    shuffled = sorted(requests, key=lambda one: random.Random(cores).random())
    machine = Machine((), cores, 1)
    for decision in (None, YES, NO):
        groups = form(shuffled, machine, group.stack_of, lambda _, said=decision: said, ())
        ids = [one.paths.id for each in groups for one in each.requests]
        assert len(ids) == len(set(ids)) and max(sizes(groups), default=1) <= MOST
        if decision is not None:
            assert sorted(ids) == sorted(one.paths.id for one in requests)
        order = [each.requests[0].place for each in groups]
        assert order == sorted(order)
        assert all(isinstance(each.stack, Stack) == (len(each.requests) > 1) for each in groups)


def run_with_log(folder: Path, name: str, text: str | None) -> RunPaths:
    run = RunPaths(folder / name)
    run.root.mkdir()
    if text is not None:
        run.log.write_text(text)
    return run


def append(run: RunPaths, text: str) -> None:
    with open(run.log, "a") as log:
        log.write(text)


def test_runs_of_a_process_have_one_log_and_part_again(tmp_path):
    a, b, c = (run_with_log(tmp_path, name, None) for name in "abc")
    logs.share([a, b, c])
    append(a, "all\n")
    assert b.log.read_text() == c.log.read_text() == "all\n"
    logs.share([b, c])  # another attempt, without the first
    append(b, "two\n")
    assert (a.log.read_text(), c.log.read_text()) == ("all\n", "all\ntwo\n")
    logs.share([c])
    append(c, "alone\n")
    assert (b.log.read_text(), c.log.read_text()) == ("all\ntwo\n", "all\ntwo\nalone\n")


def test_a_log_of_ones_own_stays(tmp_path, monkeypatch):
    a, b = run_with_log(tmp_path, "a", "mine\n"), run_with_log(tmp_path, "b", "before\n")
    logs.share([a, b])
    assert a.log.read_text() == "mine\n"
    assert b.log.read_text() == "before\nlabtui: trained together with a; its log is this run's too\n"

    def no_links(*_: Any) -> None:
        raise PermissionError("this file system has none")

    monkeypatch.setattr(os, "link", no_links)
    c = run_with_log(tmp_path, "c", None)
    logs.share([a, c])
    assert "together with a" in c.log.read_text()
    assert sorted(path.name for path in c.root.iterdir()) == ["log.txt"]
