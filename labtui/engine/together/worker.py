"""The worker of several attempts: `python -m labtui.engine --together [--slots N] [--decision FILE]
RUN_DIR ATTEMPT RUN_DIR ATTEMPT …`, all of them claimed.

It first builds the parts of all, and finds out whether they can be trained together; where it is said how many
would be trained at once apart (`--slots`) also whether together is faster, by a few steps done both ways. It
writes {"together": bool, "why": text, "ratio": times as fast} to the decision file. For no it leaves with
exit status 3, and no run knows of it: each is to be started alone. A decision that is there already is
followed.

Each run has its own record of this process, heartbeat, log of metrics, checkpoints and result, and ends by
itself: one that fails, or is asked to stop, leaves the others alone. SIGTERM is for all. Exit status: 0 all
finished or stopped, 1 some failed, 2 none can be worked on, 3 as said.
"""

from __future__ import annotations

import argparse
import filecmp
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labtui.engine.attempt import Asked, Terminated, fail, refer, training
from labtui.engine.machine import observed
from labtui.engine.workplace import at_work
from labtui.errors import LabtuiError
from labtui.files import toml
from labtui.files.atomic import read_json, write_json
from labtui.files.paths import RunPaths
from labtui.files.tell import tell
from labtui.recipe.stack import APART
from labtui.writer import Run, attach

if TYPE_CHECKING:
    from labtui.engine.together.feed import Feed
    from labtui.engine.together.member import Member
    from labtui.engine.together.prepare import Prepared
    from labtui.engine.together.stack import Stack


@dataclass
class Attempt:
    """One of the attempts."""

    paths: RunPaths
    number: int
    asked: Asked
    run: Run | None = None
    """Once it is attached."""
    prepared: Prepared | None = None
    tables: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    wrong: BaseException | None = None
    """Why it cannot be prepared."""
    left: bool = False
    """It has ended, and said how."""
    failed: bool = False

    def attach(self, like: Run | None) -> bool:
        """Take the run over; False when it cannot be."""
        try:
            self.run = self.asked.run = attach(self.paths.root, self.number, like=like)
        except LabtuiError as error:
            tell(f"labtui: {error}")
            return False
        return True

    def fail(self, error: BaseException) -> None:
        """Say why it failed."""
        assert self.run
        self.failed = self.left = True
        fail(self.run, error, self.tables, self.result)

    def leave(self, member: Member, ended: str | None, error: BaseException | None) -> None:
        """Say that it ended by itself, was asked to, or failed."""
        from labtui.engine.train import conclude

        assert self.run and self.prepared
        self.left = True
        self.result["best"] = member.parts.best[0].facts()
        self.result["facts"]["accumulate"] = member.pieces.count
        try:
            if error is not None:
                raise error
            if ended is None:
                conclude(member, self.prepared.material.dataset.classes, self.result)
        except Exception as error:
            self.fail(error)
            return
        self.run.finish(*(self.asked.outcome() if ended else ("finished",)), **self.result)


def main(argv: Sequence[str]) -> int:
    """Work on the attempts that the command line names; the exit status."""
    options = parse(argv)
    terminated = Terminated()
    all_ = [
        Attempt(RunPaths(Path(root).absolute()), int(number), Asked(terminated))
        for root, number in zip(options.attempts[::2], options.attempts[1::2], strict=True)
    ]
    said = (read_json(options.decision) if options.decision else None) or {}
    if said and not said.get("together"):
        return APART
    with at_work(all_[0].paths):
        prepare(all_)
        found = decide(all_, None if said else options.slots)
        if options.decision and not said and any(one.prepared for one in all_):
            told = {"together": found.group is not None, "why": found.why, "ratio": found.ratio}
            with suppress(OSError):  # the next ones find it out again
                write_json(options.decision, told)
        if found.group is None:
            tell(f"labtui: not trained together: {found.why}")
            return APART
        return train(all_, found.group)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """`slots`, `decision` and `attempts`, a flat list of directories and numbers."""
    parser = argparse.ArgumentParser(prog="python -m labtui.engine --together", allow_abbrev=False)
    parser.add_argument("--slots", type=int, help="how many would be trained at once, apart")
    parser.add_argument("--decision", type=Path, help="where it is said whether together is faster")
    parser.add_argument("attempts", nargs="+", metavar="RUN_DIR ATTEMPT")
    found = parser.parse_args(argv)
    if len(found.attempts) % 2:
        parser.error("a run directory without an attempt")
    return found


