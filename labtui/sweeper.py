"""Sweeps at work: what a plan still wants becomes runs, a few at a time; stopping and resuming all of it.

One at a time fills a sweep, under the lock of its folder: the launcher, then the supervisor. What has
been made is known from the runs themselves, and read again whenever somebody else has filled it.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from labtui import launch
from labtui.errors import JournalError, LabError, LabtuiError, LaunchError, RecipeError, RunNotFound
from labtui.files import process
from labtui.files.atomic import locked, read_json, write_json
from labtui.files.paths import LabPaths, RunPaths, SweepPaths
from labtui.launch.agent import Filled, say
from labtui.query import Lab
from labtui.query.progress import OVER, standing
from labtui.query.rows import Row
from labtui.snapshot import forget
from labtui.sweep import Plan, Training, definition, stack

if TYPE_CHECKING:
    from labtui.searching import Searching

AHEAD = 16
"""So many runs of a sweep wait at a time."""
AHEAD_TOGETHER = 64
"""Where one process may train them all."""
AHEAD_TIMED = 2
"""Where hours are the budget, after which what waits still starts."""
AHEAD_ON_SLURM = 1000
"""In a cluster's queue, which has places for them; those at work are among them."""
LOOK = 1.0
"""Seconds between two looks at what the runs of a search have reached, where hopeless ones are ended."""


class Sweeper:
    """Fills the sweeps of one lab.

    Args:
        lab: its folders.
    """

    def __init__(self, lab: LabPaths) -> None:
        self.lab = lab
        self._index = Lab(lab)
        self._filling: dict[str, Filling] = {}

    def fill(self, waiting: Mapping[str, int]) -> Filled:
        """Make runs of what the active sweeps want.

        Args:
            waiting: runs that wait, by sweep; of a cluster's also those at work.
        """
        made, more, again = 0, False, math.inf
        active = list(definition.active(self.lab))
        self._filling = {
            paths.id: self._filling.get(paths.id) or Filling(self.lab, paths, self._index) for paths in active
        }
        for paths in active:
            filling, wait = self._filling[paths.id], waiting.get(paths.id, 0)
            trouble = ""
            try:
                made += len(filling.fill(wait))
            except (RecipeError, RunNotFound, JournalError) as error:
                trouble = str(error)  # its user has to mend it, and resume the sweep
            except (LabtuiError, OSError) as error:  # such as a full disk, which passes
                trouble, more = str(error), True
            else:
                # Others come when those that wait begin; where these are held, nothing comes by itself.
                more |= not wait and paths.request.exists()
                again = LOOK if filling.prunes else again
            if trouble not in ("", filling.trouble):
                say(f"{paths.id}: {trouble}")
            filling.trouble = trouble
        return Filled(made, more, again)


