"""`python -m labtui.data make|show`: what the command line asks of a child process with torch.

One JSON object on stdout. An error is one message on stderr and exit status 2.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from labtui.errors import DataError, LabtuiError
from labtui.files import factory

SIMULATORS = {
    "bearings": "labtui.data.bearings_sim:make",
    "fnirs": "labtui.data.fnirs_sim:make",
    "gestures": "labtui.data.gestures_sim:make",
    "meld": "labtui.data.corpus_sim:make_meld",
    "meld_features": "labtui.data.corpus_sim:make_meld_features",
    "music": "labtui.data.music_sim:make",
    "music_folders": "labtui.data.music_sim:make_folders",
    "paderborn": "labtui.data.paderborn_sim:make",
    "speech": "labtui.data.corpus_sim:make",
    "speech_features": "labtui.data.corpus_sim:make_features",
}
"""Data set to its simulator, `f(out, seed, seconds) -> written files`; `seconds` has a default."""


def make(name: str, out: Path, seed: int, seconds: float | None) -> dict[str, Any]:
    """Write a simulated data set in its real on-disk form; `seconds` None: of the simulator's own length."""
    if name not in SIMULATORS:
        known = ", ".join(SIMULATORS)
        raise DataError(f"no simulator for {name!r}: there is one for {known}")
    length: dict[str, Any] = {} if seconds is None else {"seconds": seconds}
    try:
        with _whole(out):
            files = factory.call(SIMULATORS[name], out, seed=seed, **length)
    except OSError as error:
        raise DataError(f"{out}: cannot write there ({error}): name another --out") from error
    return {"name": name, "out": str(out), "files": [file.name for file in files]}


@contextmanager
def _whole(out: Path) -> Iterator[None]:
    """Leave nothing in a folder that was new or empty, unless all is written: half a data set looks like a
    whole one."""
    new = not out.exists() or not any(out.iterdir())
    try:
        yield
    except BaseException:
        if new:
            shutil.rmtree(out, ignore_errors=True)
        raise


def show(what: str, lab: Path, overrides: list[str]) -> dict[str, Any]:
    """Describe the data set of a recipe file, or a built-in one by name with its defaults."""
    from labtui.data import build
    from labtui.data.show import describe
    from labtui.recipe.data import DATASETS
    from labtui.recipe.data.speech import Corpus
    from labtui.recipe.read import load
    from labtui.recipe.spec import UserPart

    named = {spec.model_fields["name"].default: spec for spec in DATASETS}
    if what in named and not overrides:
        return {"name": what, **describe(build(named[what](), lab))}
    recipe = load(Path(what), overrides)
    if recipe.data is None:
        raise DataError(f"{what}: this recipe runs a command and has no [data] to show")
    data = recipe.data
    if isinstance(data, Corpus):  # a teacher adds nothing to what is shown, and may be a run that is to come
        data = data.model_copy(update={"teacher": None})
    name = data.factory if isinstance(data, UserPart) else getattr(data, "name", what)
    return {"name": name, **describe(build(data, lab), recipe.validate_)}


def main(arguments: list[str] | None = None) -> int:
    """Run one of the two; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m labtui.data")
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make", help="write a simulated data set")
    making.add_argument("name")
    making.add_argument("--out", type=Path, required=True)
    making.add_argument("--seed", type=int, default=0)
    making.add_argument("--seconds", type=float)
    showing = commands.add_parser("show", help="describe a data set")
    showing.add_argument("what", help="a recipe file or a data set's name")
    showing.add_argument("--lab", type=Path, default=Path("."))
    showing.add_argument("--set", action="append", default=[], dest="overrides")
    options = vars(parser.parse_args(arguments))
    command: Callable[..., dict[str, Any]] = make if options.pop("command") == "make" else show
    try:
        print(json.dumps(command(**options), ensure_ascii=False))
    except LabtuiError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
