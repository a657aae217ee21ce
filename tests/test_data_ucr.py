"""The `.ts` reader: a file made by hand, what is wrong with others, and three problems of the archive."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from recipe_lab import shipped, tried

from labtui import data
from labtui.data.split import split
from labtui.data.ucr import read
from labtui.errors import DataError
from labtui.recipe.core import Validate
from labtui.recipe.data.ucr import Ucr

ARCHIVE = Path(__file__).parents[2] / "shared" / "data" / "ucr"

HEAD = """# Made by hand.
@problemName Two
@timeStamps false
@univariate false
@dimensions 2
@equalLength false
@classLabel true up down
@data
"""


def write(folder: Path, train: str, test: str = "1,2:3,4:up\n", head: str = HEAD) -> Path:
    (folder / "data/ucr/Two").mkdir(parents=True)
    for part, lines in {"TRAIN": train, "TEST": test}.items():
        (folder / f"data/ucr/Two/Two_{part}.ts").write_text(head + lines)
    return folder


def test_a_file_made_by_hand(tmp_path: Path) -> None:
    lab = write(tmp_path, "1,2,3:4,5,6:up\n\n-1:2.5e-1:down\n")
    dataset = data.build(Ucr(problem="Two"), lab)
    assert dataset.x.tolist() == [[[1, 2, 3], [4, 5, 6]], [[-1, 0, 0], [0.25, 0, 0]], [[1, 2, 0], [3, 4, 0]]]
    assert dataset.y.tolist() == [0, 1, 0]
    assert dataset.classes == ["up", "down"]
    assert dataset.lengths is not None
    assert dataset.lengths.tolist() == [3, 1, 2]
    assert {name: part.tolist() for name, part in (dataset.split or {}).items()} == {
        "train": [0, 1],
        "test": [2],
    }
    assert dataset.facts["length"] == "1 to 3"


def test_samples_are_normalised_over_their_own_length(tmp_path: Path) -> None:
    lab = write(tmp_path, "1,3:5,5:up\n2,4,6,8:1,1,2,2:down\n")
    x = data.build(Ucr(problem="Two", norm="sample"), lab).x
    assert x[0].tolist() == [[-1, 1, 0, 0], [0, 0, 0, 0]]  # a constant channel; zeros behind the end
    torch.testing.assert_close(x[1].mean(1), torch.zeros(2))
    torch.testing.assert_close(x[1].std(1, correction=0), torch.ones(2))


def test_samples_of_one_length_need_no_lengths(tmp_path: Path) -> None:
    dataset = data.build(Ucr(problem="Two"), write(tmp_path, "1,2:4,5:up\n3,4:5,6:down\n"))
    assert dataset.lengths is None
    assert dataset.facts["length"] == 2


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("1,2:3,4:left\n", r"_TRAIN\.ts:9: class 'left' is not among up down"),
        ("1,2:3,4:up\n1,2:down\n", r"_TRAIN\.ts:10: 1 channels, but the first sample has 2"),
        ("1,2:3:up\n", r"_TRAIN\.ts:9: the channels have \[1, 2\] values"),
        ("1,?:3,4:up\n", r"_TRAIN\.ts:9: .*values that are missing \('\?'\) must be filled in"),
        ("1,nan:3,4:up\n", r"_TRAIN\.ts:9: NaN or infinite"),
        ("1,x:3,4:up\n", r"_TRAIN\.ts:9: could not convert"),
        ("x" * 9999 + ":up\n", r"_TRAIN\.ts:9: could not convert .{,110}$"),
        ("1,2:" + "z" * 9999, r"_TRAIN\.ts:9: class .{,80} is not among"),
        ("1,1e39:up\n", r"_TRAIN\.ts:9: NaN or infinite"),
        ("up\n", r"_TRAIN\.ts:9: no values before the class"),
        ("", r"_TRAIN\.ts: no samples below @data"),
        ("1,2:up\n3,4:down\n", "samples of \\[1, 2\\] channels"),
        ("1,2:3,4:up\n5,6:7", r"_TRAIN\.ts:10: class '7' is not among .*is the line cut off"),
        ("1,2:3,4:up\n", r"Two_TRAIN\.ts: no sample of 'down', which its head lists"),
    ],
)
def test_broken_lines_are_named(tmp_path: Path, lines: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        data.build(Ucr(problem="Two"), write(tmp_path, lines))


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (HEAD.replace("@data\n", ""), "no line @data"),
        (HEAD.replace("@classLabel true up down\n", "@targetLabel true\n"), "only classification"),
        (HEAD.replace("@timeStamps false", "@timeStamps true"), "time stamps cannot be read"),
    ],
)
def test_broken_heads_are_named(tmp_path: Path, head: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        data.build(Ucr(problem="Two"), write(tmp_path, "1,2:3,4:up\n5,6:7,8:down\n", head=head))


def test_missing_and_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no .*GunPoint_TRAIN\.ts: data\.path must hold"):
        data.build(Ucr(), tmp_path)
    (tmp_path / "empty.ts").write_text("\n")
    with pytest.raises(DataError, match=r"empty\.ts: the file is empty"):
        read(tmp_path / "empty.ts")
    (tmp_path / "bytes.ts").write_bytes(b"\xff\xfe@data")
    with pytest.raises(DataError, match=r"bytes\.ts: cannot read it as text"):
        read(tmp_path / "bytes.ts")


@pytest.mark.skipif(not ARCHIVE.is_dir(), reason=f"the archive is not in {ARCHIVE}")
@pytest.mark.parametrize(
    ("problem", "shape", "classes", "sizes", "lengths"),
    [
        ("GunPoint", (1, 150), 2, (50, 150), None),
        ("BasicMotions", (6, 100), 4, (40, 40), None),
        ("JapaneseVowels", (12, 29), 9, (270, 370), (7, 29)),
    ],
)
def test_the_archive(
    problem: str,
    shape: tuple[int, ...],
    classes: int,
    sizes: tuple[int, int],
    lengths: tuple[int, int] | None,
) -> None:
    dataset = data.build(Ucr(path=str(ARCHIVE), problem=problem), Path())
    assert (dataset.shape, dataset.outputs) == (shape, classes)
    official = dataset.split or {}
    assert (len(official["train"]), len(official["test"])) == sizes
    if lengths is None:
        assert dataset.lengths is None
    else:
        assert dataset.lengths is not None
        assert (int(dataset.lengths.min()), int(dataset.lengths.max())) == lengths
        behind = torch.arange(shape[1]) >= dataset.lengths[:, None]
        assert (dataset.x.transpose(1, 2)[behind] == 0).all()
    parts = split(dataset, Validate(scheme="file", val=0.3))
    assert parts["test"].equal(official["test"])  # never trained on, never validated on


@pytest.mark.skipif(not ARCHIVE.is_dir(), reason=f"the archive is not in {ARCHIVE}")
@pytest.mark.parametrize("file", shipped("timeseries"), ids=lambda file: file.stem)
def test_recipes(tmp_path: Path, file: Path) -> None:
    assert tried(file, tmp_path, f"data.path={ARCHIVE}").seen["splits"]["test"]["samples"] > 0
