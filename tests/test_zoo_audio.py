"""Networks for waves and spectrograms: the genre notebook's counts and lengths, and what options do."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from zoo_lab import build, learns, parameters, shapes

from labtui import zoo
from labtui.recipe.models.audio import CNN1D, CNN2D, STN, MixNet

SAMPLES, FRAMES, BINS = 2**18, 128, 513
WAVE, IMAGE, ROW = (1, SAMPLES), (1, FRAMES, BINS), (SAMPLES + FRAMES * BINS,)

SMALL: dict[str, Any] = {"frames": 8, "bins": 6, "channels": 4, "pool": 5, "hidden": [3]}
"""Of a `MixNet` for 4,096 samples, of which the wave's branch makes 17 frames."""
SMALL_ROW = (4096 + 8 * 6,)


@pytest.mark.parametrize(
    ("spec", "shape", "expected"),
    [
        (CNN1D(), WAVE, 159_128),
        (CNN2D(), IMAGE, 1_252_162),
        (MixNet(), ROW, 1_498_200),
        (STN(), IMAGE, 2_365_842),
        (STN(skip=True), IMAGE, 2_365_842),
        (CNN1D(layers=3), WAVE, 159_128 - 65_920 - 128 * 128),  # one stage and half of the pooled values less
        (CNN2D(), (1, FRAMES, 128), 1_252_162 - 4 * (513 - 128) * 256),  # fewer mels
        (CNN2D(residual=False), IMAGE, 1_252_162),
    ],
)
def test_parameters(spec: Any, shape: tuple[int, ...], expected: int) -> None:
    assert parameters(build(spec, shape, 8)) == expected


def test_lengths_of_cnn1d() -> None:
    found = shapes(build(CNN1D(), WAVE, 8), torch.zeros(1, *WAVE))
    assert [shape for kind, shape in found if kind in ("Conv1d", "MaxPool1d")] == [
        *((16, 8193), (16, 2048), (32, 1025), (32, 512)),
        *((64, 257), (64, 128), (128, 65)),
    ]
    assert [shape for kind, shape in found if kind == "Linear"] == [(128,), (64,), (8,)]


def test_lengths_of_cnn2d() -> None:
    found = shapes(build(CNN2D(), IMAGE, 8), torch.zeros(1, *IMAGE))
    assert [s for kind, s in found if kind == "Conv2d"] == [(256, n, 1) for n in (125, 126, 125)]
    assert [s for kind, s in found if kind == "Linear"] == [(300,), (150,), (8,)]


def test_lengths_of_mixnet() -> None:
    model = build(MixNet(), ROW, 8)
    assert model.wave.frames(SAMPLES) == 1025
    found = shapes(model, torch.zeros(1, *ROW))
    assert [s for kind, s in found if kind == "Conv1d"] == [(16, 8193), (32, 4097), (64, 2049), (128, 1025)]
    assert not any(kind in ("MaxPool1d", "Dropout2d") for kind, _ in found)
    assert [s for kind, s in found if kind in ("Dropout", "Linear")] == [(2 * 128 * 8 + 512,), (128,), (8,)]


def test_lengths_of_stn() -> None:
    found = shapes(build(STN(), IMAGE, 8), torch.zeros(1, *IMAGE))
    assert found[5] == ("ReLU", (10, 28, 124))
    assert [s for kind, s in found if kind == "Linear"][:2] == [(32,), (6,)]


@pytest.mark.parametrize("shape", [(4096,), (1, 4096), (4096, 1)])
def test_waves_with_and_without_a_channel(shape: tuple[int, ...]) -> None:
    model, x = build(CNN1D(), shape).eval(), torch.randn(3, 4096)
    assert torch.equal(model(x.view(3, *shape)), model(x))


