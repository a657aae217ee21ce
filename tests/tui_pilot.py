"""The app over a lab in a test: keys in, state and text out."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot
from tui_lab import NOW

from labtui.files.paths import LabPaths
from labtui.query import Lab
from labtui.tui.app import LabApp
from labtui.tui.strip import Strip
from labtui.tui.widgets.table import Table


async def until(pilot: Pilot[None], true: Callable[[], Any], seconds: float = 10) -> None:
    """Wait for something that the feed or a worker brings about."""
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        await pilot.pause(0.02)
    raise AssertionError(f"did not happen in {seconds} s\n{screen_text(pilot.app)}")


def screen_text(app: Any) -> str:
    """What is on the screen, without colours."""
    size = app.screen.size
    strips = app.screen._compositor.render_strips(size)
    return "\n".join(strip.text for strip in strips)


@asynccontextmanager
async def opened(
    lab: LabPaths, size: tuple[int, int] = (80, 24), run_id: str = ""
) -> AsyncIterator[Pilot[None]]:
    """The app over a lab, once it shows its runs."""
    app = LabApp(Lab(lab), run_id=run_id, now=lambda: NOW)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.snapshot.place)
        await pilot.pause()
        yield pilot


def screen(pilot: Pilot[None], kind: type[Any]) -> Any:
    """The screen in front, which is of a kind."""
    assert isinstance(pilot.app.screen, kind)
    return pilot.app.screen


def table(pilot: Pilot[None], name: str = "runs") -> Table:
    """A table of the screen in front."""
    return pilot.app.screen.query_one(f"#{name}", Table)


def tab_key(title: str) -> str:
    """The key that opens a tab of a run."""
    from labtui.tui.tabs.all import TABS

    return str([tab.TITLE for tab in TABS].index(title) + 1)


def pressed(*keys: str, wait: Callable[[Any], Any]) -> Callable[[Pilot[None]], Awaitable[None]]:
    """For a picture: press keys once the runs are there, and wait until something holds for the app."""

    async def before(pilot: Pilot[None]) -> None:
        app: Any = pilot.app
        await until(pilot, lambda: app.snapshot.place)
        await pilot.pause()
        await pilot.press(*keys)
        await until(pilot, lambda: wait(app))
        await pilot.pause()

    return before


def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same place, machine and time zone in every picture."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(LabApp, "place", "~/bearings")
    strip = Strip(cores=16, taken=4, free=412 * 10**9)
    monkeypatch.setattr("labtui.tui.widgets.machine.look", lambda lab, running: strip)
