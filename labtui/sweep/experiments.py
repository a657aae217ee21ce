"""Files of experiments, as people keep them beside a script, as recipes with a list of cells.

A file is JSON, a list of objects or `{"parameters": [...]}`, or a table with a header (CSV, TSV): one
experiment each, of a `title` and dotted recipe keys, or the names that `NAMES` has for them. Numbers may
be strings.
"""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labtui.errors import RecipeError
from labtui.files.plain import nearest
from labtui.files.toml import dumps, flatten
from labtui.recipe import naming
from labtui.recipe.core import Recipe
from labtui.recipe.read import LIMIT, check, load, parse_value, read_text
from labtui.sweep.cells import TITLE
from labtui.sweep.plan import Plan

Experiment = dict[str, Any]

NOTEBOOK = {
    "learningRateFactor": "schedule.factor",
    "minimumLearningRate": "schedule.min_lr",
    "numberOfEpochs": "train.epochs",
}
"""The gesture notebook's names of numbers, beside `optimizer` and `title`."""
NAMES = NOTEBOOK | {
    "learningRate": "optimizer.lr",
    "learning_rate": "optimizer.lr",
    "batchSize": "train.batch_size",
    "batch_size": "train.batch_size",
    "epochs": "train.epochs",
}
"""Other people's names of numbers, each to a recipe key."""
PLATEAU = re.compile("(?:reduceOnPlateau|[rR]educeLROnPlateau)[.]")
"""Before Keras' names of that callback's options, which are those of our schedule."""
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"name": "sgd", "lr": 1e-2},
    "Adagrad": {"name": "adagrad", "lr": 1e-3, "initial_accumulator_value": 0.1, "eps": 1e-7},
    "Adam": {"name": "adam", "lr": 1e-3, "eps": 1e-7},
    "Nadam": {"name": "nadam", "lr": 1e-3, "eps": 1e-7},
    "AdamW": {"name": "adamw", "lr": 1e-3, "weight_decay": 4e-3, "eps": 1e-7},
    "RMSprop": {"name": "rmsprop", "lr": 1e-3, "alpha": 0.9, "eps": 1e-7},
    "Adadelta": {"name": "adadelta", "lr": 1e-3, "rho": 0.95, "eps": 1e-7},
}
"""What an `optimizer` of that name is in Keras, where torch's defaults are others."""
_SWEEP = re.compile(r"""\s*\[\[?\s*["']?sweep["']?\s*[.\]]""")
_REPLACED = ("method", "space", "cells", "when", "seed", "pruner")


def imported(path: Path, base: Path) -> str:
    """A recipe with a file's experiments as its cells, as text.

    Args:
        path: the file of experiments.
        base: the recipe that they vary. Its own cells give way; its comments stay.

    Raises:
        RecipeError: a file cannot be read; an experiment has an unknown key or a value that the recipe cannot
            have; two have one title or are the same.
    """
    recipe = load(base)
    cells = [_cell(one, recipe, f"{path}: {_named(one, number)}") for number, one in _numbered(path)]
    _check_titles(cells, path)
    text = _with_cells(read_text(base), cells)
    if len(text.encode()) > LIMIT:
        raise RecipeError(
            f"{path}: {len(cells):,} experiments make a recipe that is too long: split the file"
        )
    for _ in Plan(check(tomllib.loads(text), str(path)), str(path)):
        pass  # each cell is tried, and two that are the same are named
    return text


def usual_base(path: Path) -> str:
    """The recipe, below `recipes/`, that a file of the gesture notebook varies.

    Raises:
        RecipeError: the file cannot be read, or is not of that kind.
    """
    if {key for _, one in _numbered(path) for key in one} <= {*NOTEBOOK, "optimizer", TITLE}:
        return f"gesture/{'conv2d-rnn' if 'conv2d' in path.name.lower() else 'conv3d'}-grid.toml"
    raise RecipeError(f"{path}: which recipe do these experiments vary? Name it with --recipe")


def _numbered(path: Path) -> list[tuple[int, Experiment]]:
    """The experiments of a file with flat keys, numbered from 1."""
    try:
        if path.exists() and not path.is_file():
            raise RecipeError(f"{path}: is no ordinary file")
        text = path.read_text("utf-8-sig")
        separator = {".csv": ",", ".tsv": "\t"}.get(path.suffix.lower())
        found = _table(text, separator) if separator else _objects(json.loads(text, object_pairs_hook=_once))
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise RecipeError(f"{path}: not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise RecipeError(f"{path}:{error.lineno}: not JSON: {error.msg}") from None
    except RecursionError:
        raise RecipeError(f"{path}: nested too deeply") from None
    except (ValueError, csv.Error) as error:
        raise RecipeError(f"{path}: {error}") from None
    if not found:
        raise RecipeError(f"{path}: holds no experiments")
    return list(enumerate(found, 1))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, of which json itself would take the last of equal keys."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key!r} stands twice in one object")
        found[key] = value
    return found


