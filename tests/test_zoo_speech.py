"""Speech and time-series models: the notebook's counts and frames, and that padding changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from labtui import zoo
from labtui.errors import RecipeError
from labtui.recipe.models.parts import Lstm, Transformer
from labtui.recipe.models.speech import (
    EncCNN1d,
    Frames,
    ResNet1d,
    ResNet18Image,
    ResNet18Time,
    SincNet,
    WavEncoder,
)
from labtui.recipe.models.timeseries import FCN, TimeLSTM, TimeResNet
from labtui.zoo import parts
from labtui.zoo.encoders import WavEncoder as Encoder
from labtui.zoo.sinc import SincConv

UNI, BI = Lstm(bidirectional=False), Lstm()
STUDENT = Transformer(nlayers=6, nhead=4, d_hid=512)
WAVE, COMPARE = (64_000,), (600, 130)


def build(spec: Any, shape: tuple[int, ...], outputs: int = 4) -> Any:
    torch.manual_seed(0)
    return zoo.build(spec, shape, outputs, Path())


def parameters(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize(
    ("spec", "shape", "expected"),
    [
        (WavEncoder(lstm=UNI), WAVE, 410_564),
        (WavEncoder(lstm=BI), WAVE, 526_276),
        (WavEncoder(channels=64, lstm=BI), WAVE, 1_422_468),
        (WavEncoder(channels=128, lstm=BI), (1, *WAVE), 4_873_732),
        (WavEncoder(channels=64, lstm=BI, dnn=[128, 128, 128]), WAVE, 1_472_004),
        *(
            (Frames(transformer=Transformer(nlayers=layers)), (60, 130), count)
            for layers, count in {1: 479_236, 2: 875_012, 3: 1_270_788, 4: 1_666_564, 6: 2_458_116}.items()
        ),
        (ResNet1d(lstm=BI), COMPARE, 3_528_516),
    ],
)
def test_parameters_of_the_notebook(spec: Any, shape: tuple[int, ...], expected: int) -> None:
    assert parameters(build(spec, shape)) == expected


def test_parameters_of_encoders() -> None:
    assert parameters(build(EncCNN1d(), COMPARE).encoder) == 1_381_760
    # torchvision's resnet18 without its last layer (512·1000 + 1000) has 11,176,512; one channel, not 3.
    assert parameters(build(ResNet18Image(), (128, 64)).encoder) == 11_176_512 - 2 * 64 * 49
    # Twice the first convolution's 512 make place for two cut-offs a filter.
    assert parameters(Encoder(32, None)) - parameters(Encoder(32, 16_000)) == 512 - 2 * 32


def test_parameters_of_time_series_models() -> None:
    # Of the authors' Keras programs for one channel and two classes.
    assert parameters(build(FCN(), (1, 150), 2)) == 264_962
    lstm = build(TimeLSTM(lstm=UNI), (12, 29), 9)
    assert parameters(lstm) == 4 * 128 * (12 + 128 + 2) + 128 * 9 + 9


@pytest.mark.parametrize("sinc", [None, 16_000])
def test_wav_encoder_gives_the_notebooks_frames(sinc: int | None) -> None:
    x: Tensor = torch.zeros(1, 1, 64_000)
    lengths: Tensor | None = torch.tensor([64_000])
    for step, frames in zip(Encoder(4, sinc).steps, (13_438, 2_238, 371, 60), strict=True):
        x, lengths = step(x, lengths)
        assert lengths is not None
        assert x.shape[2] == int(lengths) == frames


def test_sincnet_gives_the_notebooks_lengths() -> None:
    model = build(SincNet(lstm=BI), WAVE)
    net = model.encoder
    seen = []
    for layer in net.layers:
        if isinstance(layer, nn.MaxPool1d):
            layer.register_forward_hook(lambda module, given, out: seen.append(tuple(out.shape[1:])))
    with torch.no_grad():
        frames, counts = net(torch.randn(2, 64_000), torch.tensor([64_000, 5_000]))
    assert seen == [(80, 983), (60, 326), (60, 107)]
    assert frames.shape == (2, 39, 512)
    assert counts.tolist() == [39, 2]
    long = torch.randn(1, 100_000)
    assert net.eval()(long, None)[0].shape[1] == 40  # the rest is not seen


def test_sinc_filters_pass_their_band_alone() -> None:
    conv = SincConv(80, 251, 16_000)
    taps = conv.filters().detach()[:, 0]
    assert torch.equal(taps, taps.flip(1))
    assert (taps[:, 125] == 1).all()
    response = torch.fft.rfft(taps, 16_000).abs()  # one bin a hertz
    low = 50 + conv.low.abs().detach()
    middle = low + (50 + conv.band.abs().detach()) / 2
    for number in (40, 60, 79):  # bands wider than the window's own resolution
        band = response[number]
        assert abs(int(band.argmax()) - float(middle[number])) < float(conv.band[number].detach()) / 2 + 50
        assert band[int(middle[number])] > 100 * band[200]
    conv.filters().sum().backward()
    assert conv.low.grad is not None
    assert conv.low.grad.isfinite().all()


PADDED: dict[str, tuple[Any, tuple[int, ...], list[int]]] = {
    "wave": (WavEncoder(channels=4, lstm=BI), (9000,), [9000, 4001, 1]),
    "wave, uni, dnn, last": (
        WavEncoder(channels=4, lstm=UNI, dnn=[8], pooling="last"), (1, 9000), [9000, 4001, 1],
    ),
    "wave, sinc": (WavEncoder(channels=4, sinc=True, lstm=BI, pooling="mean"), (9000,), [9000, 17, 5000]),
    "wave, transformer": (WavEncoder(channels=4, transformer=Transformer(d_model=8)), (9000,), [9000, 4001, 9]),
    "sincnet": (SincNet(rate=4000, lstm=BI), (4000,), [4000, 900, 3]),
    "frames": (Frames(transformer=Transformer(d_model=8, nlayers=2)), (40, 6), [40, 13, 1]),
    "frames, last": (Frames(transformer=Transformer(d_model=8), pooling="last"), (40, 6), [40, 13, 1]),
    "frames, mean": (Frames(transformer=Transformer(d_model=8), pooling="mean"), (40, 6), [40, 13, 1]),
    "cnn1d": (EncCNN1d(channels=4), (90, 6), [90, 37, 1]),
    "cnn1d, transformer": (EncCNN1d(channels=4, transformer=Transformer(d_model=8)), (90, 6), [90, 37, 1]),
    "resnet1d v1": (ResNet1d(channels=4, lstm=BI), (90, 6), [90, 37, 1]),
    "resnet1d v2": (ResNet1d(channels=4, version=2, pooling="mean"), (90, 6), [90, 51, 2]),
    "resnet1d v3": (ResNet1d(channels=4, version=3, lstm=BI), (90, 6), [90, 33, 3]),
    "resnet18 1d": (ResNet18Time(channels=4), (90, 6), [90, 33, 1]),
    "resnet18 2d": (ResNet18Image(channels=4, pooling="mean"), (1, 90, 20), [90, 33, 1]),
    "resnet18 2d, lstm": (ResNet18Image(channels=4, keep_time=True, lstm=BI), (90, 20), [90, 33, 1]),
    "fcn": (FCN(channels=8), (3, 30), [30, 11, 1]),
    "time_resnet": (TimeResNet(channels=8), (3, 30), [30, 11, 1]),
    "time_lstm": (TimeLSTM(lstm=Lstm(layers=2)), (3, 30), [30, 11, 1]),
    "time_lstm, last": (TimeLSTM(lstm=UNI, pooling="last"), (3, 30), [30, 11, 1]),
}  # fmt: skip
"""A small model of each kind, a sample's shape, and three lengths, one of them the whole."""


