"""Autoencoders: the genre notebook's counts and sizes, and classifiers that start from their encoders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from zoo_lab import build, learns, parameters, shapes

from labtui import zoo
from labtui.recipe.models.autoencoder import AE, AECls, ResAE, ResAECls

IMAGE = (1, 128, 513)


@pytest.mark.parametrize(("spec", "expected"), [(AE(), 24_419), (ResAE(), 2_136_120)])
def test_parameters(spec: Any, expected: int) -> None:
    assert parameters(build(spec, IMAGE, 8)) == expected


def test_sizes_of_ae() -> None:
    found = shapes(build(AE(), IMAGE), torch.rand(1, *IMAGE))
    assert [s for kind, s in found if kind == "Conv2d"] == [(8, 64, 257), (16, 32, 129), (32, 15, 64)]
    assert [s for kind, s in found if kind == "Linear"] == [(64,), (64,), (64,), (32,)]
    assert [s for kind, s in found if kind == "ConvTranspose2d"] == [(16, 32, 129), (8, 64, 257), IMAGE]


def test_sizes_of_res_ae() -> None:
    found = shapes(build(ResAE(), IMAGE), torch.rand(1, *IMAGE))
    sizes = [(8, 128, 513), (8, 32, 128), (8, 8, 32)]
    assert [s for kind, s in found if kind == "Conv2d"] == [*sizes, sizes[1], sizes[0], sizes[0]]
    assert [s for kind, s in found if kind == "Linear"] == [(512,), (32,), (512,), (2048,)]


@pytest.mark.parametrize("spec", [AE(), ResAE()])
@pytest.mark.parametrize("size", [(16, 16), (17, 19), (30, 47), (31, 33)])
def test_any_size_comes_back(spec: Any, size: tuple[int, int]) -> None:
    x = torch.rand(2, 1, *size)
    found = build(spec, (1, *size))(x)
    assert found.shape == x.shape
    assert found.min() > 0 and found.max() < 1


@pytest.mark.parametrize(("spec", "steps"), [(AE(), 150), (ResAE(units=64), 150)])
def test_they_learn_to_reconstruct(spec: Any, steps: int) -> None:
    """Better than the mean image, which is the best without knowledge of the sample."""
    at = torch.linspace(0, 3.14, 20)
    x = torch.stack([torch.outer(torch.sin(a * at), torch.cos(b * at)) for a in (1, 2, 3) for b in (1, 2)])
    x = ((x - x.min()) / (x.max() - x.min()))[:, None]
    constant = float(((x - x.mean(0)) ** 2).mean())
    model = build(spec, x.shape[1:])
    before = float(nn.functional.mse_loss(model.train()(x), x).detach())
    assert learns(model, x, x, 1e-2, steps, nn.MSELoss()) * before < 0.5 * constant


@pytest.mark.parametrize(("auto", "spec"), [(AE, AECls), (ResAE, ResAECls)])
@pytest.mark.parametrize("freeze", [True, False])
def test_a_classifier_starts_from_an_encoder(auto: Any, spec: Any, freeze: bool, tmp_path: Path) -> None:
    trained = build(auto(), (1, 32, 32))
    torch.save({"model": trained.state_dict()}, tmp_path / "best.pt")
    part = spec(path="best.pt", new_head=True, freeze=freeze, hidden=[7])
    model = zoo.build(part, (1, 32, 32), 3, tmp_path)
    zoo.load_weights(part, model, tmp_path)
    x = torch.rand(2, 1, 32, 32)
    assert torch.equal(model.eval().encoder(x), trained.eval().encoder(x))
    assert model(x).shape == (2, 3)
    latent = part.latent
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    head = latent * 7 + 7 + 7 * 3 + 3
    assert trainable == (head if freeze else head + parameters(trained.encoder))


def test_softmax_on_request() -> None:
    for spec in (AECls(output_activation="softmax"), ResAECls(output_activation="softmax")):
        found = build(spec, (1, 16, 16)).eval()(torch.rand(2, 1, 16, 16))
        assert torch.allclose(found.sum(1), torch.ones(2))