def _objects(content: Any) -> list[Experiment]:
    listed = content.get("parameters") if isinstance(content, dict) else content
    if not isinstance(listed, list):
        raise ValueError('expected a list of objects, or {"parameters": [...]}')
    for number, one in enumerate(listed, 1):
        if not isinstance(one, dict):
            raise ValueError(f"experiment {number}: expected an object with keys, got {one!r:.80}")
    return [flatten(one) for one in listed]


def _table(text: str, separator: str) -> list[Experiment]:
    rows = [row for row in csv.reader(text.splitlines(), delimiter=separator, strict=True) if row]
    header = [name.strip() for name in rows[0]] if rows else []
    found = []
    for number, row in enumerate(rows[1:], 1):
        if len(row) != len(header):
            raise ValueError(f"experiment {number}: {len(row)} values, and the header has {len(header)}")
        found.append(_once([pair for pair in zip(header, map(str.strip, row), strict=True) if pair[1]]))
    return found


def _named(experiment: Mapping[str, Any], number: int) -> str:
    return f"experiment {number}" + (f" ({experiment[TITLE]})" if experiment.get(TITLE) else "")


def _cell(experiment: Experiment, recipe: Recipe, where: str) -> Experiment:
    """An experiment in the recipe's keys and kinds of values."""
    known = flatten(recipe.tables())
    cell: Experiment = {TITLE: str(experiment[TITLE])} if experiment.get(TITLE) else {}
    given: Experiment = {}
    for name, value in experiment.items():
        if name == "optimizer" and isinstance(value, str):
            cell |= _optimizer(value, f"{where}: {name}")
        elif name != TITLE and value is not None:
            for key, found in _translated(name, value, recipe, known, f"{where}: {name}").items():
                if given.setdefault(key, found) != found:
                    raise RecipeError(f"{where}: {name}: another name gives {key} another value")
    cell |= given
    try:
        dumps(cell)
    except TypeError:
        raise RecipeError(f"{where}: a list holds null, which a recipe has no word for") from None
    return cell


def _optimizer(name: str, where: str) -> Experiment:
    """Keras' optimiser of a name."""
    kind = {one.lower(): one for one in OPTIMIZERS}.get(name.lower())
    if kind is None:
        raise RecipeError(f"{where}: unknown optimizer {name!r}{nearest(name, OPTIMIZERS)}")
    return {f"optimizer.{option}": setting for option, setting in OPTIMIZERS[kind].items()}


def _translated(name: str, value: Any, recipe: Recipe, known: Mapping[str, Any], where: str) -> Experiment:
    """A key of an experiment as keys of the recipe."""
    if name in recipe.params:
        return {f"params.{name}": _value(value, recipe.params[name])}
    key, plateau = NAMES.get(name, name), PLATEAU.match(name)
    if plateau:
        key = f"schedule.{name[plateau.end() :]}"
        value = naming.metric(value) if key == "schedule.monitor" and isinstance(value, str) else value
    elif name in NAMES:
        number = _value(value, known.get(key))
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise RecipeError(f"{where}: expected a number, got {value!r:.80}")
    elif key.partition(".")[0] not in {field.alias or own for own, field in Recipe.model_fields.items()}:
        raise RecipeError(f"{where}: unknown key{nearest(name, [*NAMES, *recipe.params, *known])}")
    found = {key: _value(value, known.get(key))}
    if key.startswith("schedule.") and key != name and known.get("schedule.name") != "plateau":
        found["schedule.name"] = "plateau"
    return found


def _value(value: Any, like: Any) -> Any:
    """A value that may have become text, as the kind of value that the recipe has there."""
    if isinstance(value, str) and not isinstance(like, str):
        read = parse_value(value)
        value = read if isinstance(read, int | float | list) else value
    if isinstance(value, float) and isinstance(like, int) and value.is_integer():
        return int(value)
    return value


def _check_titles(cells: list[Experiment], path: Path) -> None:
    numbers: dict[str, int] = {}
    for number, cell in enumerate(cells, 1):
        title = cell.get(TITLE, "")
        if title and (first := numbers.setdefault(title, number)) != number:
            raise RecipeError(f"{path}: experiments {first} and {number} are both called {title!r}")


def _with_cells(text: str, cells: list[Experiment]) -> str:
    """A recipe's text with other cells; as it is written, where its sweep stands in tables of its own."""
    tables = tomllib.loads(text)
    sweep = {key: value for key, value in tables.pop("sweep", {}).items() if key not in _REPLACED}
    kept, ours = [], False
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith("["):
            ours = bool(_SWEEP.match(line))
        if not ours:
            kept.append(line)
    rest = "".join(kept)
    try:
        whole = tomllib.loads(rest) == tables
    except tomllib.TOMLDecodeError:
        whole = False
    rest = rest if whole else dumps(tables).decode()
    return f"{rest.rstrip()}\n\n{dumps({'sweep': {'method': 'list'} | sweep | {'cells': cells}}).decode()}"