class Filling:
    """One sweep that is being filled.

    Args:
        paths: of the sweep.
        index: the lab, where it has been read already.
    """

    def __init__(self, lab: LabPaths, paths: SweepPaths, index: Lab | None = None) -> None:
        self.lab, self.paths, self.index = lab, paths, index or Lab(lab)
        self.trouble = ""
        self._stamp: Any = None
        self._plan: Plan | None = None
        self._missing: Iterator[Training] = iter(())
        self._search: Searching | None = None
        self._mine = process.identity() | {"by": id(self)}

    def fill(self, waiting: int) -> list[RunPaths]:
        """Make so many runs that AHEAD of them wait; the runs.

        Raises:
            LabtuiError: the definition is broken, or the lab cannot be written.
        """
        with locked(self.paths.root):
            try:
                return self._fill(waiting)
            except (RecipeError, RunNotFound, JournalError) as error:
                with suppress(LabError):  # under this lock, or a request that was made anew would be halted
                    definition.halt(self.paths, str(error))
                raise

    def _fill(self, waiting: int) -> list[RunPaths]:
        asked = definition.asked(self.paths)
        if asked is None:
            return []
        plan = self._look()
        if self._search:
            return self._fill_search(plan, self._search, asked)
        ahead = _ahead(plan)
        if self._spent(plan):
            definition.withdraw(self.paths)
            return []
        if waiting >= ahead:
            return []
        write_json(self.paths.filler, self._mine, fsync=False)
        chosen = list(islice(self._missing, ahead - waiting))
        made = self._make(plan, chosen, asked)
        if len(chosen) < ahead - waiting:
            definition.withdraw(self.paths)
        return made

    @property
    def prunes(self) -> bool:
        """Whether runs at work have to be looked at now and then."""
        return self._search is not None and self._search.prunes and self.paths.request.exists()

    def _fill_search(self, plan: Plan, search: Searching, asked: Mapping[str, Any]) -> list[RunPaths]:
        """Make what a search wants next, and end what is hopeless."""
        try:
            if search.prunes:
                search.prune()
            chosen, over = search.next()
            made = self._make(plan, chosen, asked) if chosen else []
        except BaseException:
            self._plan = None  # what it knows may be half of it
            raise
        search.made(chosen, made)
        if over:
            definition.withdraw(self.paths)
        return made

    def _look(self) -> Plan:
        """The plan, with what is missing of it, as it was unless somebody changed something."""
        files = [os.stat(path) for path in (self.paths.recipe, self.paths.request)]
        stamp = [(file.st_mtime_ns, file.st_ino) for file in files]
        # Of a search the journal and the runs say what another filler did.
        others = self._search is None and read_json(self.paths.filler) != self._mine
        if self._plan is None or stamp != self._stamp or others:
            self._plan, self._stamp = definition.read(self.paths), stamp
            if self._plan.searches:
                from labtui.searching import Searching  # numpy: not needed for a grid

                try:
                    self._search = Searching(self.lab, self.paths, self._plan)
                except BaseException:
                    self._plan = None
                    raise
                return self._plan
            known = {row.key for row in self.rows()}
            self._missing = (training for training in self._plan if training.key not in known)
        return self._plan

    def rows(self) -> list[Row]:
        """The runs of the sweep as they are now."""
        self.index.index.refresh()
        return _rows(self.index, self.paths.id)

    def _spent(self, plan: Plan) -> bool:
        """Whether the sweep's hours are over."""
        if plan.sweep.hours is None:
            return False
        return sum(row.duration or 0.0 for row in self.rows()) >= 3600 * plan.sweep.hours

    def _make(self, plan: Plan, chosen: Sequence[Training], asked: Mapping[str, Any]) -> list[RunPaths]:
        tables = [plan.resolved(training, self.paths.id).tables() for training in chosen]
        stack.refuse(self.paths, tables)
        try:
            return launch.enqueue(
                self.lab,
                tables,
                code=RunPaths(self.paths.root),
                priority=asked.get("priority"),
                after=[str(one) for one in asked.get("after") or []],
                held=bool(asked.get("held")),
                python=str(asked.get("python") or ""),
            )
        except BaseException:
            self._plan = None  # they are still missing
            raise


def _rows(index: Lab, sweep: str) -> list[Row]:
    """The runs of a sweep as they were read last; others, of which there may be thousands, are not wrapped."""
    return [Row(fields) for fields in index.index.rows if fields["sweep"] == sweep]


def _ahead(plan: Plan) -> int:
    """How many runs wait at a time."""
    if plan.recipe.resources.launcher == "slurm":
        return AHEAD_ON_SLURM
    if plan.sweep.together:
        return AHEAD_TOGETHER
    return AHEAD if plan.sweep.hours is None else AHEAD_TIMED


def begin(
    lab: LabPaths, plan: Plan, sweep: str, overrides: Sequence[str], **asked: Any
) -> tuple[list[RunPaths], int]:
    """Begin a sweep: keep its definition, and queue its first runs. The supervisor queues the others.

    Args:
        overrides: what `--set` changed.
        asked: `priority`, `after` and `held` of the runs.

    Returns:
        The runs that are queued now, and how many there will be; of a search that only hours end, 0.

    Raises:
        LabtuiError: a cell is wrong, or the lab cannot be written.
    """
    trainings = plan.check()  # each cell, before anything is made
    paths = lab.sweep(sweep)
    definition.write(paths, plan, list(overrides))
    try:
        definition.ask(paths, python=sys.executable, **asked)
        return Filling(lab, paths).fill(0), trainings
    except BaseException:
        discard(paths)
        raise


