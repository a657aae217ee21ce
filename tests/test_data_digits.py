"""Digits, and the child process that the command line asks about data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from labtui.data import build
from labtui.data.digits import Shift
from labtui.recipe.data.digits import Digits

ROOT = Path(__file__).parents[1]


def test_digits() -> None:
    dataset = build(Digits(shift=1), Path())
    assert (len(dataset), dataset.shape, dataset.outputs) == (1797, (1, 8, 8), 10)
    assert (int(dataset.x.min()), int(dataset.x.max())) == (0, 1)


def test_shift_moves_whole_images_and_repeats_with_its_seed() -> None:
    x = torch.zeros(500, 1, 8, 8)
    x[:, :, 3, 4] = 1
    moved = Shift(1)(x, torch.Generator().manual_seed(0))
    spots = moved.nonzero()[:, 2:].unique(dim=0).tolist()
    assert sorted(spots) == [[row, column] for row in (2, 3, 4) for column in (3, 4, 5)]
    assert torch.equal(moved, Shift(1)(x, torch.Generator().manual_seed(0)))
    assert Shift(1)(x, None) is x


def child(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "labtui.data", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_then_show(tmp_path: Path) -> None:
    done = child("make", "bearings", "--out", "data/bearings_cwru", "--seconds", "1", cwd=tmp_path)
    assert len(json.loads(done.stdout)["files"]) == 10
    shown = json.loads(child("show", "bearings", "--lab", ".", cwd=tmp_path).stdout)
    assert (shown["samples"], shown["stored"], shown["seen"]) == (2800, [1600], [40, 3])
    assert shown["classes"][0] == {"name": "normal", "samples": 280}
    assert len(shown["examples"]) == 15  # three each of the first five classes
    assert {len(example["values"]) for example in shown["examples"]} == {120}


def test_show_recipe_counts_its_splits(tmp_path: Path) -> None:
    shown = json.loads(child("show", str(ROOT / "recipes/digits.toml"), cwd=tmp_path).stdout)
    assert shown["splits"] == {"train": 1257, "val": 270, "test": 270}
    assert shown["classes"][1] == {"name": "1", "samples": 182, "train": 128, "val": 27, "test": 27}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["make", "nonsense", "--out", "x"],
            "no simulator for 'nonsense': there is one for bearings",
        ),
        (["show", "bearings"], "labtui data make bearings --out"),
    ],
)
def test_errors_are_one_message(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = child(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["bearings", "speech"])
def test_a_full_disk_keeps_no_half_of_a_data_set(small_disk: Callable[[str], Path], name: str) -> None:
    disk = small_disk("60k")
    (disk / "own").mkdir()
    done = child("make", name, "--out", "own/made", "--seconds", "0.5", cwd=disk)
    assert done.returncode == 2
    assert "own/made: cannot write there" in done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert not any((disk / "own").iterdir())
