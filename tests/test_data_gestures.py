"""Frame folders: what is read of them, what is kept of them, and what is said of bad ones."""

from __future__ import annotations

import os
import shutil
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import fill
from PIL import Image

from labtui.data import Dataset, build, mapped
from labtui.data.split import split
from labtui.engine.failure import explain
from labtui.errors import DataError
from labtui.recipe.core import Validate
from labtui.recipe.data.gestures import Gestures

SMALL: dict[str, Any] = {"path": "g", "frames": 2, "size": (4, 4), "classes": ["A", "B"]}


def video(folder: Path, values: list[int], size: tuple[int, int] = (4, 4)) -> None:
    """Images of one grey value each, called 1.png, 2.png, …"""
    folder.mkdir(parents=True)
    for k, value in enumerate(values, 1):
        Image.fromarray(np.full((*size, 3), value, np.uint8)).save(folder / f"{k}.png")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four videos to train on, two to validate on."""
    for part, count in (("train", 4), ("val", 2)):
        for k in range(count):
            video(tmp_path / "g" / part / f"{part}{k}", [10 * k + (part == "val"), 100, 200])
        rows = "".join(f"{part}{k};name;{k % 2}\n" for k in range(count))
        (tmp_path / "g" / f"{part}.csv").write_text(rows)
    return tmp_path


def load(root: Path, **options: Any) -> Dataset:
    return build(Gestures(**(SMALL | options)), root)


def test_videos_labels_and_the_official_split(data: Path) -> None:
    dataset = load(data)
    assert (dataset.x.shape, dataset.x.dtype) == ((6, 2, 4, 4, 3), torch.uint8)
    assert dataset.x[:, :, 0, 0, 0].tolist() == [
        [0, 200],
        [10, 200],
        [20, 200],
        [30, 200],
        [1, 200],
        [11, 200],
    ]
    assert dataset.y.tolist() == [0, 1, 0, 1, 0, 1]
    assert dataset.shape == (3, 2, 4, 4)
    assert torch.equal(dataset.see(dataset.x[:2])[:, :, 1], torch.full((2, 3, 4, 4), 200 / 255))
    parts = split(dataset, Validate(scheme="file"))
    assert {name: at.tolist() for name, at in parts.items()} == {
        "train": [0, 1, 2, 3],
        "val": [4, 5],
        "test": [],
    }
    assert dataset.facts["images of a video"] == "3"


def test_images_are_taken_evenly_in_the_order_of_their_numbers(data: Path) -> None:
    shutil.rmtree(data / "g/train/train0")
    video(data / "g/train/train0", list(range(12)))
    (data / "g/train/train0/._5.png").write_bytes(b"left by a Mac")
    assert load(data, frames=3).x[0, :, 0, 0, 0].tolist() == [0, 6, 11]


def test_colours_and_other_sizes(data: Path) -> None:
    image = np.zeros((8, 16, 3), np.uint8)
    image[:, :4], image[:, 4:12], image[:, 12:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    Image.fromarray(image).save(data / "g/train/train0/1.png")
    Image.fromarray(np.full((2, 2), 7, np.uint8)).save(data / "g/train/train1/1.png")
    cut, whole = (load(data, fit=fit) for fit in ("crop", "stretch"))
    colour = [dataset.see(dataset.x[:1])[0, :, 0].argmax(0) for dataset in (cut, whole)]
    assert [picture.tolist() for picture in colour] == [[[1, 1, 1, 1]] * 4, [[0, 1, 1, 2]] * 4]
    assert cut.x[1, 0].unique().tolist() == [7]
    assert cut.facts["pixels of an image"] == "1 × 8×16, 1 × 2×2, 4 × 4×4"


def test_images_are_decoded_once(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first = load(data)
    assert "decoding 6 videos" in capfd.readouterr().err
    assert torch.equal(load(data, classes=["C", "D"]).x, first.x)
    first.x.zero_()  # is this process's own
    assert load(data).x.any()
    assert capfd.readouterr().err == ""
    load(data, size=(5, 5))
    video(data / "other", [77])
    os.replace(data / "other/1.png", data / "g/train/train0/1.png")
    assert load(data).x[0, 0, 0, 0, 0] == 77
    assert capfd.readouterr().err.count("decoding 6 videos") == 2
    assert len(list((data / "runs/.labtui/cache").iterdir())) == 3


def test_what_was_not_finished_is_made_anew(data: Path) -> None:
    load(data)
    (place,) = (data / "runs/.labtui/cache").iterdir()
    (place / ".values.1.abc.tmp").write_bytes(b"killed")
    for broken in (lambda: os.truncate(place / "values", 9), (place / "index.json").unlink):
        broken()
        assert load(data).x[-1, -1, -1, -1, -1] == 200
        assert sorted(path.name for path in place.iterdir()) == ["index.json", "values"]


def test_two_runs_at_once_decode_once(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: load(data).x.sum().item(), range(4)))
    assert len(set(found)) == 1
    assert capfd.readouterr().err.count("decoding") == 1


def test_the_disk_is_full(
    data: Path, small_disk: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = small_disk("400k")
    big = {"cache": str(disk), "size": (200, 200)}
    with pytest.raises(DataError, match=r"0.00 GB are needed.*data\.cache") as caught:
        load(data, **big)
    assert explain(caught.value)[0] == "disk-full"
    fill(disk)
    monkeypatch.setattr(mapped.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 0, 10**9))
    with pytest.raises(DataError, match="No space left"):
        load(data, **big)
    (disk / "fill").unlink()
    assert not [path for path in disk.rglob("*") if path.is_file()]
    assert len(load(data, cache=str(disk), size=(20, 20))) == 6


def test_memory_holds_a_few_videos_at_a_time(data: Path) -> None:
    rows = [f"big{k};name;{k % 2}\n" for k in range(30)]
    for k in range(30):
        video(data / "g/train" / f"big{k}", [k, k])
    (data / "g/train.csv").write_text("".join(rows))
    size = 2 * 200 * 200 * 3
    tracemalloc.start()
    dataset = load(data, size=(200, 200))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert dataset.x.nbytes == 32 * size
    assert most < 8 * size


def spoil(folder: Path, how: str) -> None:
    if how == "missing":
        shutil.rmtree(folder)
    elif how == "short":
        for k in (2, 3):
            (folder / f"{k}.png").unlink()
    elif how == "cut":
        os.truncate(folder / "1.png", 45)
    else:
        (folder / "3.png").write_text("no image")


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("missing", "train1: a video that is listed cannot be read"),
        ("short", "train1: has 1 images, fewer than data.frames = 2"),
        ("cut", r"train1/1\.png: not a readable image"),
        ("text", r"train1/3\.png: not a readable image"),
    ],
)
def test_a_bad_video_is_named_or_left_out(data: Path, how: str, told: str, capfd: Any) -> None:
    spoil(data / "g/train/train1", how)
    for _ in range(2):  # decoded, and as it was kept
        with pytest.raises(DataError, match=told):
            load(data)
        dataset = load(data, on_error="skip")
        assert dataset.facts["videos left out"] == 1
        assert dataset.x[:, 0, 0, 0, 0].tolist() == [0, 20, 30, 1, 11]
        assert dataset.y.tolist() == [0, 0, 1, 0, 1]
        assert "left out" in capfd.readouterr().err


def test_a_name_that_no_folder_can_have(data: Path) -> None:
    (data / "g/train.csv").write_bytes(b"\0;name;0\ntrain1;name;1\n")
    with pytest.raises(DataError, match=r"cannot be read \(embedded null byte\)"):
        load(data)
    assert len(load(data, on_error="skip")) == 3


def test_no_video_can_be_used(data: Path) -> None:
    shutil.rmtree(data / "g/train")
    shutil.rmtree(data / "g/val")
    with pytest.raises(DataError, match="none of 6 videos can be used"):
        load(data, on_error="skip")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (None, r"train\.csv: cannot be read \(No such file.*labtui data make gestures"),
        (b"", r"train\.csv: is empty"),
        (
            b"train0;name;0\ntrain1;name;B\n",
            r"train\.csv:2: label 'B', expected one of data\.classes: 0 A, 1 B",
        ),
        (b"train0;name;2\n", r"train\.csv:1: label '2'"),
        (b"train0;name;" + b"1" * 5000, r"train\.csv:1: label '1+, expected"),
        (b"train0,name,0\n", r"train\.csv:1: 'train0,name,0' has 1 columns, expected folder;name;label"),
        (b"train0;name;0\ntrain0;name;1\n", r"train\.csv: lists train0 2 times"),
        (b"../train/train0;name;0\n", r"train\.csv:1: folder '\.\./train/train0', expected one in \S+train"),
        (b"\xff\xfe", r"train\.csv: cannot be read"),
    ],
)
def test_a_bad_table_is_named(data: Path, table: bytes | None, told: str) -> None:
    path = data / "g/train.csv"
    path.unlink() if table is None else path.write_bytes(table)
    with pytest.raises(DataError, match=told):
        load(data, on_error="skip")


def test_a_class_that_a_split_lacks(data: Path) -> None:
    (data / "g/val.csv").write_text("val0;name;0\n")
    with pytest.raises(DataError, match="the val split lacks 'B'"):
        split(load(data), Validate(scheme="file"))


def test_a_validation_video_among_the_training_videos_is_found(data: Path) -> None:
    shutil.rmtree(data / "g/train/train2")
    shutil.copytree(data / "g/val/val1", data / "g/train/train2")
    with pytest.raises(DataError, match=r"train2 and .*val1 hold the same images"):
        load(data)
    dataset = load(data, on_error="skip")
    assert split(dataset, Validate(scheme="file"))["train"].tolist() == [0, 1, 3]
    assert dataset.facts["training videos that are in val.csv too"] == 1