def cut(x: Tensor, axis: int, length: int) -> Tensor:
    return x.narrow(axis, 0, length)


@pytest.mark.parametrize("name", PADDED)
def test_padding_never_changes_a_result(name: str) -> None:
    spec, shape, lengths = PADDED[name]
    model = build(spec, shape)
    axis = 1 + max(range(len(shape)), key=lambda place: shape[place])
    x = torch.randn(3, *shape)
    model.train()
    # Running statistics, scales and shifts of norms that are not 0 and 1.
    for _ in range(2):
        model(x)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    model.eval()
    padded = x.clone()
    for row, length in zip(padded, lengths, strict=True):
        row.narrow(axis - 1, length, shape[axis - 1] - length).fill_(float("nan"))  # must not be looked at
    longer = torch.cat([padded, torch.full_like(padded, 1e3)], dim=axis)
    for grad in (False, True):  # attention has a way of its own without gradients
        with torch.set_grad_enabled(grad):
            together = model(padded, torch.tensor(lengths))
            alone = [model(cut(x[i : i + 1], axis, n)) for i, n in enumerate(lengths)]
            counted = [model(cut(x[i : i + 1], axis, n), torch.tensor([n])) for i, n in enumerate(lengths)]
            more = model(longer, torch.tensor(lengths))
        assert together.isfinite().all()
        torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(together, torch.cat(counted), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(together, more, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(together[1], model(x)[1], rtol=1e-3)  # the test would see a difference


@pytest.mark.parametrize("name", PADDED)
def test_training_with_lengths_reaches_all_weights(name: str) -> None:
    spec, shape, lengths = PADDED[name]
    model = build(spec, shape, 3).train()
    nn.functional.cross_entropy(
        model(torch.randn(3, *shape), torch.tensor(lengths)), torch.tensor([0, 1, 2])
    ).backward()
    gradients = {name: weight.grad for name, weight in model.named_parameters()}
    assert [name for name, grad in gradients.items() if grad is None or not grad.isfinite().all()] == []


@pytest.mark.parametrize("name", PADDED)
def test_mixed_precision_trains_and_keeps_lengths(name: str) -> None:
    spec, shape, lengths = PADDED[name]
    model = build(spec, shape, 3).train()
    x, counts = torch.randn(3, *shape), torch.tensor(lengths)
    with torch.autocast("cpu", torch.bfloat16):
        nn.functional.cross_entropy(model(x, counts), torch.tensor([0, 1, 2])).backward()
        with torch.no_grad():
            mixed = model.eval()(x, counts)
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in model.parameters())
    with torch.no_grad():
        torch.testing.assert_close(mixed.float(), model(x, counts), rtol=0.1, atol=0.1)


def test_the_student_exposes_its_layers() -> None:
    model = build(EncCNN1d(transformer=STUDENT), (160, 130)).eval()
    x, lengths = torch.randn(2, 160, 130), torch.tensor([160, 50])
    shown = model.expose(x, lengths)
    assert [state.shape for state in shown.states] == [(2, 10, 256)] * 6
    assert shown.lengths is not None
    assert shown.lengths.tolist() == [10, 4]
    torch.testing.assert_close(shown.pooled, parts.pool(shown.states[-1], shown.lengths, "max"))
    torch.testing.assert_close(shown.logits, model(x, lengths))
    assert not torch.equal(*(layer.linear1.weight for layer in model.context.layers[:2]))


def test_a_transformer_over_frames_does_not_see_their_order() -> None:
    model = build(Frames(transformer=Transformer(d_model=8), pooling="mean"), (6, 3)).eval()
    x = torch.randn(1, 6, 3)
    torch.testing.assert_close(model(x), model(x.flip(1)))


def test_pooling_over_own_frames() -> None:
    x = torch.tensor([[[-3.0], [-1.0], [9.0]], [[1.0], [2.0], [3.0]]])
    lengths = torch.tensor([2, 3])
    own: dict[parts.Pooling, list[float]] = {"max": [-1, 3], "mean": [-2, 2], "last": [-1, 3]}
    every: dict[parts.Pooling, list[float]] = {"max": [9, 3], "mean": [5 / 3, 2], "last": [9, 3]}
    for how, values in own.items():
        torch.testing.assert_close(parts.pool(x, lengths, how)[:, 0], torch.tensor(values).float())
        torch.testing.assert_close(parts.pool(x, None, how)[:, 0], torch.tensor(every[how]).float())


def test_the_flawed_head_gives_no_negative_logits() -> None:
    x = torch.randn(64, 20, 6)
    flawed = build(Frames(activate_logits=True), (20, 6))
    assert (flawed(x) >= 0).all()
    assert (flawed(x) == 0).any()  # dropout, and ReLU
    assert (build(Frames(), (20, 6))(x) < 0).any()
    assert parameters(flawed) == parameters(build(Frames(), (20, 6)))


@pytest.mark.parametrize("how", ["normal", "xavier_normal", "xavier_uniform", "kaiming_normal", "orthogonal"])
def test_inits(how: Any) -> None:
    model = build(Frames(transformer=Transformer(), init=how), (60, 130))
    weights = dict(model.named_parameters())
    assert all((weight == 0).all() for name, weight in weights.items() if name.endswith("bias"))
    assert (weights["context.layers.0.norm1.weight"] == 1).all()
    embed = weights["context.embed.weight"].detach()
    expected = {
        "normal": 0.02,
        "xavier_normal": 0.02 * (2 / (130 + 256)) ** 0.5,
        "xavier_uniform": (2 / (130 + 256)) ** 0.5,
        "kaiming_normal": (2 / 130) ** 0.5,
        "orthogonal": (1 / 256) ** 0.5,
    }
    assert float(embed.std()) == pytest.approx(expected[how], rel=0.05)
    assert build(Frames(lstm=BI, init=how), (60, 130)).context.lstm.bias_hh_l0.eq(0).all()


def test_init_leaves_the_cut_offs_of_sinc_filters() -> None:
    plain, given = (
        build(WavEncoder(sinc=True, channels=4, init=how), WAVE) for how in ("default", "kaiming_normal")
    )
    assert torch.equal(plain.encoder.steps[0].layer.low, given.encoder.steps[0].layer.low)
    assert not torch.equal(plain.head[0].weight, given.head[0].weight)


@pytest.mark.parametrize(
    ("spec", "shape", "message"),
    [
        (WavEncoder(), (600, 130), "wav_encoder needs waveforms"),
        (SincNet(), (2, 64_000), "sincnet needs waveforms"),
        (Frames(), (64_000,), "frames needs feature frames"),
        (FCN(), (64_000,), "fcn needs time series"),
    ],
)
def test_shapes_that_do_not_fit(spec: Any, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        build(spec, shape)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (WavEncoder, {"lstm": Lstm(), "transformer": Transformer()}, "lstm or transformer, not both"),
        (SincNet, {"kernel": 250}, "must be odd"),
        (SincNet, {"rate": 1000}, "window = 0.2 has 200 samples"),
        (Transformer, {"nhead": 3}, "nhead = 3 must divide"),
    ],
)
def test_options_that_do_not_fit(kind: Any, options: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        kind(**options)


def test_the_shortest_window_of_sincnet() -> None:
    spec = SincNet(rate=1000, window=0.325, shift=0.1)  # 251 + 74 samples
    assert build(spec, (700,)).eval()(torch.randn(2, 700)).shape == (2, 4)


@pytest.mark.parametrize("name", PADDED)
def test_every_model_has_a_layer_table(name: str) -> None:
    from labtui.engine.layers import table

    spec, shape, _ = PADDED[name]
    model = build(spec, shape)
    found = table(model, torch.randn(1, *shape), (4,))
    assert found["parameters"] == parameters(model) == sum(row["params"] for row in found["rows"])
