"""Commands that start, stop and check trainings: run, stop, resume, recipes, check, schema."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labtui.cli.app import Format, FormatOption, RunsArgument, app, open_lab, say, show
from labtui.errors import DataError, LabtuiError, LaunchError, RecipeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labtui.files.paths import RunPaths
    from labtui.query import Lab
    from labtui.recipe.core import Recipe
    from labtui.recipe.sweep import Range
    from labtui.sweep import Plan

_SHOWN = 50

RecipeArgument = Annotated[str, typer.Argument(metavar="RECIPE", help="A file, or its path in recipes/.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override an option; KEY= removes it. Repeatable."),
]


@app.command("run")
def run_recipe(
    recipe: RecipeArgument,
    set: SetOption = None,
    repeats: Annotated[int | None, typer.Option(min=1, help="Trainings with seeds counted up.")] = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return at once.")] = False,
    priority: Annotated[int | None, typer.Option(help="Higher ones start first.")] = None,
    after: Annotated[
        list[str] | None, typer.Option(metavar="RUN", help="Start when this has finished. Repeatable.")
    ] = None,
    hold: Annotated[bool, typer.Option("--hold", help="Queue it; `labtui queue release` starts it.")] = False,
) -> int:
    """Train what a recipe describes, and follow it until it ends."""
    from labtui.launcher import find_recipe, queue_recipe, repeated

    lab = open_lab()
    path = find_recipe(lab.paths, recipe)
    overrides = [*(set or []), *repeated(repeats)]
    made = queue_recipe(lab.paths, path, overrides, priority=priority, after=after or [], held=hold)
    if not (detach or hold):
        return _follow(lab, [], [made.sweep]) if made.sweep else _follow(lab, made.runs, [])
    for paths in made.runs:
        print(paths.id)
    if made.sweep:
        more = made.trainings - len(made.runs)
        then = f", and {more:,} more to come as these begin" if more > 0 else ""
        say(f"sweep {made.sweep}: {len(made.runs):,} queued{then}")
    return 0


def _follow(lab: Lab, runs: Sequence[RunPaths], sweeps: Sequence[str]) -> int:
    """Follow single runs one after another, then sweeps; the exit status."""
    from labtui.cli.follow import follow_all
    from labtui.cli.follow_sweep import follow_sweep

    status = follow_all(lab, runs)
    for sweep in sweeps:
        if status == 130:
            break
        status = max(status, follow_sweep(lab, sweep))
    return status


@app.command()
def check(recipes: Annotated[list[str], typer.Argument(metavar="RECIPE...")], set: SetOption = None) -> int:
    """Check recipes without running them: runs, resolved options, model size."""
    from labtui.launcher import find_recipe, plan_of

    lab = open_lab()
    bad = 0
    for name in recipes:
        try:
            plan = plan_of(lab.paths, find_recipe(lab.paths, name), set or [])
            first = _print_plan(name, plan)
            _print_resolved(first.tables())
            if first.command is None:
                _print_model(lab, first.tables())
        except RecipeError as error:
            say(str(error))
            bad += 1
    return 2 if bad else 0


def _print_plan(name: str, plan: Plan) -> Recipe:
    """Cell, repeat and fold of each run, where there are several; the first run's recipe."""
    from labtui.table import render

    if plan.searches:
        _print_search(name, plan)
        return plan.recipe
    found = list(plan)
    print(f"{name}: ok, {len(found):,} run{'s' if len(found) > 1 else ''}")
    if len(found) > 1:
        rows = [[t.cell.title, t.repeat, t.fold] for t in found[:_SHOWN]]
        print(render(["cell", "repeat", "fold"], rows), end="")
        if len(found) > _SHOWN:
            print(f"… and {len(found) - _SHOWN:,} more")
    return plan.resolved(found[0], "")


def _print_search(name: str, plan: Plan) -> None:
    """Method, aim, budget and space."""
    from labtui.table import render

    plan.check()
    sweep, (metric, goal) = plan.sweep, plan.objective
    budget = [f"{sweep.runs:,} runs"] if sweep.runs else []
    budget += [f"{sweep.hours:g} hours"] if sweep.hours else []
    early = f", hopeless ones end early ({sweep.pruner.name})" if sweep.pruner else ""
    each = f", {plan.each} runs for each candidate" if plan.each > 1 else ""
    print(
        f"{name}: ok, a search ({sweep.method}) for the {goal} of {metric}: {' or '.join(budget)}{each}{early}"
    )
    rows = [[key, _space(values), sweep.when.get(key, "")] for key, values in sweep.space.items()]
    print(render(["option", "values", "when"], rows), end="")
    for constraint in sweep.constraints:
        print(f"only where {constraint}")


def _space(values: list[Any] | Range) -> str:
    """What a search may choose for an option."""
    if isinstance(values, list):
        return ", ".join(map(str, values))
    step = f", step {values.step:g}" if values.step else ""
    return f"{values.low:g} to {values.high:g}{', log' if values.log else ''}{step}"