def prepare(all_: Sequence[Attempt]) -> None:
    """Build the parts of all; those that cannot be built keep the reason."""
    known = None
    for one in all_:
        try:
            one.tables = toml.read(one.paths.recipe)
            refer(one.paths, one.number, one.tables, one.result)
            _, recipe = training(one.paths, one.tables)
            from labtui.engine.known import Known
            from labtui.engine.together import prepare

            known = known or Known()
            one.prepared = prepare.prepare(recipe, one.paths.lab.root, one.paths.workplace, known)
        except (Exception, SystemExit) as error:  # a part of the user's own may exit
            one.wrong = error


@dataclass
class Decision:
    """Whether trainings are done together."""

    group: tuple[Stack, Feed] | None
    """What does it; None: they are not."""
    why: str
    """In a sentence's clause."""
    ratio: float
    """How many times as fast together is; 0: it was not measured."""


def decide(all_: Sequence[Attempt], slots: int | None) -> Decision:
    """Whether those that could be prepared are trained together.

    Args:
        slots: how many would be trained at once, apart; None: no matter which is faster.
    """
    sound = [one.prepared for one in all_ if one.prepared]
    if not sound:  # each says best what is wrong
        return Decision(None, f"none of them can be begun ({all_[0].wrong})", 0.0)
    from labtui.engine.together import measure
    from labtui.engine.together.apart import Apart
    from labtui.engine.together.prepare import stacked

    try:
        if not alike(all_):
            raise Apart("their code is not the same")
        group = stacked(sound)
    except Apart as error:
        return Decision(None, str(error), 0.0)
    if slots is None:
        return Decision(group, "", 0.0)
    ratio = round(measure.ratio(sound, *group, slots), 3)
    faster = ratio >= measure.LEAST
    why = f"{ratio:.2g} times as fast as {slots} at a time"
    return Decision(group if faster else None, why, ratio)


def alike(all_: Sequence[Attempt]) -> bool:
    """Whether all run the same code: one of their folders is worked in."""
    first, *others = (one.paths for one in all_)
    names = _files(first.workplace) if first.workplace != first.lab.root else set()
    for other in others:
        if other.workplace == other.lab.root and first.workplace == first.lab.root:
            continue
        if other.workplace == other.lab.root or _files(other.workplace) != names:
            return False
        if len(filecmp.cmpfiles(first.workplace, other.workplace, names, shallow=False)[0]) < len(names):
            return False
    return True


def _files(folder: Path) -> set[str]:
    return {
        os.path.relpath(os.path.join(root, name), folder)
        for root, _, names in os.walk(folder)
        for name in names
        if not os.path.islink(os.path.join(root, name)) and os.path.basename(root) != "__pycache__"
    }


def train(all_: Sequence[Attempt], group: tuple[Stack, Feed]) -> int:
    """Take over all, and train them; the exit status."""
    from labtui.engine.together.group import Group
    from labtui.engine.together.prepare import stacked

    there: list[Attempt] = []
    for one in all_:
        if one.attach(there[0].run if there else None):
            there.append(one)
    if not there:
        return 2
    of = {member: one for one in there if (member := begin(one)) is not None}

    def left(member: Member, asked: str | None, error: BaseException | None) -> None:
        of[member].leave(member, asked, error)

    try:
        if 0 < len(of) < sum(one.prepared is not None for one in all_):
            group = stacked([one.prepared for one in of.values() if one.prepared])
        if of:
            with observed(
                there[0].paths.lab, lambda: [one.run for one in of.values() if one.run and not one.left]
            ):
                Group(list(of), *group, left).run()
    except (Exception, SystemExit) as error:  # a step is that of all
        for one in of.values():
            if not one.left:
                one.fail(error)
    return int(any(one.failed for one in there))


def begin(one: Attempt) -> Member | None:
    """The training as it begins or was left; None when it cannot go on."""
    from labtui.engine.together.member import Member
    from labtui.engine.train import begin

    assert one.run
    try:
        if one.prepared is None:
            raise one.wrong or AssertionError
        of = one.prepared
        return begin(
            partial(Member, rng=of.rng), one.run, of.recipe, of.material, of.parts, one.asked, one.result
        )
    except (Exception, SystemExit) as error:
        one.fail(error)
        return None
