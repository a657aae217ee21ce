"""The devices and who uses them; what runs, what waits and for what, in the order of starting."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from labtui.cells import clean, width
from labtui.rows import Row
from labtui.table import size
from labtui.tui import queueing
from labtui.tui.commands import COMMON, RUN, Command, bindings
from labtui.tui.queueing import Devices, Line, Queue, WantDevices, WantQueue, lines
from labtui.tui.screens.base import RunActions
from labtui.tui.tables import SIGNS
from labtui.tui.want import Want
from labtui.tui.widgets.keys import Keys
from labtui.tui.widgets.lines import Lines
from labtui.tui.widgets.table import Cells, Column, Table

DEVICES = (
    Column("device", 6),
    Column("name", 22, least=110),
    Column("use", 16),
    Column("memory", 21),
    Column("°C", 3, "right"),
    Column("runs, others", 0),
)
QUEUE = (
    Column("", 3, "right"),
    Column("state", 11),
    Column("name", 24),
    Column("id", 4),
    Column("priority", 8, "right", least=100),
    Column("where, or what it waits for", 0),
)
HOT = 85
"""°C from which a GPU is about to slow down."""
MOST = 3
"""Lines below the queue on what does not fit into the row under the cursor."""
BAR = 8
"""Cells of a bar that shows how much a GPU computes."""


class QueueScreen(RunActions):
    """Devices above, the queue below."""

    CSS_PATH = Path(__file__).parents[1] / "css" / "queue.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("escape", "back", "back", "Back to where you were.", 1),
        Command("enter", "open", "open", "Open the run; show or hide the runs of a sweep.", 2),
        Command("K,shift+up", "put(-1)", "move up", "Start before the one above it.", 3),
        Command("J,shift+down", "put(1)", "move down", "Start after the one below it.", 3),
        Command("space", "hold", "hold", "Hold what waits of it, or release it.", 3),
        Command("plus", "priority(1)", "more urgent", "Higher priority: higher ones start first."),
        Command("minus", "priority(-1)", "less urgent", "Lower priority."),
        Command("P", "pause", "pause", "Start nothing more in this lab, or go on; what runs goes on.", 5),
        *(replace(command, rank=min(command.rank, 4) if command.name == "stop" else 9) for command in RUN),
        Command("tab", "other", "devices", "To the devices, and back to the queue.", 8),
        *COMMON,
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self.queue = Queue()
        self.devices = Devices()
        self.lines: dict[str, Line] = {}
        self.opened: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        """Title, devices, queue, keys."""
        yield Lines(id="title")
        yield Table(DEVICES, self.device_cells, id="devices", empty="  Looking at the devices …")
        yield Lines(id="hint")
        yield Table(QUEUE, self.cells, id="queue", empty="  Reading the queue …")
        yield Lines(id="about")
        yield Keys(self.KEYS)

    def on_mount(self) -> None:
        """The queue takes the keys."""
        self.set_focus(self.table)

    @property
    def table(self) -> Table:
        """The queue."""
        return self.query_one("#queue", Table)

    @property
    def line(self) -> Line | None:
        """The line under the cursor."""
        return self.lines.get(self.table.key or "")

    def targets(self) -> Sequence[str]:
        """The runs of the line under the cursor."""
        return [one.id for one in self.line.work] if self.line else []

    def wants(self) -> tuple[Want, ...]:
        """The queue and the devices."""
        return WantQueue(self.slot("queue")), WantDevices(self.slot("devices"))

    def found(self, name: str, value: Any) -> None:
        """Show what changed."""
        if isinstance(value, Queue):
            self.queue = value
            self.show_queue()
        elif isinstance(value, Devices):
            self.devices = value
            table = self.query_one("#devices", Table)
            table.styles.height = len(value.rows) + 1
            table.show([str(number) for number in range(len(value.rows))])
            hint = self.query_one("#hint", Lines)
            hint.set_class(bool(value.problem), "told")
            hint.show([[(clean(value.problem), "dim")]])

    def show_queue(self) -> None:
        """The lines, and a summary."""
        self.lines = {line.key: line for line in lines(self.queue, self.opened)}
        self.table.empty = "  Nothing runs and nothing waits: r, among the runs, launches a recipe."
        self.table.show(list(self.lines))
        work = self.queue.work
        running = sum(one.state == "running" for one in work)
        row: Row = [(" queue  ", "title"), (f"{running} ", "bold"), ("running  ", "accent")]
        row += [(f"{len(work) - running} ", "bold"), ("queued  ", "warn")]
        if self.queue.paused:
            row.append((f"paused: {clean(self.queue.paused)}", "bad"))
        elif len(work) > running and not self.queue.served:
            row.append(("no supervisor is at work: P twice starts one", "bad"))
        self.query_one("#title", Lines).show([row])
        self.show_about()

    def cells(self, key: str) -> Cells:
        """A row of the queue."""
        line = self.lines[key]
        return self._sweep_cells(line) if line.whole else self._run_cells(line)

    def _run_cells(self, line: Line) -> Cells:
        (one,) = line.work
        sign, style = SIGNS[one.state]
        name = clean(self.queue.names.get(one.id, ""))
        about = (
            f"{self.queue.progress.get(one.id, '')}  {one.on}"
            if one.state == "running"
            else one.why or "starts now"
        )
        return [
            (str(one.place or ""), "dim"),
            (f"{sign} {'held' if one.held else one.state}", style),
            (("  " if line.sweep else "") + name, ""),
            (one.id[-4:], "dim"),
            (str(one.priority or ""), ""),
            (clean(about), "dim"),
        ]

    def _sweep_cells(self, line: Line) -> Cells:
        first = line.waiting[0] if line.waiting else None
        state = "running" if line.running else "queued"
        sign, style = SIGNS[state]
        held = bool(line.waiting) and all(one.held for one in line.waiting)
        parts = [
            f"{len(mine)} {what}"
            for mine, what in ((line.running, "running"), (line.waiting, "queued"))
            if mine
        ]
        about = ", ".join(filter(None, [*parts, self.queue.coming.get(line.sweep, "")]))
        if first and first.why and not line.running:
            about += f"; {first.why}"
        priority = max((one.priority or 0 for one in line.waiting), default=0)
        return [
            (str(first.place) if first and not line.running else "", "dim"),
            (f"{sign} {'held' if held else 'sweep'}", style),
            (("▾ " if line.open else "▸ ") + clean(self.queue.names.get(line.sweep, line.sweep)), "bold"),
            (line.sweep[-4:], "dim"),
            (str(priority or ""), ""),
            (clean(about), "dim"),
        ]

    def device_cells(self, key: str) -> Cells:
        """A row of the devices."""
        row = self.devices.rows[int(key)]
        if row["cores"]:
            use, share = f"{row['cores_taken']} of {row['cores']} cores", 0
        else:
            share = row["utilization"]
            filled = round((share or 0) * BAR / 100)
            use = "" if share is None else "█" * filled + "░" * (BAR - filled) + f" {share:3} %"
        memory = f"{size(row['memory_used'])} of {size(row['memory_total'])}" if row["memory_total"] else ""
        from labtui.workload import other_text

        names = [self.queue.names.get(key) or key[-4:] for key in row["runs"]]
        users = [*names, *map(other_text, row["others"]), row["note"]]
        hot = (row["temperature"] or 0) >= HOT
        return [
            (f"GPU {row['device']}" if not row["cores"] else "CPU", "bold"),
            (clean(row["name"] or ""), "dim"),
            (use, "accent" if share else ""),
            (memory, ""),
            ("" if row["temperature"] is None else str(row["temperature"]), "bad" if hot else ""),
            (clean(", ".join(filter(None, users))), "" if row["runs"] else "dim"),
        ]

    def action_open(self) -> None:
        """Open a run, or fold a sweep."""
        line = self.line
        if line and line.whole:
            self.opened ^= {line.key}
            self.show_queue()
        elif line:
            self.lab_app.open_run(line.key)

    @on(Table.Moved, "#queue")
    def show_about(self) -> None:
        """All that there is to say of the line under the cursor, where its row has no room for it."""
        text = self.cells(self.line.key)[-1][0] if self.line else ""
        wide = max(self.size.width - 2, 20)
        room = wide - sum(column.width + 1 for column in QUEUE if column.least <= wide)
        about = self.query_one("#about", Lines)
        said = textwrap.wrap(text, wide - 2)[:MOST] if width(text) > room else []
        about.set_class(bool(said), "told")
        about.styles.height = len(said)
        about.show([[(" " + line, "dim")] for line in said])

    @on(Table.Opened, "#queue")
    def clicked(self) -> None:
        """A line was clicked twice."""
        self.action_open()

    def action_other(self) -> None:
        """From one table to the other."""
        devices = self.query_one("#devices", Table)
        self.set_focus(self.table if devices.has_focus else devices)

    def action_put(self, step: int) -> None:
        """Past the line above or below that waits, too; of a sweep's runs past another of them."""
        line, work = self.line, self.queue.work
        beside = [one for one in self.lines.values() if one.waiting and one.key != (line and line.key)]
        if not line or not line.waiting:
            self.lab_app.say("only what waits has a place in the order")
            return
        own = bool(line.sweep) and not line.whole
        same = [
            one
            for one in beside
            if (bool(one.sweep) and not one.whole) == own and (not own or one.sweep == line.sweep)
        ]
        place = line.waiting[0].place or 0
        before = [one for one in same if (one.waiting[0].place or 0) < place]
        after = [one for one in same if (one.waiting[0].place or 0) > place]
        if not (before if step < 0 else after):
            return
        target = before[-1] if step < 0 else next(iter(after[1:]), None)
        if target is None and own:  # behind the last of the sweep's runs, not behind those of others
            later = [one for one in work if (one.place or 0) > (after[0].waiting[0].place or 0)]
            target = Line(later[0].id, (later[0],)) if later else None
        self._do("order", lambda: queueing.put(self.lab_app.lab.paths, line, target, work))

    def action_hold(self) -> None:
        """Hold what waits, or release it."""
        if line := self._waiting():
            held = not (line.waiting and all(one.held for one in line.waiting))
            said = "held" if held else "released"
            self._do("hold", lambda: queueing.change(self.lab_app.lab.paths, line, said, held=held))

    def action_priority(self, step: int) -> None:
        """More or less urgent."""
        if line := self._waiting():
            number = max((one.priority or 0 for one in line.waiting), default=0) + step
            said = f"priority {number} for"
            self._do("priority", lambda: queueing.change(self.lab_app.lab.paths, line, said, priority=number))

    def _waiting(self) -> Line | None:
        """The line under the cursor, if something of it waits or is to come."""
        line = self.line
        if line and (line.waiting or (line.sweep in self.queue.coming and line.whole)):
            return line
        self.lab_app.say("nothing of this waits")
        return None

    def action_pause(self) -> None:
        """Pause the queue, or let it go on."""
        paused = not self.queue.paused
        self._do("pause", lambda: queueing.pause(self.lab_app.lab.paths, paused))

    def action_stop(self) -> None:
        """Stop a run as everywhere; a sweep as a whole, after asking."""
        line = self.line
        if line is None or not line.whole:
            super().action_stop()
            return
        from labtui.tui.screens.ask import Confirm

        name = clean(self.queue.names.get(line.sweep, line.sweep))
        question = (
            f"Stop the sweep “{name}” ({queueing.runs(len(line.work))}) and make no more of it? R resumes."
        )
        act = lambda: queueing.stop(self.lab_app.lab.paths, line)  # noqa: E731
        self.app.push_screen(Confirm(question), lambda yes: self._do("stop", act) if yes else None)

    def _do(self, name: str, act: Callable[[], str]) -> None:
        self.lab_app.act(name, act)