def _print_resolved(tables: dict[str, Any]) -> None:
    from labtui.files.toml import flatten
    from labtui.table import render

    hidden = ("format", "description", "origin")
    flat = flatten({key: value for key, value in tables.items() if key not in hidden})
    print(render(["option", "value"], [[key, value] for key, value in flat.items()]), end="")


def _print_model(lab: Lab, tables: dict[str, Any]) -> None:
    """Layers and parameters; where the data is not here, why there are none."""
    from labtui.launcher import model_of
    from labtui.table import render

    try:
        found = model_of(lab.paths, tables)
    except DataError as error:
        say(f"model not built: {error}")  # the recipe is right
        return
    rows = [
        ["  " * r["depth"] + r["name"], r["type"], _shape(r["output"]), r["params"]] for r in found["layers"]
    ]
    print(render(["layer", "type", "output", "parameters"], rows), end="")
    print(f"{found['parameters']:,} parameters, {found['trainable']:,} of them trainable")
    print(", ".join(f"{name} {part['samples']}" for name, part in found["splits"].items()) + " samples")


def _shape(sizes: list[int] | None) -> str:
    return " × ".join(map(str, sizes)) if sizes else "–"


@app.command()
def schema() -> None:
    """Print the JSON Schema of recipes, for editors."""
    from labtui.recipe.schema import schema

    print(json.dumps(schema(), indent=2, ensure_ascii=False))


@app.command()
def recipes(format: FormatOption = Format.table) -> None:
    """List the lab's recipes."""
    lab = open_lab()
    found = lab.recipes()
    rows = [
        [r["path"], r["error"] or _sentence(r["description"]), r["name"], " ".join(map(str, r["tags"]))]
        for r in found
    ]
    show(["recipe", "description", "name", "tags"], rows, format, spare=("name", "tags"))
    if not rows and format is Format.table:
        say(f"no recipes in {lab.paths.recipes}; `labtui init` puts examples there")


def _sentence(text: str) -> str:
    """The first sentence of a description."""
    return " ".join(text.split()).partition(". ")[0].rstrip(".")


@app.command()
def stop(
    runs: RunsArgument,
    kill: Annotated[bool, typer.Option("--kill", help="At once, without a checkpoint.")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the end.")] = 30.0,
) -> int:
    """Stop runs, each with a checkpoint to resume from; of a whole sweep make no more either."""
    from labtui import launch, sweeper
    from labtui.run import derive

    lab = open_lab()
    sweeps = list(dict.fromkeys(filter(None, map(lab.sweep, runs))))
    ended = [sweep for sweep in sweeps if sweeper.stop(lab.paths, sweep)]
    for sweep in ended:
        print(f"{sweep}  nothing more is made of it")
    found = {run.id: run for reference in runs for run in lab.group(reference)}
    alone = len(found) == 1 and not sweeps
    active = [run for run in found.values() if alone or run.status().state in ("running", "queued")]
    if not active:
        if ended:
            return 0
        raise LaunchError("none of these runs is running or queued")
    active.sort(key=lambda run: str(run.row.state))  # those that wait would begin in the place of the others
    launch.stop_all([run.paths for run in active], kill=kill)
    patience = time.monotonic() + wait
    while True:
        going = [run for run in active if derive(run.paths).state == "running"]
        if not going or time.monotonic() >= patience:
            break
        time.sleep(0.1)
    for run in active:
        print(f"{run.id}  {derive(run.paths).state}")
    if going:
        say(f"{len(going)} still at work on the current step; `labtui stop --kill` does not wait")
    return 0


@app.command()
def resume(
    runs: RunsArgument,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return at once.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Though it may still live elsewhere.")] = False,
) -> int:
    """Go on with runs that ended early, from their last checkpoint; with all of a sweep that is not done."""
    from labtui import launch, sweeper

    lab = open_lab()
    queued, made, sweeps, problems = [], [], [], []
    try:
        for reference in runs:
            try:
                if sweep := lab.sweep(reference):
                    found, refused = sweeper.resume(lab.paths, sweep, force=force, index=lab)
                    made += found
                    problems += refused
                    states = {row["state"] for row in lab.index.rows if row["sweep"] == sweep}
                    if found or states & {"running", "queued"}:
                        sweeps.append(sweep)
                else:
                    run = lab.run(reference)
                    launch.resume(run.paths, force=force)
                    queued.append(run.paths)
            except LaunchError as error:
                problems.append(str(error))
    except LabtuiError:
        if lab.paths.own.is_dir():  # what has been queued by now would wait for nobody
            with suppress(LabtuiError):
                launch.wake(lab.paths)
        raise
    for problem in problems:
        say(f"labtui: {problem}")
    if not queued and not sweeps:
        if not problems:
            say("nothing to resume: all of it is finished, or its budget is spent")
        return 2 if problems else 0
    launch.wake(lab.paths)
    if detach:
        for paths in [*queued, *made]:
            print(paths.id)
        return 0
    return _follow(lab, queued, sweeps)
