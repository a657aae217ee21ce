"""The screen of devices and queue: what it shows, what its keys do on disk, its pictures at both sizes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_tui_pictures import SIZES, settled
from tui_lab import NOW, add_run
from tui_pilot import opened, screen_text, still, table, until

from labtui import launch
from labtui.files.paths import LabPaths
from labtui.launch.queue import paused
from labtui.query import Lab
from labtui.tui.app import LabApp
from labtui.tui.queueing import Queue, lines
from labtui.tui.screens.ask import Confirm
from labtui.tui.screens.queue import QueueScreen
from labtui.tui.screens.run import RunScreen
from labtui.workload import Work

GB = 10**9
SWEEP = "20260921-100000-grid-a1b2"


@pytest.fixture
def busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabPaths]:
    """Two GPUs and cores; two runs at work and five that wait, three of them of a sweep. Nobody starts them."""
    lab = LabPaths(tmp_path / "lab")
    lab.recipes.mkdir(parents=True)
    (lab.recipes / "grid.toml").write_text('name = "grid"\n')
    (lab.root / "labtui.toml").write_text("[slots]\ncores = 16\n")
    gpus: list[dict[str, Any]] = [
        {"index": 0, "name": "NVIDIA H200", "memory_total": 141 * GB, "memory_used": 38 * GB, "utilization": 97,
         "temperature": 71},
        {"index": 1, "name": "NVIDIA H200", "memory_total": 141 * GB, "memory_used": 12 * GB, "utilization": 41,
         "temperature": 88, "processes": [[2**22 - 1, 12 * GB]]},
    ]  # fmt: skip
    (tmp_path / "gpus.json").write_text(json.dumps(gpus))
    monkeypatch.setenv("LABTUI_GPU_INVENTORY", str(tmp_path / "gpus.json"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(launch, "wake", lambda lab: None)
    monkeypatch.setattr(launch, "at_work", lambda lab: {"pid": 1})
    monkeypatch.setattr("labtui.tui.queueing.SLOW", 1e9)
    monkeypatch.setattr("labtui.tui.queueing.QUICK", 1e9)
    for seed, gpus_of in ((1, [0]), (2, [])):
        key = add_run(lab, "transformer-cls", 900 - seed, "running", seed=seed, done=7 * seed)
        process = lab.run(key).process
        process.write_text(json.dumps(json.loads(process.read_text()) | {"gpus": gpus_of}))
    whole = {"resources": {"gpus": 2}}
    add_run(lab, "[b]first[/b] 轴承", 500, "queued", seed=3, metrics={}, extra=whole)
    for seed in (4, 5, 6):
        origin = {"origin": {"sweep": SWEEP, "file": "recipes/grid.toml", "cell": seed}}
        add_run(lab, "grid", 400 - seed, "queued", seed=seed, metrics={}, extra=origin | whole)
    add_run(lab, "last", 100, "queued", seed=7, metrics={}, extra={"resources": {"gpus": 0, "threads": 99}})
    for number, key in enumerate(sorted(path.name for path in lab.runs.iterdir())):
        if (asked := lab.run(key).queue).exists():
            asked.write_text(json.dumps(json.loads(asked.read_text()) | {"order": 1000.0 + number}))
    yield lab


def asked(lab: LabPaths, seed: int) -> dict[str, Any]:
    """The request of a run by the seed in its id."""
    (key,) = (path.name for path in lab.runs.iterdir() if path.name.endswith(f"-{seed:04d}"))
    found: dict[str, Any] = json.loads(lab.run(key).queue.read_text())
    return found


def order(lab: LabPaths) -> list[int]:
    """Seeds of what waits, in the order of starting."""
    found = [(-asked(lab, s)["priority"], asked(lab, s)["order"], s) for s in (3, 4, 5, 6, 7)]
    return [seed for *_, seed in sorted(found)]


async def shown(pilot: Any) -> QueueScreen:
    await pilot.press("Q")
    await until(pilot, lambda: isinstance(pilot.app.screen, QueueScreen) and pilot.app.screen.lines)
    await until(pilot, lambda: pilot.app.screen.devices.rows)
    await pilot.pause(0.05)
    found = pilot.app.screen
    assert isinstance(found, QueueScreen)
    return found


async def test_it_shows_devices_and_what_waits_for_what(busy):
    async with opened(busy, (160, 48)) as pilot:
        await shown(pilot)
        text = screen_text(pilot.app)
        for part in ("GPU 0", "97 %", "35.4 GiB of 131.3 GiB", "71", "transformer-cls", "GPU 1", "unseen 4194303",
                     "2 running", "5 queued", "epoch 7 of 20", "[b]first[/b] 轴承", "waits for 2 GPUs",
                     "▸ grid", "3 queued", "starts now"):  # fmt: skip
            assert part in text, part


async def test_a_sweep_folds_open_and_a_run_opens(busy):
    async with opened(busy) as pilot:
        found = await shown(pilot)
        assert [line.sweep for line in found.lines.values()] == ["", "", "", SWEEP, ""]
        await pilot.press("j", "j", "j", "enter")
        assert [line.whole for line in found.lines.values()] == [False] * 3 + [True] + [False] * 4
        assert table(pilot, "queue").key == SWEEP
        await pilot.press("enter", "g", "enter")
        assert isinstance(pilot.app.screen, RunScreen)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, QueueScreen)


async def test_the_order_changes_by_keys(busy):
    async with opened(busy) as pilot:
        found = await shown(pilot)
        await pilot.press("G", "K")
        await until(pilot, lambda: order(busy) == [3, 7, 4, 5, 6])
        await until(pilot, lambda: next(iter(found.queue.work[3:4])).id.endswith("0007"))
        assert table(pilot, "queue").key.endswith("0007"), "the cursor stays with its run"
        await pilot.press("K")
        await until(pilot, lambda: order(busy) == [7, 3, 4, 5, 6])
        await until(pilot, lambda: found.queue.work[2].id.endswith("0007"))
        await pilot.press("J")
        await until(pilot, lambda: order(busy) == [3, 7, 4, 5, 6])
        await until(pilot, lambda: found.queue.work[3].id.endswith("0007"))
        await pilot.press("G", "K")  # the whole sweep
        await until(pilot, lambda: order(busy) == [3, 4, 5, 6, 7])
        await until(pilot, lambda: found.queue.work[-1].id.endswith("0007"))
        await pilot.press("enter", "j", "J")  # one of its runs, past the next
        await until(pilot, lambda: order(busy) == [3, 5, 4, 6, 7])
        await until(pilot, lambda: found.queue.work[3].id.endswith("0005"))
        await pilot.press("J")
        await until(pilot, lambda: order(busy) == [3, 5, 6, 4, 7])


async def test_a_run_and_a_sweep_are_held_and_preferred(busy):
    async with opened(busy) as pilot:
        found = await shown(pilot)
        await pilot.press("j", "j", "space")
        await until(pilot, lambda: asked(busy, 3).get("held"))
        await until(pilot, lambda: "held" in screen_text(pilot.app))
        await pilot.press("space")
        await until(pilot, lambda: not asked(busy, 3).get("held"))
        await pilot.press("j", "space")
        await until(pilot, lambda: all(asked(busy, seed).get("held") for seed in (4, 5, 6)))
        await until(pilot, lambda: all(one.held for one in found.lines[SWEEP].waiting))
        await pilot.press("plus")
        await until(pilot, lambda: [asked(busy, seed)["priority"] for seed in (3, 4, 5, 6)] == [0, 1, 1, 1])
        await until(pilot, lambda: found.lines[SWEEP].waiting[0].priority == 1)
        await pilot.press("minus")
        await until(pilot, lambda: asked(busy, 4)["priority"] == 0)


async def test_the_queue_pauses(busy):
    async with opened(busy) as pilot:
        await shown(pilot)
        await pilot.press("P")
        await until(pilot, lambda: paused(busy) == "by hand")
        await until(pilot, lambda: "paused: by hand" in screen_text(pilot.app))
        await pilot.press("P")
        await until(pilot, lambda: not paused(busy))


async def test_a_sweep_is_stopped_as_a_whole_after_asking(busy):
    async with opened(busy) as pilot:
        await shown(pilot)
        await pilot.press("j", "j", "j", "x")
        assert isinstance(pilot.app.screen, Confirm)
        assert "“grid” (3 runs)" in screen_text(pilot.app)
        await pilot.press("y")
        await until(pilot, lambda: len([r for r in Lab(busy).runs() if r.state == "stopped"]) == 3)
        await until(pilot, lambda: SWEEP not in pilot.app.screen.lines)


async def test_what_runs_has_no_place_in_the_order(busy):
    async with opened(busy) as pilot:
        await shown(pilot)
        await pilot.press("g", "K", "space")
        assert {str(one.message) for one in pilot.app._notifications} == {
            "only what waits has a place in the order", "nothing of this waits",
        }  # fmt: skip


async def test_an_idle_machine_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("LABTUI_GPU_INVENTORY", str(tmp_path / "none.json"))
    (tmp_path / "none.json").write_text("[]")
    lab = LabPaths(tmp_path / "lab")
    add_run(lab, "done", 60)
    async with opened(lab) as pilot:
        await pilot.press("Q")
        await until(pilot, lambda: "Nothing runs and nothing waits" in screen_text(pilot.app))
        await until(pilot, lambda: "no GPU: runs train on the CPU" in screen_text(pilot.app))


def test_sweeps_stand_where_their_first_run_stands_and_those_to_come_last():
    work = [Work("a", "running"), Work("b", "queued", 1), Work("c", "queued", 2), Work("d", "queued", 3)]
    queue = Queue(work, {"a": "s", "c": "s"}, coming={"s": "3 more to come", "t": "9 more to come"})
    assert [line.key for line in lines(queue, frozenset())] == ["s", "b", "d", "t"]
    assert [line.key for line in lines(queue, frozenset("s"))] == ["s", "a", "c", "b", "d", "t"]


def test_runs_are_inserted_between_equals_too(busy):
    from labtui.launch.queue import insert

    runs = {int(path.name[-4:]): busy.run(path.name) for path in busy.runs.iterdir()}
    for seed in (3, 4, 5, 6, 7):
        queue = runs[seed].queue
        queue.write_text(json.dumps(json.loads(queue.read_text()) | {"order": 5.0}))
    by_id = sorted((3, 4, 5, 6, 7), key=lambda seed: runs[seed].id)
    insert([runs[7]], runs[5], [runs[seed] for seed in by_id])
    assert order(busy) == [3, 4, 7, 5, 6]
    insert([runs[6], runs[5]], runs[3], [runs[seed] for seed in order(busy)])
    assert order(busy) == [6, 5, 3, 4, 7]
    insert([runs[6]], None, [runs[seed] for seed in order(busy)])
    assert order(busy) == [5, 3, 4, 7, 6]


@pytest.fixture
def app(busy: LabPaths, monkeypatch: pytest.MonkeyPatch) -> LabApp:
    still(monkeypatch)
    return LabApp(Lab(busy), now=lambda: NOW)


@pytest.mark.parametrize("size", SIZES)
def test_picture(app, snap_compare, size):
    wait = lambda app: app.screen.lines and app.screen.devices.rows  # noqa: E731
    assert snap_compare(app, terminal_size=size, run_before=settled("Q", "j", "j", "j", wait=wait))
