"""Networks for videos: the gesture notebook's counts of parameters and layers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from zoo_lab import build, learns, parameters, shapes

from labtui.engine import layers
from labtui.recipe.models.video import Conv2DRNN, Conv3D

SMALL: dict[str, Any] = {"channels": [4, 8], "dropout": 0.0}


@pytest.mark.parametrize(("shape", "expected"), [((3, 16, 64, 64), 555_493), ((3, 30, 120, 120), 1_096_165)])
def test_conv3d_parameters(shape: tuple[int, ...], expected: int) -> None:
    assert parameters(build(Conv3D(), shape)) == expected


def test_conv3d_has_21_layers() -> None:
    model = build(Conv3D(), (3, 16, 64, 64))
    found = shapes(model, torch.zeros(1, 3, 16, 64, 64))
    assert len(found) == layers.count(model)["layers"] == 21  # the run table's num_layers
    assert [s for kind, s in found if kind == "MaxPool3d"] == [
        *((16, 8, 32, 32), (32, 4, 16, 16), (64, 2, 8, 8), (128, 1, 4, 4)),
    ]
    kinds = [kind for kind, _ in found]
    assert kinds[:4] == ["Conv3d", "ReLU", "BatchNorm3d", "MaxPool3d"]
    assert kinds[16:] == ["Flatten", "Dense", "BatchNorm1d", "Dropout", "Linear"]


@pytest.mark.parametrize("spec", [Conv3D(init="xavier_uniform"), Conv2DRNN(init="xavier_uniform")])
def test_first_weights_as_keras_draws_them(spec: Any) -> None:
    """Uniform up to √(6 / (fan in + fan out)) (Glorot and Bengio 2010); biases are 0."""
    head = build(spec, (3, 16, 32, 32)).head
    bound = (6 / (head.in_features + 5)) ** 0.5
    assert 0.95 * bound < head.weight.abs().max() <= bound
    assert not head.bias.any()


@pytest.mark.parametrize(("cell", "gates"), [("gru", 3), ("lstm", 4)])
def test_conv2d_rnn_has_4_layers(cell: Any, gates: int) -> None:
    shape = (3, 30, 120, 120)
    model = build(Conv2DRNN(cell=cell), shape)
    kinds = [type(layer).__name__ for layer in model.children()]
    assert kinds == ["TimeDistributed", cell.upper(), "Dropout", "Linear"]  # num_layers is 4
    images = [3 * 16, 16 * 32, 32 * 64, 64 * 128]
    convolutions = 9 * sum(images) + 3 * (16 + 32 + 64 + 128)
    recurrent = gates * (64 * (128 * 7 * 7 + 64) + 2 * 64)
    assert parameters(model) == convolutions + recurrent + 64 * 5 + 5


def test_each_frame_by_itself() -> None:
    model, x = build(Conv2DRNN(**SMALL), (3, 6, 8, 12)).eval(), torch.randn(2, 3, 6, 8, 12)
    values = model.frames(x)
    assert values.shape == (2, 6, 8 * 2 * 3)
    assert torch.allclose(values[:, 4], model.frames.network(x[:, :, 4]), atol=1e-6)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_what_is_behind_the_end_of_a_video_is_not_seen(cell: Any) -> None:
    model, x = build(Conv2DRNN(cell=cell, **SMALL), (3, 6, 8, 8)).eval(), torch.randn(2, 3, 6, 8, 8)
    found = model(x, torch.tensor([2, 6]))
    assert torch.allclose(found[0], model(x[:1, :, :2])[0], atol=1e-6)
    assert torch.allclose(found[1], model(x)[1], atol=1e-6)


@pytest.mark.parametrize("spec", [Conv3D(hidden=8, **SMALL), Conv2DRNN(units=8, **SMALL)])
def test_they_learn_which_way_a_bar_moves(spec: Any) -> None:
    """One frame does not tell: the videos of one class are those of the other, backwards."""
    x = 0.1 * torch.rand(16, 3, 8, 8, 8)
    for t in range(8):
        x[::2, :, t, :, t] += 1
        x[1::2, :, t, :, 7 - t] += 1
    y = torch.arange(16) % 2
    assert learns(build(spec, x.shape[1:], 2), x, y, 1e-2, 40, nn.CrossEntropyLoss()) < 0.3
