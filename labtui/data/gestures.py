"""Videos of hand gestures, each a folder of images.

A folder holds `train.csv` and `val.csv`, whose rows are `folder;name;label` without a header, and the
folders `train` and `val`, in which each row's folder holds the images of one video in order of their
names. A label is the place of the gesture in `data.classes`, from 0.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from labtui.data import Dataset
from labtui.data.frames import View, load
from labtui.data.skip import OnError
from labtui.data.split import by_part
from labtui.errors import DataError

PARTS = ("train", "val")


class Row(NamedTuple):
    """One video of a table."""

    part: str
    folder: Path
    label: int


def gestures(
    root: Path,
    path: str,
    classes: list[str],
    frames: int,
    size: tuple[int, int],
    fit: Literal["crop", "stretch"],
    cache: str,
    on_error: OnError,
) -> Dataset:
    """Videos as (frames, height, width, 3) bytes; seen as (3, frames, height, width) from 0 to 1.

    Train.csv and val.csv are `split`, for `validate.scheme = "file"`; the options are those of
    `recipe.data.Gestures`.

    Raises:
        DataError: a table or a video is missing or is not what it should be.
    """
    folder = root / path
    rows = [row for part in PARTS for row in read_table(folder, part, classes)]
    view = View(frames, *size, fit)
    x, index = load([row.folder for row in rows], view, root / Path(cache).expanduser(), on_error)
    rows = [rows[place] for place in index.places]
    kept = _apart(rows, index.digests, on_error)
    return Dataset(
        x=x,
        y=torch.tensor([row.label for row in rows]),
        task="classes",
        classes=classes,
        split=by_part([row.part if k in kept else "" for k, row in enumerate(rows)]),
        transform=to_colours_first,
        facts={
            "source": "simulated (minimum-jerk strokes, Flash and Hogan 1985)"
            if index.simulated
            else "folders of images",
            "videos left out": len(index.left_out),
            "training videos that are in val.csv too": len(rows) - len(kept),
            "images taken of a video": f"{frames}, evenly spread",
            "images of a video": _counted(index.lengths),
            "pixels of an image": _counted(index.sizes),
            "images of another shape": "cut to fit" if fit == "crop" else "distorted",
            "normalisation": "grey values 0..255 divided by 255",
            "split": "train.csv and val.csv",
        },
    )


def _counted(counts: dict[str, int]) -> str:
    """How many videos there are of each kind; of one kind alone, that kind."""
    return ", ".join(counts if len(counts) == 1 else (f"{n} × {kind}" for kind, n in counts.items()))


def to_colours_first(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """(N, frames, height, width, 3) bytes -> (N, 3, frames, height, width) float32 from 0 to 1."""
    # Colours stay next to one another in memory, with which convolutions on a CPU take half the time.
    return x.movedim(-1, 1).to(torch.float32).div_(255)


def read_table(folder: Path, part: str, classes: Sequence[str]) -> list[Row]:
    """The rows of `<part>.csv`.

    Raises:
        DataError: no such file, no text, no rows, or a row that is not what it should be.
    """
    path = folder / f"{part}.csv"
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, delimiter=";")
            rows = [
                _row(f"{path}:{lines.line_num}", folder / part, cells, classes) for cells in lines if cells
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}): data.path must hold "
            "train.csv and val.csv; `labtui data make gestures` writes simulated ones"
        ) from None
    if not rows:
        raise DataError(f"{path}: is empty; expected rows folder;name;label")
    if (twice := Counter(row.folder for row in rows).most_common(1)[0])[1] > 1:
        raise DataError(f"{path}: lists {twice[0].name} {twice[1]} times: keep one of the rows")
    return rows


def _apart(rows: Sequence[Row], digests: Sequence[str], on_error: OnError) -> set[int]:
    """Places of the rows without training videos that are validated on, whatever their folders are called."""
    validated = {digest: row for row, digest in zip(rows, digests, strict=True) if row.part == "val"}
    kept = {k for k, row in enumerate(rows) if row.part == "val" or digests[k] not in validated}
    if on_error == "fail" and len(kept) < len(rows):
        k = min(set(range(len(rows))) - kept)
        raise DataError(
            f"{rows[k].folder} and {validated[digests[k]].folder} hold the same images, so that a video "
            'would be trained on and validated on: take one of the rows out, or set data.on_error = "skip"'
        )
    return kept


def _row(where: str, folder: Path, cells: Sequence[str], classes: Sequence[str]) -> Row:
    if len(cells) != 3 or not cells[0].strip():
        raise DataError(
            f"{where}: {';'.join(cells)!r:.80} has {len(cells)} columns, expected folder;name;label"
        )
    name, _, label = (cell.strip() for cell in cells)
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise DataError(f"{where}: folder {name!r:.80}, expected one in {folder}")
    if label not in map(str, range(len(classes))):
        known = ", ".join(f"{k} {name}" for k, name in enumerate(classes))
        raise DataError(f"{where}: label {label!r:.80}, expected one of data.classes: {known}")
    return Row(folder.name, folder / name, int(label))
