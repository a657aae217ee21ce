"""Commands on what waits: queue and its actions, agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from labtui.cli.app import Format, FormatOption, RunsArgument, app, open_lab, say, show

if TYPE_CHECKING:
    from labtui.files.paths import LabPaths, RunPaths
    from labtui.query import Lab

queue_app = typer.Typer(help="What runs and what waits; hold, release and reorder it.")
app.add_typer(queue_app, name="queue")


@queue_app.callback(invoke_without_command=True)
def list_queue(context: typer.Context, format: FormatOption = Format.table) -> None:
    """List what runs and what waits, in the order of starting."""
    if context.invoked_subcommand:
        return
    lab = open_lab()
    rows = _rows(lab)
    columns = ["place", "id", "state", "priority", "on", "why"]
    show(columns, rows, format, spare=("priority",))
    if format is Format.table:
        _say_more(lab, rows)


def _rows(lab: Lab) -> list[list[Any]]:
    from labtui.workload import work

    lab.index.refresh()
    found = work(lab.paths, lab.index.rows)
    return [[one.place, one.id, one.state, one.priority, one.on, one.why] for one in found]


def _say_more(lab: Lab, rows: list[list[Any]]) -> None:
    from labtui import launch
    from labtui.cli.sweeps import to_come
    from labtui.launch.queue import paused

    more = to_come(lab)
    for line in more:
        say(line)
    if not rows and not more:
        say("nothing runs and nothing waits; `labtui run RECIPE --detach` queues a run")
    if why := paused(lab.paths):
        say(f"the queue is paused: {why}")
    elif any(row[2] == "queued" for row in rows) and not launch.at_work(lab.paths):
        say("no supervisor is at work; `labtui queue start` starts one")


def _queued(lab: Lab, references: list[str]) -> list[RunPaths]:
    """The queued ones of the runs that references mean; a single one that is meant, whatever its state."""
    found = {run.id: run for reference in references for run in lab.group(reference)}
    alone = len(found) == 1 and not any(map(lab.sweep, references))
    return [run.paths for run in found.values() if alone or run.status().state == "queued"]


def _change(runs: list[str], said: str, **fields: Any) -> None:
    from labtui import launch, sweeper
    from labtui.launch.queue import change

    lab = open_lab()
    # First those to come: otherwise some would be made meanwhile as they were asked for before.
    for sweep in dict.fromkeys(filter(None, map(lab.sweep, runs))):
        if sweeper.change(lab.paths, sweep, **fields):
            print(f"{sweep}  {said} what is to come of it")
    for paths in _queued(lab, runs):
        change(paths, **fields)
        print(f"{paths.id}  {said}")
    launch.wake(lab.paths)


@queue_app.command()
def hold(runs: RunsArgument) -> None:
    """Keep queued runs from being started until they are released."""
    _change(runs, "held", held=True)


@queue_app.command()
def release(runs: RunsArgument) -> None:
    """Let held runs start."""
    _change(runs, "released", held=False)


@queue_app.command(context_settings={"ignore_unknown_options": True})  # -1 is a number here
def priority(number: Annotated[int, typer.Argument(metavar="NUMBER")], runs: RunsArgument) -> None:
    """Give queued runs a priority: higher ones start first."""
    _change(runs, f"priority {number}", priority=number)


@queue_app.command()
def first(runs: RunsArgument) -> None:
    """Put queued runs before all others."""
    _move(runs, last=False)


@queue_app.command()
def last(runs: RunsArgument) -> None:
    """Put queued runs behind all others."""
    _move(runs, last=True)


def _move(runs: list[str], *, last: bool) -> None:
    from labtui import launch
    from labtui.launch.queue import move

    lab = open_lab()
    chosen = _queued(lab, runs)
    others = [lab.paths.run(row.id) for row in lab.runs("state=queued")]
    move(chosen, others, last=last)
    for paths in chosen:
        print(f"{paths.id}  {'last' if last else 'first'}")
    launch.wake(lab.paths)


@queue_app.command()
def pause(why: Annotated[str, typer.Option("--why", help="Shown to who asks.")] = "by hand") -> None:
    """Start nothing more; what runs goes on."""
    from labtui.launch.queue import pause

    pause(open_lab().paths, why)


@queue_app.command()
def start() -> None:
    """Let the queue go on, with a supervisor to see to it."""
    from labtui import launch
    from labtui.launch.queue import unpause

    lab = open_lab()
    unpause(lab.paths)
    launch.wake(lab.paths)


@app.command()
def agent() -> int:
    """Supervise this lab here, until nothing is left to do (queueing starts one by itself)."""
    from labtui.agent import supervise

    lab = open_lab()
    if not supervise(lab.paths.root):
        say(f"a supervisor is at work already{_who(lab.paths)}")
    return 0


def _who(lab: LabPaths) -> str:
    from labtui import launch

    found = launch.at_work(lab)
    return f": process {found['pid']}; its log is {lab.own / 'agent.log'}" if found else ""