@pytest.mark.parametrize(("spec", "long"), [(CNN1D(), (65_536,)), (CNN2D(channels=4), (1, 52, 9))])
def test_padding_does_not_count(spec: Any, long: tuple[int, ...]) -> None:
    """Of samples that are padded to four times their length, the second half may hold anything."""
    model, x = build(spec, long).eval(), torch.randn(2, *long)
    time = 1 + long.index(max(long))
    quarter = torch.full((2,), x.shape[time] // 4)
    loud = x.clone()
    loud.chunk(2, time)[1].add_(100)
    assert torch.allclose(model(x, quarter), model(loud, quarter), atol=1e-6)
    assert not torch.allclose(model(x), model(loud), atol=1e-2)
    assert torch.allclose(model(x, 4 * quarter), model(x), atol=1e-6)


def test_cnn2d_adds_its_first_convolution() -> None:
    x = torch.randn(2, 1, 20, 6)
    with_skip, without = (build(CNN2D(channels=4, residual=r), x.shape[1:]).eval() for r in (True, False))
    without.load_state_dict(with_skip.state_dict())
    first = with_skip.first(x).squeeze(3)
    values = [super(type(m), m).forward(x) for m in (with_skip, without)]
    assert torch.allclose(values[0] - first, values[1], atol=1e-6)


def test_stn_begins_as_the_identity() -> None:
    x = torch.randn(2, 1, 30, 40)
    model = build(STN(channels=4), x.shape[1:]).eval()
    assert torch.allclose(model.resample(x), x, atol=1e-4)
    skipped = build(STN(channels=4, skip=True), x.shape[1:]).eval()
    assert torch.allclose(skipped(x), model(2 * x), atol=1e-4)


def test_stn_learns_where_to_look() -> None:
    x = torch.randn(2, 1, 30, 40)
    model = build(STN(channels=4), x.shape[1:])
    model(x).sum().backward()
    assert model.map[-1].weight.grad.abs().sum() > 0


def test_mixnet_sees_wave_and_spectrogram() -> None:
    model, x = build(MixNet(**SMALL), SMALL_ROW).eval(), torch.randn(2, *SMALL_ROW)
    for part in (slice(0, 4096), slice(4096, None)):
        other = x.clone()
        other[:, part] = 0
        assert not torch.allclose(model(x), model(other))


def test_mixnet_starts_from_two_trained_networks(tmp_path: Path) -> None:
    wave, spectrogram = build(CNN1D(), (4096,), 3), build(CNN2D(channels=4), (1, 8, 6), 7)
    for name, trained in (("wave", wave), ("spectrogram", spectrogram)):
        for buffer in trained.buffers():
            buffer += 1
        torch.save({"model": trained.state_dict()}, tmp_path / f"{name}.pt")
    spec = MixNet(**SMALL, wave_path="wave.pt", spectrogram_path="spectrogram.pt", freeze=True)
    model = build(spec, SMALL_ROW)
    head = [weight.clone() for weight in model.head.parameters()]
    zoo.load_weights(spec, model, tmp_path)
    for branch, trained in ((model.wave, wave), (model.spectrogram, spectrogram)):
        assert all(torch.equal(v, trained.state_dict()[k]) for k, v in branch.state_dict().items())
    assert all(torch.equal(a, b) for a, b in zip(head, model.head.parameters(), strict=True))
    assert {n.partition(".")[0] for n, p in model.named_parameters() if p.requires_grad} == {"head"}


def test_mixnet_has_one_start() -> None:
    with pytest.raises(ValidationError, match="give `path`, or `wave_path`"):
        MixNet(path="a.pt", wave_path="b.pt")


@pytest.mark.parametrize("spec", [CNN1D, CNN2D])
def test_softmax_twice_has_a_floor(spec: Any) -> None:
    """The notebook's flaw: the best loss with 8 classes is 1.274, and all-equal is chance, 2.079."""
    shape = (4096,) if spec is CNN1D else (1, 8, 6)
    probabilities = build(spec(output_activation="softmax"), shape, 8).eval()(torch.randn(2, *shape))
    assert torch.allclose(probabilities.sum(1), torch.ones(2))
    sure, unsure = torch.eye(8)[:1], torch.full((1, 8), 1 / 8)
    loss, target = nn.CrossEntropyLoss(), torch.tensor([0])
    assert round(float(loss(sure, target)), 3) == round(math.log(1 + 7 / math.e), 3) == 1.274
    assert round(float(loss(unsure, target)), 3) == 2.079
    assert not isinstance(build(spec(), shape, 8).head[-1], nn.Softmax)


def test_weights_begin_as_said() -> None:
    def first(how: str) -> Tensor:
        weights: Tensor = build(CNN2D(channels=64, init=how), (1, 8, 64)).first[0].weight
        return weights.detach()

    fan_in, fan_out = 4 * 64, 4 * 64 * 64
    limit = math.sqrt(6 / (fan_in + fan_out))
    assert 0.99 * limit < first("xavier_uniform").abs().max() <= limit
    assert float(first("kaiming_normal").std()) == pytest.approx(math.sqrt(2 / fan_in), rel=0.02)
    assert 0.99 / math.sqrt(fan_in) < first("default").abs().max() <= 1 / math.sqrt(fan_in)
    assert torch.equal(first("xavier_uniform"), build(CNN2D(channels=64), (1, 8, 64)).first[0].weight)


def test_sigmoid_instead_of_relu() -> None:
    for spec, shape in ((CNN1D(activation="sigmoid"), (4096,)), (CNN2D(activation="sigmoid"), (1, 8, 6))):
        kinds = [type(layer) for layer in build(spec, shape).modules()]
        assert kinds.count(nn.Sigmoid) in (3, 4)


@pytest.mark.parametrize("spec", ["cnn1d", "cnn2d", "stn", "mixnet"])
def test_they_learn(spec: str) -> None:
    """Low tones from high ones; spectrograms with the energy below from those with it above."""
    y = torch.arange(16) % 2
    wave = torch.sin(torch.linspace(0, 1, 4096) * (200 + 600 * y)[:, None])
    image = torch.rand(16, 1, 20, 20)
    image[y == 1, :, :, :10] += 1
    models: dict[str, Any] = {
        "cnn1d": (CNN1D(dropout=0.0), wave),
        "cnn2d": (CNN2D(channels=8, dropout=0.0, hidden=[8]), image),
        "stn": (STN(channels=8, dropout=0.0, hidden=[8]), image),
        "mixnet": (
            MixNet(frames=20, bins=20, channels=8, pool=5, dropout=0.0, hidden=[8]),
            torch.cat([wave, image.flatten(1)], 1),
        ),
    }
    part, x = models[spec]
    assert learns(build(part, x.shape[1:], 2), x, y, 3e-3, 30, nn.CrossEntropyLoss()) < 0.3
