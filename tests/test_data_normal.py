"""Norms and principal components, against numpy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from labtui.data import normal
from labtui.errors import DataError

Generator = torch.Generator


@pytest.fixture
def x() -> Tensor:
    made = torch.randn(50, 7, 4, generator=Generator().manual_seed(0))
    return made * torch.tensor([1.0, 2.0, 3.0, 0.0]) + torch.tensor([0.0, 5.0, -5.0, 2.0])


def test_each_sample_by_itself(x: Tensor) -> None:
    seen = normal.standardised(x)
    torch.testing.assert_close(seen.flatten(1).mean(1), torch.zeros(50), atol=1e-5, rtol=0)
    torch.testing.assert_close(seen.flatten(1).std(1, correction=0), torch.ones(50))
    seen = normal.min_max(x)
    assert (seen.flatten(1).amin(1) == 0).all()
    torch.testing.assert_close(seen.flatten(1).amax(1), torch.ones(50))
    for norm in normal.ALONE.values():
        assert norm(torch.full((2, 3), 4.0)).isfinite().all()


@pytest.mark.parametrize("norm", [normal.standardised, normal.min_max])
def test_padding_does_not_count(x: Tensor, norm: object) -> None:
    assert callable(norm)
    lengths = torch.tensor([3, 7, 1, *[5] * 47])
    seen = norm(x, lengths)
    for row, sample, length in zip(seen, x, lengths.tolist(), strict=True):
        torch.testing.assert_close(row[:length], norm(sample[None, :length])[0])
        assert (row[length:] == 0).all()


def test_a_batch_by_itself(x: Tensor) -> None:
    seen = normal.batch(x)
    torch.testing.assert_close(seen.mean(), torch.tensor(0.0), atol=1e-6, rtol=0)
    assert not seen[:10].allclose(normal.batch(x[:10]))


@pytest.mark.parametrize("per_feature", [True, False])
def test_constants_are_those_of_all_parts_together(x: Tensor, per_feature: bool) -> None:
    train, test = x[:35], x[35:] + 1000
    norm = normal.constants(iter(train.flatten(0, 1).split(16)), per_feature)
    seen = norm(train)
    axes = (0, 1) if per_feature else (0, 1, 2)
    mean, std = train.double().mean(axes), train.double().std(axes, correction=0)
    std = torch.where(std > 0, std, 1)
    torch.testing.assert_close(seen, ((train - mean) / std).float(), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(norm(test), ((test - mean) / std).float(), atol=1e-3, rtol=1e-4)


def test_constants_of_long_waves_are_exact() -> None:
    """In float32, the mean of squares would lose a deviation that is small beside the mean."""
    waves = 100 + 1e-3 * torch.randn(40, 2000, generator=Generator().manual_seed(0), dtype=torch.float64)
    waves = waves.float()
    norm = normal.constants(iter(waves.split(16)), per_feature=False)
    torch.testing.assert_close(norm.by, waves.double().std(correction=0).float(), rtol=1e-5, atol=0)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99, 1.0])
def test_principal_components_are_those_of_scikit_learn(share: float) -> None:
    g = Generator().manual_seed(1)
    x = torch.randn(60, 5, 8, generator=g) @ torch.randn(8, 8, generator=g) + 3
    rows = x.reshape(-1, 8).numpy()
    seen = normal.components(iter(x.flatten(0, 1).split(16)), share)(x).numpy()
    peer = PCA(share if share < 1 else None).fit(rows)
    assert seen.shape == (60, 5, peer.n_components_)
    np.testing.assert_allclose(
        np.abs(seen.reshape(-1, seen.shape[-1])), np.abs(peer.transform(rows)), atol=2e-3
    )


def test_rows_that_are_all_the_same_have_no_components() -> None:
    with pytest.raises(DataError, match="all 40 rows of the training split are the same"):
        normal.components(iter(torch.ones(2, 20, 3)), 0.9)
