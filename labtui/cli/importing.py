"""`labtui import`: other people's files of experiments."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from labtui.cli.app import app, open_lab, say
from labtui.errors import LabError


@app.command("import")
def import_experiments(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Experiments: JSON, CSV or TSV.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A file (else stdout).")] = None,
    recipe: Annotated[
        str | None, typer.Option(help="What they vary (else the gesture notebook's, for its own files).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also over a file that is there.")] = False,
) -> None:
    """Make a recipe of a file of experiments: each is a cell of its sweep, with its title."""
    from labtui import shipped
    from labtui.files.atomic import write_atomic
    from labtui.launcher import find_recipe
    from labtui.sweep.experiments import imported, usual_base

    lab = open_lab().paths
    if recipe is None:
        usual = usual_base(file)
        base = lab.recipes / usual
        base = base if base.is_file() else shipped.recipes() / usual
    else:
        base = find_recipe(lab, recipe)
    text = imported(file, base)
    if output is None:
        sys.stdout.write(text)
        return
    if output.exists() and not force:
        raise LabError(f"{output}: is there already; give another -o, or --force to replace it")
    try:
        write_atomic(output, text.encode())
    except OSError as error:
        raise LabError(f"{output}: cannot be written ({error.strerror}); give another -o") from None
    say(f"{output}: {base.name} with the experiments of {file}; see `labtui check {output}`")
