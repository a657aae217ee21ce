"""Commands for the lab itself: init, data, doctor."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from labtui.cli.app import Format, FormatOption, app, open_lab, show
from labtui.errors import DataError, LabError

data_app = typer.Typer(help="Make and look at data sets.", rich_markup_mode=None)
app.add_typer(data_app, name="data")


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The new lab.")] = Path(".")) -> None:
    """Make a lab with the example recipes; files that are there already stay as they are."""
    from labtui import shipped

    try:
        (folder / "runs" / ".labtui").mkdir(parents=True, exist_ok=True, mode=0o700)
        copied = kept = 0
        for source in sorted(p for p in shipped.recipes().rglob("*") if p.is_file() and p.suffix != ".pyc"):
            target = folder / "recipes" / source.relative_to(shipped.recipes())
            if target.exists():
                kept += 1
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            copied += 1
    except OSError as error:
        raise LabError(
            f"{error.filename}: cannot be made ({error.strerror}); choose another folder"
        ) from None
    print(f"{folder}: a lab with {copied} new files in recipes/" + (f", {kept} kept" if kept else ""))
    here = "" if folder == Path(".") else f"cd {folder} && "
    print(f"try: {here}labtui run recipes/digits.toml")


@data_app.command("make")
def make(
    name: Annotated[str, typer.Argument(help="Which data set, e.g. bearings.")],
    out: Annotated[
        Path | None, typer.Option(help="The folder (else data/NAME_simulated in the lab).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same files.")] = 0,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.1, help="Length of each recording, or task in it (else as in real data)."),
    ] = None,
) -> None:
    """Write a simulated data set in the real one's on-disk format."""
    lab = open_lab().paths
    out = out or lab.root / "data" / f"{Path(name).name}_simulated"
    length = [] if seconds is None else ["--seconds", str(seconds)]
    found = _child(lab.root, "make", name, "--out", str(out.absolute()), "--seed", str(seed), *length)
    print(f"{found['out']}: {len(found['files'])} files")


@data_app.command("show")
def show_data(
    what: Annotated[str, typer.Argument(metavar="RECIPE|NAME", help="A recipe, or a built-in data set.")],
    set: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE")] = None,
    format: FormatOption = Format.table,
) -> None:
    """Show a data set: shapes, classes, splits, a few samples."""
    from labtui.cli.samples import picture
    from labtui.launcher import find_recipe

    lab = open_lab()
    path = find_recipe(lab.paths, what)
    name = str(path.absolute()) if path.is_file() else what
    overrides = [argument for value in set or [] for argument in ("--set", value)]
    found = _child(lab.paths.root, "show", name, *overrides)
    if format is Format.json:
        print(json.dumps(found, ensure_ascii=False))
        return
    show(["what", "value"], _facts(found), format)
    if found["classes"]:
        columns = list(found["classes"][0])
        print()
        show(["class", *columns[1:]], [list(entry.values()) for entry in found["classes"]], format)
    if format is Format.table:
        print()
        print(picture(found["examples"]), end="")


def _facts(found: dict[str, Any]) -> list[list[Any]]:
    shapes = {name: " × ".join(map(str, found[name])) for name in ("stored", "seen")}
    plain = {key: found[key] for key in ("name", "task", "samples", "dtype", "outputs", "groups")}
    if found["lengths"]:
        plain["lengths"] = "{0} to {2}, median {1}".format(*found["lengths"])
    splits = {f"split {name}": count for name, count in found["splits"].items()}
    return [[key, value] for key, value in {**plain, **shapes, **splits, **found["facts"]}.items()]


def _child(folder: Path, *arguments: str) -> dict[str, Any]:
    """Ask the torch side, in a process of its own."""
    command = [sys.executable, "-P", "-m", "labtui.data", *arguments]
    child = subprocess.run(command, check=False, capture_output=True, cwd=folder)
    if child.returncode:
        raise DataError(child.stderr.decode(errors="replace").strip().removeprefix("labtui: ")[-4000:])
    found: dict[str, Any] = json.loads(child.stdout)
    return found


@app.command()
def doctor(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN|SWEEP|RECIPE]...", help="What to diagnose; none: the lab and the machine."
        ),
    ] = None,
    format: FormatOption = Format.table,
) -> int:
    """Look for what is wrong: with runs, by rules that say what they rest on and what helps; or with this lab and
    this machine.

    Exit status: 1 where this lab or machine has an error; 0 for runs, whatever is found: a finding is an answer.
    """
    lab = open_lab()
    if what:
        from labtui.cli.diagnosing import diagnosed, tell

        tell([one for reference in what for one in diagnosed(lab, reference)], format)
        return 0
    from labtui.cli.health import findings

    found = findings(lab)
    show(["", "what", "finding", "do"], found, format)
    return 1 if any(row[0] == "error" for row in found) else 0
