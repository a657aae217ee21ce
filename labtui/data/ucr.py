"""The UCR/UEA time-series archive's `.ts` text format (Dau et al. 2019; Bagnall et al. 2018).

Lines with # are comments, lines with @ say what follows, and each line below @data is one sample: its
channels with a colon between, their values with a comma between, and last its class. Samples, and with
`@equalLength false` their lengths, may differ; the channels of one sample are equally long.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labtui.data import Dataset
from labtui.data.normal import standardised
from labtui.errors import DataError


@dataclass
class Problem:
    """One `.ts` file."""

    series: list[NDArray[np.float32]]
    """(channels, time) of each sample."""
    labels: list[str]
    """Class of each sample."""
    classes: list[str]
    """All classes, as the file's head lists them."""


def ucr(root: Path, path: str, problem: str, norm: Literal["none", "sample"]) -> Dataset:
    """A problem of the archive, (channels, time) with zeros behind shorter samples.

    The official TRAIN and TEST files are `split`, for `validate.scheme = "file"`; the options are those
    of `recipe.data.Ucr`.

    Raises:
        DataError: a file is missing or is not what it should be.
    """
    parts = [read(root / path / problem / f"{problem}_{part}.ts") for part in ("TRAIN", "TEST")]
    train, test = parts
    if set(train.classes) != set(test.classes):
        raise DataError(f"{problem}: TRAIN has the classes {train.classes}, TEST has {test.classes}")
    if lacking := sorted(set(train.classes) - set(train.labels)):
        raise DataError(
            f"{problem}_TRAIN.ts: no sample of {', '.join(map(repr, lacking))}, which its head lists: nothing "
            "can be learnt of it; fetch the file again, or take the class out of @classLabel in both files"
        )
    series = [torch.from_numpy(one) for one in train.series + test.series]
    if len(channels := {len(one) for one in series}) > 1:
        raise DataError(f"{problem}: TRAIN and TEST have samples of {sorted(channels)} channels")
    lengths = torch.tensor([one.shape[1] for one in series])
    equal = bool((lengths == lengths[0]).all())
    index = {name: k for k, name in enumerate(train.classes)}
    border = len(train.series)
    return Dataset(
        x=_padded([standardised(one) for one in series] if norm == "sample" else series),
        y=torch.tensor([index[name] for name in train.labels + test.labels]),
        task="classes",
        classes=train.classes,
        lengths=None if equal else lengths,
        split={"train": torch.arange(border), "test": torch.arange(border, len(series))},
        facts={
            "source": f"UCR/UEA archive, {problem}",
            "length": int(lengths[0]) if equal else f"{int(lengths.min())} to {int(lengths.max())}",
            "normalisation": "each channel of each sample" if norm == "sample" else "as in the file",
        },
    )


def read(path: Path) -> Problem:
    """The samples of one `.ts` file.

    Raises:
        DataError: no such file, or a line is not what it should be; the message names it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise DataError(
            f"there is no {path}: data.path must hold a folder for each problem, with <problem>_TRAIN.ts "
            "and <problem>_TEST.ts from timeseriesclassification.com in it"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot read it as text ({error})") from error
    if not any(line.strip() for line in lines):
        raise DataError(f"{path}: the file is empty: fetch it again")
    head, first = _head(path, lines)
    classes = list(dict.fromkeys(head.get("classlabel", "").split()[1:]))
    if not classes:
        raise DataError(f"{path}: no '@classLabel true <classes>': only classification problems can be read")
    if head.get("timestamps", "").lower() == "true":
        raise DataError(f"{path}: samples with time stamps cannot be read; give values alone")
    found = Problem([], [], classes)
    for number, line in enumerate(lines[first:], first + 1):
        if not line.strip():
            continue
        series, label = _sample(line, f"{path}:{number}")
        if label not in classes:
            raise DataError(
                f"{path}:{number}: class {label!r:.80} is not among {' '.join(classes)} in the head; is the line "
                "cut off?"
            )
        if found.series and len(series) != len(found.series[0]):
            raise DataError(
                f"{path}:{number}: {len(series)} channels, but the first sample has {len(found.series[0])}"
            )
        found.series.append(series)
        found.labels.append(label)
    if not found.series:
        raise DataError(f"{path}: no samples below @data")
    return found


def _head(path: Path, lines: list[str]) -> tuple[dict[str, str], int]:
    """What the lines with @ say, by lower-case name, and the number of the first line below @data."""
    head: dict[str, str] = {}
    for number, line in enumerate(lines):
        if line.strip().lower() == "@data":
            return head, number + 1
        if line.startswith("@"):
            name, _, value = line[1:].strip().partition(" ")
            head[name.lower()] = value.strip()
    raise DataError(f"{path}: no line @data: the file is cut off, or is no .ts file")


def _sample(line: str, where: str) -> tuple[NDArray[np.float32], str]:
    """(channels, time) and class of a line below @data."""
    *channels, label = line.strip().split(":")
    try:
        with np.errstate(over="ignore"):  # what is too large is infinite, and named as that
            rows = [np.array(channel.split(","), dtype=np.float32) for channel in channels]
    except ValueError as error:
        hint = "; values that are missing ('?') must be filled in first" if "?" in line else ""
        raise DataError(f"{where}: {error!s:.120}{hint}") from error
    if not rows:
        raise DataError(f"{where}: no values before the class")
    if len(lengths := {len(row) for row in rows}) > 1:
        raise DataError(f"{where}: the channels have {sorted(lengths)} values, expected equally many")
    series = np.stack(rows)
    if not np.isfinite(series).all():
        raise DataError(f"{where}: NaN or infinite values")
    return series, label.strip()


def _padded(series: list[Tensor]) -> Tensor:
    """(N, channels, longest) with zeros behind shorter samples."""
    x = torch.zeros(len(series), len(series[0]), max(one.shape[1] for one in series))
    for row, one in zip(x, series, strict=True):
        row[:, : one.shape[1]] = one
    return x
