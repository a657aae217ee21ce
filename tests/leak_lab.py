"""Whether what is held out can be told from what a model is trained on.

Pieces of a data set (files, mostly) whose samples are held out are altered beyond recognition, and it is
built again: nothing of the training split may have noticed, whatever the data set computes. Which piece
holds which samples is found by altering each alone, so that any data set in files can be looked at.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from labtui.data import Dataset
from labtui.data.ragged import Ragged
from labtui.data.split import split
from labtui.recipe.core import Validate

Build = Callable[[Path], Dataset]
Alter = Callable[[Path], None]
"""Alters one piece of the data set in a folder."""


def leaks(
    build: Build, folder: Path, pieces: Iterable[Alter], validate: Validate, describing: Iterable[str] = ()
) -> list[str]:
    """What of the training split depends on what is held out; nothing, if all is well.

    Args:
        build: makes the data set from a folder.
        folder: left as it is.
        pieces: all that hold samples.
        validate: how the data is split. A piece must not hold samples of both sides.
        describing: facts that describe all samples, and that nothing is made of.
    """
    dataset = build(folder)
    parts = split(dataset, validate)
    train = parts["train"]
    held_out = torch.cat([parts["val"], parts["test"]])
    found = [
        f"{name} (altered in memory)" for name in _differences(dataset, _altered(dataset, held_out), train)
    ]
    covered = torch.zeros(len(dataset), dtype=torch.bool)
    free = []
    for piece in pieces:
        with altered(folder, [piece]) as spare:
            changed = _changed(dataset, build(spare))
        if not changed[train].any():
            free.append(piece)
            covered |= changed
    if not covered[held_out].all():
        return [*found, "samples: some that are held out cannot be altered without the training split"]
    with altered(folder, free) as spare:
        other = build(spare)
    if any(not torch.equal(part, parts[name]) for name, part in split(other, validate).items()):
        found.append("split")
    found += _differences(dataset, other, train)
    facts = [dict(one.facts) for one in (dataset, other)]
    for name in describing:
        assert facts[0].pop(name) != facts[1].pop(name), f"{name} need not be excused"
    return found + [f"fact {name}" for name in facts[0] if facts[0][name] != facts[1].get(name)]


@contextmanager
def altered(folder: Path, pieces: Iterable[Alter]) -> Iterator[Path]:
    """A copy of a folder in which some pieces are altered."""
    spare = folder.with_name(f"{folder.name}-altered")
    shutil.copytree(folder, spare)
    for alter in pieces:
        alter(spare)
    yield spare
    shutil.rmtree(spare)


def files(folder: Path, pattern: str, together: Callable[[Path], Any] = str) -> list[Alter]:
    """The files in a folder, each as a piece, or those for which `together` gives the same."""
    found: dict[Any, list[Path]] = {}
    for file in sorted(folder.glob(pattern)):
        found.setdefault(together(file), []).append(file.relative_to(folder))
    assert found, f"no {pattern} in {folder}"

    def alter(spare: Path, names: list[Path]) -> None:
        for name in names:
            SPOILERS[name.suffix](spare / name)

    return [partial(alter, names=names) for names in found.values()]


def _differences(dataset: Dataset, other: Dataset, train: Tensor) -> list[str]:
    """What differs between the training splits of two data sets."""
    views = [_view(replace(one), train) for one in (dataset, other)]
    return [name for name in views[0] if not _same(views[0][name], views[1][name])]


def _view(dataset: Dataset, train: Tensor) -> dict[str, Any]:
    """All that a training has of its split: as an evaluation sees it, and augmented."""
    dataset.learn(train)
    return {
        "evaluation": dataset.see(dataset.x.index_select(0, train)),
        "training": dataset.see(dataset.x.index_select(0, train), torch.Generator().manual_seed(0)),
        "targets": dataset.y[train],
        "classes": dataset.classes,
        "lengths": None if dataset.lengths is None else dataset.lengths[train],
        **{name: extra[train] for name, extra in dataset.extras.items()},
    }


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and torch.equal(one, other)
    return bool(one == other)


def _changed(dataset: Dataset, other: Dataset) -> Tensor:
    """(N,) bool: samples whose stored values differ."""
    if isinstance(dataset.x, Ragged) and isinstance(other.x, Ragged):
        pairs = [(dataset.x[i], other.x[i]) for i in range(len(dataset))]
        return torch.tensor([not torch.equal(*pair) for pair in pairs])
    assert isinstance(dataset.x, Tensor) and isinstance(other.x, Tensor)
    return (dataset.x != other.x).flatten(1).any(1)


def _altered(dataset: Dataset, at: Tensor) -> Dataset:
    """The data set with other values and targets in some places."""
    y, x = dataset.y.clone(), dataset.x
    y[at] = y[at].flip(0)
    if isinstance(x, Ragged):
        values = x.values.clone()
        places = torch.repeat_interleave(torch.arange(len(dataset)), x.lengths)
        values[torch.isin(places, at)] += 100
        return replace(dataset, y=y, x=Ragged(values, x.lengths))
    x = x.clone()
    x[at] += 100
    return replace(dataset, y=y, x=x)


def _mat(file: Path) -> None:
    from scipy.io import loadmat, savemat

    table = {name: value for name, value in loadmat(file).items() if not name.startswith("__")}
    savemat(file, {name: _other(value) for name, value in table.items()})


def _other(value: Any) -> Any:
    """What loadmat gave, with other numbers in all arrays that may be signals."""
    if isinstance(value, np.ndarray) and value.dtype.names:
        value = value.copy()
        for name in value.dtype.names:
            value[name] = _other(value[name])
        return value
    if isinstance(value, np.ndarray) and value.dtype == object:
        found = np.empty_like(value)
        for place, one in np.ndenumerate(value):
            found[place] = _other(one)
        return found
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size > 16:
        return 7 - 100 * value
    return value


def _wav(file: Path) -> None:
    import soundfile

    wave, rate = soundfile.read(file)
    soundfile.write(file, 0.5 - 0.3 * wave, rate)


def _npy(file: Path) -> None:
    np.save(file, 7 - 100 * np.load(file))


def _png(file: Path) -> None:
    from PIL import Image

    with Image.open(file) as image:
        pixels = np.asarray(image)
    Image.fromarray(255 - pixels // 2).save(file)


SPOILERS = {".mat": _mat, ".png": _png, ".npy": _npy, ".wav": _wav}
"""Suffix to what gives the values in such a file other sizes; the file's form stays."""
