"""Pictures of every screen in a lab without runs and with one, at both sizes, and with a thousand. The app is opened once
for each lab and size, and walked through. Look at them before you accept new ones:
`pytest tests/test_tui_every_screen.py --snapshot-update`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import screens_lab
from pytest_textual_snapshot import SVGImageExtension
from screens_lab import LATER
from test_tui_pictures import SIZES
from textual.pilot import Pilot
from tui_pilot import screen_text, still, until

from labtui import launch
from labtui.files.paths import LabPaths
from labtui.query import Lab
from labtui.tui.app import LabApp

BUSY = ("Reading the", "writing …", "computing …", "Looking at", "Comparing the")
"""What stands on a screen until there is something to show."""


class Look(NamedTuple):
    """A picture: what it is called (empty: none is kept), the keys that lead there from the one before, a text that it has."""

    name: str
    keys: str
    text: str = ""


EMPTY = (
    Look("lab", "", "No runs yet: press r"),
    Look("report", "P", "No runs yet"),
    Look("notebook", "escape N", "notebook"),
    Look("sweeps", "escape W", "No sweeps yet: launch"),
    Look("queue", "escape Q", "Nothing runs and nothing waits"),
    Look("settings", "escape comma", "set in"),
    Look("help", "escape question_mark", "Keys"),
    Look("recipes", "escape r", "transformer-cls"),
    Look("launch", "enter", "1 run"),
)
ONE = (
    Look("lab", "", "val.acc 0.9"),
    Look("charts", "enter 1", "lr 0.0001"),
    Look("system", "7", "cpu %"),
    Look("help", "question_mark", "Keys"),
    Look("report", "escape p", "Experiment"),
    Look("sweep", "escape w", "of no sweep"),
    Look("ends", "escape escape B", "fewer than two runs"),
    Look("lab-report", "escape P", "1 run of 1"),
    Look("notebook", "escape N", "look at the outer race"),
)
THOUSAND = (
    Look("", "", "940 finished"),  # its picture: test_tui_lab_pictures.py
    *(
        Look(f"queued-{title}", ("enter " if number == 1 else "") + str(number), text)
        for number, title, text in (
            (1, "charts", "nothing was logged yet"),
            (2, "overview", "waits for its turn"),
            (3, "log", "log"),
            (4, "results", "none yet"),
            (5, "weights", "nothing yet"),
            (6, "embedding", "nothing yet"),
            (7, "system", "nothing of the machine"),
            (8, "diagnosis", "not asked: none"),
            (9, "notes", "n adds one"),
        )
    ),
    Look("queue", "escape Q", "waits for a GPU"),
    Look("ends", "escape B", "2 runs of 1,000"),
    Look("compare", "escape slash n a m e = g e s t u r e s enter J J J J J J C", "7 runs"),
    Look("sweeps", "escape escape escape W", "0.908 ± 0.010"),
    *(
        Look(f"sweep-{title}", ("enter " if number == 1 else "") + str(number), text)
        for number, title, text in (
            (1, "cells", "✗■"),
            (2, "means", "20 runs not finished"),
            (3, "parallel", "light lines"),
            (4, "importance", "96 cells"),
            (5, "slices", "dropout"),
            (6, "heat-map", "(better)"),
        )
    ),
)
LABS: dict[str, tuple[Callable[[Path], LabPaths], tuple[Look, ...]]] = {
    "empty": (screens_lab.empty, EMPTY),
    "one": (screens_lab.one, ONE),
    "thousand": (screens_lab.thousand, THOUSAND),
}


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same machine everywhere, with one GPU, whose figures stand still."""
    still(monkeypatch)
    gpu = {"index": 0, "name": "NVIDIA H200", "memory_total": 141 * 10**9, "memory_used": 38 * 10**9}
    (tmp_path / "gpus.json").write_text(json.dumps([gpu | {"utilization": 97, "temperature": 71}]))
    monkeypatch.setenv("LABTUI_GPU_INVENTORY", str(tmp_path / "gpus.json"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(launch, "wake", lambda lab: None)
    monkeypatch.setattr(launch, "at_work", lambda lab: {"pid": 1})
    monkeypatch.setattr("labtui.tui.queueing.SLOW", 1e9)
    monkeypatch.setattr("labtui.tui.queueing.QUICK", 1e9)
    monkeypatch.setattr("labtui.forecast._room", lambda *_: ("1 GPU", 1, 1))
    yield


async def rest(pilot: Pilot[None], text: str) -> None:
    """Wait until the screen shows a text and what is there changes no more."""
    await until(pilot, lambda: text in screen_text(pilot.app), 30)
    same, before = 0, ""
    for _ in range(150):
        await pilot.pause(0.1)
        now = screen_text(pilot.app)
        same = same + 1 if now == before and not any(word in now for word in BUSY) else 0
        before = now
        if same == 3:
            return
    raise AssertionError(f"it does not come to rest\n{before}")


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LabPaths]:
    """A lab of the three, made once."""
    return cache(lambda name: LABS[name][0](tmp_path_factory.mktemp(name) / "lab"))


@pytest.mark.parametrize(
    ("lab", "size"),
    [
        pytest.param(lab, size, id=f"{lab}-{size[0]}x{size[1]}")
        for lab in LABS
        for size in (SIZES[:1] if lab == "thousand" else SIZES)
    ],
)
async def test_walk(labs, snapshot, lab, size):
    snapshot = snapshot.use_extension(SVGImageExtension)
    differ = []
    labs(lab).screens.unlink(missing_ok=True)  # what the walk before has left
    app = LabApp(Lab(labs(lab)), now=lambda: LATER)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.known and app.screen.machine.strip.free)
        for look in LABS[lab][1]:
            for key in look.keys.split():
                await pilot.press(key)
                await pilot.pause()
            await rest(pilot, look.text)
            if look.name and snapshot(name=look.name) != app.export_screenshot():
                differ.append(look.name)
    assert not differ
