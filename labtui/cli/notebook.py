"""The lab's notebook: note, and todo with what can be done to a to-do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labtui.cli.app import Format, FormatOption, app, open_lab, say
from labtui.errors import LabError

if TYPE_CHECKING:
    from labtui.files.paths import Noted
    from labtui.notes import Entry
    from labtui.query import Lab

todo_app = typer.Typer(
    help="What is to be done about a run, a sweep, a recipe or the lab.", rich_markup_mode=None
)
app.add_typer(todo_app, name="todo")

_WHERE = "RUN|SWEEP|RECIPE|@lab"
_MEANT = "A run, the id of a sweep, a recipe's path with its .toml, or @lab for the whole lab."
Place = Annotated[str, typer.Argument(metavar=_WHERE, help=_MEANT)]
Number = Annotated[int, typer.Argument(metavar="N", min=1, help="Its number in `labtui todo list`.")]
Reason = Annotated[str, typer.Argument(help="Why, in your words.")]


class State(StrEnum):
    """How a to-do stands."""

    open = "open"
    pending = "pending"
    done = "done"
    abort = "abort"


@app.command()
def note(
    place: Annotated[
        str | None, typer.Argument(metavar=f"[{_WHERE}]", help=f"{_MEANT} Absent: everything.")
    ] = None,
    text: Annotated[
        str | None,
        typer.Argument(help="The note, in markdown; - reads it from stdin. Absent: show the journal."),
    ] = None,
    number: Annotated[
        int | None, typer.Option("-n", "--number", min=1, help="Write note N anew instead of another one.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove note N (-n).")] = False,
    editor: Annotated[bool, typer.Option("-e", "--editor", help="Write it in $VISUAL or $EDITOR.")] = False,
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="Show what is not older: 2026-11-20, or 12h, 7d, 4w.")
    ] = "",
    format: FormatOption = Format.table,
) -> None:
    """Write an observation, or show the dated journal, newest last.

    `labtui note @last "unstable from epoch 3 on"`; `labtui note fault/transformer.toml "flawed"`;
    `labtui note @lab -` takes several lines from stdin; `labtui note @last -n 2 -e` changes the second note
    of a run; `labtui note` shows what was written anywhere, to-dos too.
    `labtui ls --filter 'note~unstable'` finds runs by what is written on them.
    """
    lab = open_lab()
    if place is None or not (text is not None or remove or editor):
        if number is not None or remove or editor:
            raise LabError('note: say on what: `labtui note RUN -n 2 "another text"`, or -e, or --remove')
        _journal(lab, place, since, format)
        return
    from labtui import notes

    if since or format is not Format.table:
        raise LabError("note: --since and --format are for the journal; leave out the text to see it")
    on = _place(lab, place)
    if number is None:
        if remove:
            raise LabError("note: which one? `labtui note RUN` numbers them; add -n N")
        new = _written(text, "", editor)
        with _kept(new):
            notes.add_note(on, new)
        _confirm(f"noted on {_called(on)}")
        return
    old = _found(on, "notes", number)
    if remove and (text is not None or editor):
        raise LabError("note: --remove takes no text")
    new = "" if remove else _written(text, old.text, editor)
    with _kept(new):
        notes.write_note(on, number - 1, new, old.text)
    _confirm(f"note {number} on {_called(on)} is {'another' if new else 'removed'}")


@todo_app.callback(invoke_without_command=True)
def todo(context: typer.Context) -> None:
    """List all that is to be done, or see the commands below."""
    if not context.invoked_subcommand:
        list_todos(None)


@todo_app.command()
def add(
    place: Place,
    text: Annotated[str, typer.Argument(help="What is to be done, in markdown; - reads it from stdin.")],
) -> None:
    """Add something to do."""
    from labtui import notes

    on, new = _place(open_lab(), place), _written(text, "")
    with _kept(new):
        notes.add_todo(on, new)
    _confirm(f"to be done about {_called(on)}")


@todo_app.command()
def done(place: Place, number: Number, reason: Reason = "") -> None:
    """Mark a to-do [DONE]."""
    _mark(place, number, "done", reason)


@todo_app.command()
def abort(place: Place, number: Number, reason: Reason = "") -> None:
    """Mark a to-do [ABORT]: it will not be done."""
    _mark(place, number, "abort", reason)


@todo_app.command()
def pending(place: Place, number: Number, reason: Reason = "") -> None:
    """Mark a to-do [PENDING]: it waits for something."""
    _mark(place, number, "pending", reason)


@todo_app.command("open")
def open_again(place: Place, number: Number) -> None:
    """Take the mark from a to-do: it is open again."""
    _mark(place, number, "open", "")


@todo_app.command()
def edit(
    place: Place,
    number: Number,
    text: Annotated[str | None, typer.Argument(help="The new text; - is stdin. Absent: in $EDITOR.")] = None,
) -> None:
    """Write a to-do anew."""
    from labtui import notes

    on = _place(open_lab(), place)
    old = _found(on, "todos", number)
    new = _written(text, old.text, text is None)
    with _kept(new):
        notes.write_todo(on, number - 1, new, old.text)
    _confirm(f"to-do {number} of {_called(on)} is another")


@todo_app.command()
def remove(place: Place, number: Number) -> None:
    """Remove a to-do for good; those behind it get another number."""
    from labtui import notes

    on = _place(open_lab(), place)
    notes.write_todo(on, number - 1, "", _found(on, "todos", number).text)
    _confirm(f"to-do {number} of {_called(on)} is removed")


@todo_app.command("list")
def list_todos(
    place: Annotated[
        str | None, typer.Argument(metavar=f"[{_WHERE}]", help=f"{_MEANT} Absent: everything.")
    ] = None,
    state: Annotated[
        list[State] | None, typer.Option(help="Only those that stand so; else open and pending. Repeatable.")
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="However they stand.")] = False,
    format: FormatOption = Format.table,
) -> None:
    """List what is to be done: of one thing, or of the whole lab."""
    from labtui.cli.journal import print_todos

    wanted = {str(one) for one in state or (State if all else (State.open, State.pending))}
    on, known = _entries(open_lab(), place)
    found = [one for one in known if one.kind == "todos" and one.state in wanted]
    found.sort(key=lambda one: [*State].index(State(one.state)))
    if not found and format is Format.table:
        say("nothing is to be done; `labtui todo add RUN|SWEEP|RECIPE|@lab TEXT` adds something")
    else:
        print_todos(found, on, format)


def _mark(place: str, number: int, state: str, reason: str) -> None:
    from labtui import notes

    on = _place(open_lab(), place)
    with _kept(reason):
        notes.mark_todo(on, number - 1, state, reason.strip(), _found(on, "todos", number).text)
    _confirm(f"to-do {number} of {_called(on)}: {state}")


def _place(lab: Lab, reference: str) -> Noted:
    """What is written on: the lab, a recipe, a sweep or a run.

    Raises:
        RunNotFound, LabError: there is no such thing.
    """
    from labtui.errors import RunNotFound

    if reference == "@lab":
        _see_that_it_is_one(lab)
        return lab.paths
    if reference.endswith(".toml"):
        return lab.paths.recipe_notes(_recipe(lab, reference))
    if sweep := lab.sweep(reference):
        return lab.paths.sweep(sweep)
    try:
        return lab.run(reference).paths
    except RunNotFound as error:
        if (lab.paths.recipes / f"{reference}.toml").is_file():
            raise RunNotFound(f"{error}; the recipe is {reference}.toml") from None
        raise


def _called(on: Noted) -> str:
    return "the lab" if on.kind == "lab" else f"{on.kind} {on.id}"


def _confirm(done: str) -> None:
    """A part of an id may have meant something else."""
    from labtui.table import clean

    print(clean(done))


def _see_that_it_is_one(lab: Lab) -> None:
    """A note makes no lab of any folder that somebody happens to be in."""
    paths = lab.paths
    if not any(path.exists() for path in (paths.runs, paths.recipes, paths.root / "labtui.toml")):
        raise LabError(f"{paths.root}: is no lab; `labtui init` makes one, --lab DIR names another")


def _recipe(lab: Lab, reference: str) -> str:
    """The path below `recipes/` of a recipe, or of one that is gone and was written on or launched."""
    from labtui.launcher import source_of
    from labtui.query.notebook import recipe_path

    paths = lab.paths
    for path in (paths.recipes / reference, paths.root / reference, Path(reference).expanduser()):
        if path.is_file():
            return recipe_path(source_of(paths, path))
    lab.index.refresh()
    known = {one.id for one in paths.noted_recipes()}
    known |= {recipe_path(row["recipe"]) for row in lab.index.rows}
    for name in (reference, reference.removeprefix("recipes/")):
        if name in known:
            return name
    raise LabError(f"recipe {reference!r}: there is no such file; `labtui recipes` lists what there is")


def _entries(lab: Lab, place: str | None) -> tuple[Noted | None, list[Entry]]:
    """What a list is of (None: everything), and what is written there, the newest last."""
    from labtui.notes import entries
    from labtui.query.notebook import dated, written

    if place is None:
        return None, dated(written(lab))
    on = _place(lab, place)
    return on, dated(entries(on))


def _found(on: Noted, kind: str, number: int) -> Entry:
    """An entry by the number that lists show."""
    from labtui.notes import entries

    found = [one for one in entries(on) if one.kind == kind]
    if number > len(found):
        what, command = ("note", "note") if kind == "notes" else ("to-do", "todo list")
        raise LabError(f"{_called(on)} has no {what} {number}; `labtui {command}` numbers them")
    return found[number - 1]


def _written(text: str | None, before: str, editor: bool = False) -> str:
    """What the user writes: as an argument, on stdin, or in an editor."""
    if editor:
        if text is not None:
            raise LabError("give a text, or -e, not both")
        import click

        text = click.edit(before, extension=".md") or ""
    elif text == "-":
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
    if not (text or "").strip():
        raise LabError("the text is empty; nothing was written")
    return str(text).strip("\n")


@contextmanager
def _kept(text: str) -> Iterator[None]:
    """What cannot be written is printed back: it may have taken an hour."""
    try:
        yield
    except (LabError, OSError):
        if text:
            say(f"not written:\n{text}")
        raise


def _journal(lab: Lab, place: str | None, since: str, format: Format) -> None:
    from labtui.cli.journal import moment_of, print_journal

    oldest = moment_of(since) if since else None
    on, known = _entries(lab, place)
    found = [one for one in known if oldest is None or (one.time or 0.0) >= oldest]
    if not found and format is Format.table:
        say("nothing is written; `labtui note RUN|SWEEP|RECIPE|@lab TEXT` writes something")
    else:
        print_journal(found, on, format)