def resume(
    lab: LabPaths, sweep: str, *, force: bool = False, index: Lab | None = None
) -> tuple[list[RunPaths], list[str]]:
    """Go on with a sweep, as its recipe's file has it now: what has ended unfinished goes on, what is missing
    is made, and what is finished stays.

    Args:
        force: also where a process may still live elsewhere.
        index: the lab, where it has just been read.

    Returns:
        The runs that are queued now, and why some cannot be resumed.

    Raises:
        LabtuiError: the file is no longer that of such a sweep, a cell is wrong, or the lab cannot be written.
    """
    paths = lab.sweep(sweep)
    if index is None:
        index = Lab(lab)
        index.index.refresh()
    rows = _rows(index, sweep)
    if not paths.recipe.exists():  # removed, or of an early labtui, which made all runs at once
        queued, problems = _resumed(lab, rows, force)
        told = "only the runs that there are go on; `labtui run` on the recipe makes a new sweep"
        return queued, [*problems, f"sweep {sweep}: has no definition in {paths.root}: {told}"]
    now = definition.reread(lab, paths)
    plan = now[0] if now else definition.read(paths)
    wanted = set() if plan.searches else {training.key for training in plan}
    known = {row.key for row in rows}
    with locked(paths.root):
        if plan.searches:
            from labtui.searching import Searching

            wanted = Searching(lab, paths, plan).keys()
        if now:
            definition.write(paths, *now)
            if plan.searches or wanted - known:
                forget(RunPaths(paths.root))  # what is made now runs the code as it is now
        queued, problems = _resumed(lab, [row for row in rows if row.key in wanted], force)
        before = definition.asked(paths)
        if before is not None or plan.searches or wanted - known:
            before = before or {"python": sys.executable}
            definition.ask(paths, **{key: before[key] for key in before if key != definition.TROUBLE})
    waiting = sum(row.state == "queued" for row in rows) + len(queued)
    return queued + Filling(lab, paths, index).fill(waiting), problems


def _resumed(lab: LabPaths, rows: Sequence[Row], force: bool) -> tuple[list[RunPaths], list[str]]:
    """Resume the runs that ended and are not done; those that are queued now, and why others are not. Of a
    training with several runs, such as one that was restored from a copy, one at most, and none where it is done."""
    found, problems = [], []
    settled = {row.key for row in rows if row.state in ("running", "queued") or done(row)} - {""}
    over = [row for row in rows if row.state not in ("running", "queued") and not done(row)]
    # The newest of each; of an early labtui's runs nobody knows the key.
    for row in {row.key or row.id: row for row in over if row.key not in settled}.values():
        try:
            launch.resume(lab.run(row.id), force=force)
            found.append(lab.run(row.id))
        except LaunchError as error:
            problems.append(str(error))
    return found, problems


def stop(lab: LabPaths, sweep: str) -> bool:
    """Make no more runs of a sweep, on any machine; those that there are go on. Whether there was more to make."""
    paths = lab.sweep(sweep)
    if not paths.root.is_dir():
        return False
    with locked(paths.root):
        return definition.withdraw(paths, everywhere=True)


def change(lab: LabPaths, sweep: str, **fields: Any) -> bool:
    """Have the runs to come of a sweep ask for something else: `priority`, `after`, `held`. Whether there are
    any that this machine's supervisor makes."""
    paths = lab.sweep(sweep)
    if not paths.request.exists():
        return False
    with locked(paths.root):
        if (asked := definition.asked(paths)) is None:
            return False
        definition.ask(paths, **asked | fields)
        return True


def done(row: Row) -> bool:
    """Whether nothing is left to do of a run: it has finished, or was ended early because it was hopeless."""
    return standing(row) in OVER


def take_back(lab: LabPaths, sweep: str) -> None:
    """Undo the beginning of a sweep, with what a supervisor has made of it since."""
    with suppress(LabtuiError):  # its folder is removed in any case
        stop(lab, sweep)
    launch.withdraw(lab, [lab.run(row.id) for row in _rows(Lab(lab), sweep)])
    discard(lab.sweep(sweep))


def discard(paths: SweepPaths) -> None:
    """Remove what is kept of a sweep; its runs stay."""
    from shutil import rmtree

    try:
        rmtree(paths.root)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise LabError(f"{paths.root}: cannot be removed ({error.strerror})") from error
