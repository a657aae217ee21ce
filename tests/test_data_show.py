"""What `labtui data show` says of a data set and draws of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import Tensor

from labtui.cli.samples import picture
from labtui.data import Dataset
from labtui.data.ragged import Ragged
from labtui.data.show import describe
from labtui.recipe.core import Validate


def shown(x: Any, **more: Any) -> tuple[dict[str, Any], list[str]]:
    """What is said of samples of two classes, after a way through JSON; and what is drawn."""
    y = torch.arange(len(x)) % 2
    found = json.loads(json.dumps(describe(Dataset(x, y, "classes", ["a", "b"], **more))))
    return found, picture(found["examples"]).splitlines()


def test_small_images_have_two_cells_a_pixel() -> None:
    x = torch.zeros(4, 1, 5, 6)
    x[:, :, 2, 1:4] = torch.tensor([0.5, 1.0, 0.25])
    _, lines = shown(x)
    assert len(lines) == 12 and lines[0] == "class a" and lines[6] == "class b"
    assert lines[3] == "  ▒▒██░░         ▒▒██░░"
    assert set(lines[1:3] + lines[4:6]) == {""}


def test_videos_as_some_of_their_frames() -> None:
    """Stored as bytes, colours last; a bright bar goes to the right."""
    x = torch.zeros(2, 10, 40, 40, 3, dtype=torch.uint8)
    for frame in range(10):
        x[:, frame, :, 4 * frame : 4 * frame + 4] = 200

    def see(x: Tensor, _: torch.Generator | None) -> Tensor:
        return x.movedim(-1, 1).to(torch.float32)

    found, lines = shown(x, transform=see)
    assert (found["dtype"], found["stored"], found["seen"]) == ("uint8", [10, 40, 40, 3], [3, 10, 40, 40])
    assert [len(example["pictures"]) for example in found["examples"]] == [4, 4]
    pictures = found["examples"][0]["pictures"]
    bright = [max(range(17), key=p[0].__getitem__) for p in pictures]
    assert bright == sorted(set(bright)) and bright[0] <= 1 and bright[3] >= 15
    assert max(map(len, lines)) <= 78 and len(lines) == 2 * (1 + len(pictures[0]))


def test_large_and_constant_images_fit_on_the_screen() -> None:
    x = torch.rand(2, 3, 300, 900)
    x[1] = 7.0
    found, lines = shown(x)
    assert [len(example["pictures"][0]) for example in found["examples"]] == [5, 5]
    assert max(map(len, lines)) <= 78
    assert lines[6:] == ["class b"] + [""] * 5


@pytest.mark.parametrize("shape", [(500,), (2, 500), (40, 3), (100, 5, 22, 1)])
def test_signals_as_lines(shape: tuple[int, ...]) -> None:
    _, lines = shown(torch.rand(4, *shape))
    assert len(lines) == 4 and lines[0].startswith("a #0") and lines[3].startswith("b #3")


def test_samples_of_different_lengths() -> None:
    lengths = torch.tensor([3, 9, 5, 4])
    found, lines = shown(Ragged(torch.arange(21, dtype=torch.float32), lengths))
    assert found["lengths"] == [3, 4, 9]
    assert lines[0].endswith("0 … 2") and lines[2].endswith("3 … 11")


def test_classes_are_counted_in_each_split() -> None:
    dataset = Dataset(torch.rand(10, 3), torch.arange(10) // 5, "classes", ["a", "b"])
    found = describe(dataset, Validate(val=0.2))
    assert found["splits"] == {"train": 8, "val": 2, "test": 0}
    assert found["classes"][1] == {"name": "b", "samples": 5, "train": 4, "val": 1, "test": 0}
    assert found["lengths"] is None
