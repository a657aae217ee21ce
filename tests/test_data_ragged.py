"""Samples of different lengths, and what is learnt from a training split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from labtui.data import Dataset
from labtui.data.ragged import Ragged
from labtui.engine import samples


def test_ragged_samples_are_padded_to_the_longest_of_the_batch() -> None:
    lengths = torch.tensor([3, 1, 4])
    values = torch.arange(16.0).view(8, 2)
    ragged = Ragged(values, lengths)
    assert ragged.shape == (3, 4, 2) and len(ragged) == 3 and ragged.nbytes == 64
    batch = ragged.index_select(0, torch.tensor([1, 0]))
    assert batch.tolist() == [[[6, 7], [0, 0], [0, 0]], [[0, 1], [2, 3], [4, 5]]]
    assert torch.equal(ragged[2], values[4:])
    some = ragged[torch.tensor([2, 1])]
    assert some.lengths.tolist() == [4, 1] and torch.equal(some.values, torch.cat([values[4:], values[3:4]]))
    with pytest.raises(ValueError, match="add up to 3"):
        Ragged(values, torch.tensor([1, 2]))


def test_lengths_go_through_what_the_model_sees() -> None:
    lengths = torch.tensor([8, 4, 6])
    data = Dataset(
        Ragged(torch.ones(18), lengths),
        torch.tensor([0, 1, 0]),
        "classes",
        ["a", "b"],
        transform=lambda x, _: x[:, ::2],
        frames=lambda n: n // 2,
    )
    placed = samples.place(samples.shelve(data, torch.device("cpu")), {"train": torch.arange(3)})["train"]
    (batch,) = placed.batches(3)
    assert batch.x.shape == (3, 4) and batch.lengths is not None and batch.lengths.tolist() == [4, 2, 3]
    half = placed.batch(torch.tensor([1, 2]), torch.Generator(), slice(1, 2))
    assert half.lengths is not None and half.lengths.tolist() == [3] and len(half) == 1
    assert [len(piece) for piece in batch.pieces(2)] == [2, 1]


def test_what_is_learnt_from_data_comes_from_the_training_split_alone() -> None:
    seen = []

    def fit(x: Any, y: torch.Tensor) -> Any:
        seen.append((x.clone(), y.clone()))
        mean = x.mean()
        return lambda batch, _: batch - mean

    x = torch.randn(10, 3)
    data = Dataset(x, torch.arange(10) % 2, "classes", ["a", "b"], fit=fit)
    train = torch.tensor([1, 2, 5])
    data.learn(train)
    data.learn(train)
    assert len(seen) == 1 and torch.equal(seen[0][0], x[train]) and seen[0][1].tolist() == [1, 0, 1]
    assert np.allclose(data.see(x), x - x[train].mean())
