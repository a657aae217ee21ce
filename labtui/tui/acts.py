"""What the user asks for: launch, stop, resume, write on runs. Each says how it went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from labtui.errors import LabtuiError
from labtui.files.paths import LabPaths, Noted

if TYPE_CHECKING:
    from labtui.notes import Entry


class Launching(NamedTuple):
    """What is to be launched."""

    path: Path
    """The recipe's file."""
    overrides: Sequence[str] = ()
    held: bool = False
    """Not to be started until it is released."""
    text: str | None = None
    """Instead of what the file holds."""


def launch(lab: LabPaths, what: Launching) -> tuple[str, str]:
    """Queue the runs of a recipe; how it went, and the id of the first run."""
    from labtui.launcher import queue_recipe

    made = queue_recipe(lab, what.path, what.overrides, held=what.held, text=what.text)
    first = made.runs[0].id if made.runs else ""
    held = ", held: release it in the queue" if what.held else ""
    return (f"launched {made.sweep}" if made.sweep else f"launched {first}") + held, first


def stop(lab: LabPaths, keys: Sequence[str]) -> str:
    """Ask runs to stop."""
    from labtui import launch

    return _each(keys, lambda key: launch.stop(lab.run(key)), "asked {} to stop")


def resume(lab: LabPaths, keys: Sequence[str]) -> str:
    """Resume runs."""
    from labtui import launch

    try:
        return _each(keys, lambda key: launch.resume(lab.run(key)), "resumed {}")
    finally:
        launch.wake(lab)


def remove(lab: LabPaths, keys: Sequence[str]) -> str:
    """Remove runs; those that run stay."""
    from labtui import launch

    return _each(keys, lambda key: launch.remove(lab, lab.run(key)), "removed {}")


def stop_sweep(lab: LabPaths, sweep: str) -> str:
    """Make nothing more of a sweep, and ask what there is of it to stop."""
    from labtui import launch, sweeper
    from labtui.query import Lab

    sweeper.stop(lab, sweep)
    index = Lab(lab).index  # the feed's own is its thread's
    index.refresh()
    rows = [row for row in index.rows if row["sweep"] == sweep and row["state"] in ("running", "queued")]
    rows.sort(key=lambda row: str(row["state"]))  # those that wait would begin in the place of the others
    launch.stop_all([lab.run(row["id"]) for row in rows])
    return f"asked {_count(len(rows))} of the sweep to stop; nothing more is made of it"


def resume_sweep(lab: LabPaths, sweep: str) -> str:
    """Go on with all of a sweep that is not done."""
    from labtui import launch, sweeper

    try:
        queued, problems = sweeper.resume(lab, sweep)
    finally:
        launch.wake(lab)
    said = f"{_count(len(queued))} of the sweep queued" if queued else "nothing of the sweep was queued"
    return "; ".join([said, *problems])


def baseline(lab: LabPaths, key: str, wanted: bool) -> str:
    """Compare the cells of a run's sweep with the one that it is of, or with none."""
    from labtui.query import Lab, baseline

    index = Lab(lab).index  # the feed's own is its thread's
    index.refresh()
    sweep = next((row["sweep"] for row in index.rows if row["id"] == key), "")
    rows = baseline.of_sweep(index.rows, sweep)
    if wanted:
        return f"the baseline is now {baseline.pin(lab, rows, key).label or 'all runs of the sweep'}"
    baseline.clear(lab, sweep)
    return "there is no baseline any more"


def write(
    lab: LabPaths, what: str, keys: Sequence[str], text: str, failed: Callable[[Sequence[str]], None]
) -> str:
    """Add a note ("note") or tags ("tag", a minus removes).

    Args:
        failed: is told on which runs it could not be written.
    """
    from labtui import notes

    if what == "tag":
        words = text.replace(",", " ").split()
        gone = [word[1:] for word in words if word.startswith("-")]
        new = [word.removeprefix("+") for word in words if not word.startswith("-")]
        return _each(keys, lambda key: notes.tag(lab.run(key), new, gone), "tagged {}", failed)
    return _each(keys, lambda key: notes.add_note(lab.run(key), text), "noted on {}", failed)


def write_entry(on: Noted, kind: str, number: int | None, text: str, before: str = "") -> str:
    """Add a note ("notes") or to-do ("todos"), change one, or, with an empty text, delete it.

    Raises:
        NoteChanged: it has not the text `before` any more.
    """
    from labtui import notes

    what = "note" if kind == "notes" else "to-do"
    if number is None:
        (notes.add_note if kind == "notes" else notes.add_todo)(on, text)
        return f"added the {what}"
    (notes.write_note if kind == "notes" else notes.write_todo)(on, number, text, before)
    return f"changed the {what}" if text else f"deleted the {what}"


def mark_entry(entry: Entry, state: str, reason: str = "") -> str:
    """Say how a to-do stands.

    Raises:
        NoteChanged: it is another one by now.
    """
    from labtui import notes

    notes.mark_todo(entry.of, entry.number, state, reason, entry.text)
    return f"the to-do is {'aborted' if state == 'abort' else state}"


def _each(
    keys: Sequence[str],
    do: Callable[[str], None],
    said: str,
    failed: Callable[[Sequence[str]], None] = lambda keys: None,
) -> str:
    """Do something to each run; the first problem is raised when the others are done.

    Args:
        failed: is told of the runs to which it could not be done.
    """
    problems = {}
    for key in keys:
        try:
            do(key)
        except LabtuiError as error:
            problems[key] = error
    if problems:
        failed(list(problems))
        raise next(iter(problems.values()))
    return said.format(_count(len(keys)))


def _count(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"
