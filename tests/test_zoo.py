"""Models: shapes, parameter counts, and the one importer for built-in and user's parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from zoo_lab import parameters

from labtui import data, zoo
from labtui.engine import layers
from labtui.errors import DataError, RecipeError
from labtui.recipe.data import DATASETS
from labtui.recipe.models import MODELS
from labtui.recipe.models.audio import CNN1D, CNN2D, STN, MixNet
from labtui.recipe.models.autoencoder import AE, AECls, ResAE, ResAECls
from labtui.recipe.models.cnn3d import CNN3D
from labtui.recipe.models.digits import DigitsCNN
from labtui.recipe.models.transformer import TransformerBase, TransformerCls
from labtui.recipe.models.video import Conv2DRNN, Conv3D
from labtui.recipe.spec import UserModel


@pytest.mark.parametrize(
    ("options", "outputs", "expected"),
    [
        ({}, 10, 985_870),  # the notebook's own figure
        ({"d_model": 256, "nhead": 16, "d_hid": 512, "nlayers": 6}, 3, 3_164_675),  # Paderborn
    ],
)
def test_transformer_cls_parameters(options: Any, outputs: int, expected: int) -> None:
    model = zoo.build(TransformerCls(**options), (40, 3), outputs, Path())
    assert parameters(model) == expected


@pytest.mark.parametrize("training", [True, False])
def test_transformer_cls_classifies_sequences(training: bool) -> None:
    spec = TransformerCls(d_model=15, nhead=3, d_hid=8, nlayers=2)  # odd width: cosines are fewer
    model = zoo.build(spec, (40, 3), 10, Path()).train(training)
    with torch.set_grad_enabled(training):
        assert model(torch.randn(4, 40, 3)).shape == (4, 10)


def test_transformer_cls_sees_order() -> None:
    torch.manual_seed(0)
    spec = TransformerCls(d_model=16, nhead=2, d_hid=8, nlayers=1)
    model = zoo.build(spec, (6, 3), 2, Path()).eval()
    x = torch.randn(1, 6, 3)
    assert not torch.allclose(model(x), model(x.flip(1)))


THREE: dict[str, Any] = {"channels": [5, 2, 1], "pools": 2}


@pytest.mark.parametrize(
    ("options", "steps", "outputs", "expected"),
    [
        ({}, 100, 9, 308),  # experiment 006, the notebook's own figure
        (THREE, 20, 12, 192),
        (THREE, 40, 12, 292),
        (THREE, 80, 12, 492),
        (THREE, 100, 12, 592),
        ({"channels": [5, 1], "pools": 2, "time": "depth", "dropout": 0.5}, 160, 3, 619),
    ],
)
def test_cnn3d_parameters(options: Any, steps: int, outputs: int, expected: int) -> None:
    model = zoo.build(CNN3D(**options), (steps, 5, 22, 1), outputs, Path())
    assert parameters(model) == expected
    assert model(torch.randn(2, steps, 5, 22, 1)).shape == (2, outputs)


def test_cnn3d_layers_are_the_notebooks() -> None:
    spec = CNN3D(output_activation="sigmoid")
    table = layers.table(zoo.build(spec, (100, 5, 22, 1), 9, Path()), torch.randn(1, 100, 5, 22, 1), (9,))
    rows = [(row["type"], row["output"], row["params"]) for row in table["rows"]]
    assert rows[1] == ("Conv3d", [1, 5, 22, 1], 101)
    assert rows[2:] == [
        ("MaxPool3d", [1, 2, 11, 1], 0),
        ("Flatten", [22], 0),
        ("Linear", [9], 207),
        ("Sigmoid", [9], 0),
    ]


def test_cnn3d_gives_logits_unless_told_otherwise() -> None:
    x = 100 * torch.randn(8, 100, 5, 22, 1)
    for activation, inside in (("none", False), ("sigmoid", True)):
        model = zoo.build(CNN3D(output_activation=activation), (100, 5, 22, 1), 9, Path())
        assert bool(((model(x) >= 0) & (model(x) <= 1)).all()) is inside


def test_cnn3d_has_no_more_pools_than_convolutions() -> None:
    with pytest.raises(ValueError, match="pools = 2 for 1 convolutions"):
        CNN3D(pools=2)


def test_digits_cnn_shapes() -> None:
    model = zoo.build(DigitsCNN(channels=4, hidden=8), (1, 8, 8), 10, Path())
    assert model(torch.rand(3, 1, 8, 8)).shape == (3, 10)


@pytest.mark.parametrize(
    ("spec", "shape", "message"),
    [
        (TransformerCls(), (1600, 1), "set model.max_len = 1601"),
        (TransformerCls(), (1, 8, 8), "needs sequences"),
        (TransformerBase(), (501, 1), "set model.max_len = 501"),
        (DigitsCNN(), (40, 3), "needs images"),
        (CNN3D(), (1, 8, 8), "needs maps over time"),
        (CNN3D(channels=[1, 1, 1], pools=3), (20, 5, 22, 1), "pools = 3 leaves nothing"),
        (CNN1D(), (2, 4096), r"cnn1d needs waves of one channel \(1, samples\), got \(2, 4096\)"),
        (CNN1D(), (100,), "pools all 100 samples away: take longer clips"),
        (CNN2D(), (1, 3, 64), "cnn2d needs spectrograms .* at least 4 frames and 1 bins"),
        (STN(), (128, 513), "stn needs spectrograms"),
        (MixNet(), (128 * 513,), "more than 65664 numbers"),
        (MixNet(frames=8, bins=4), (4128,), "model.pool = 125 is more than the 17 frames .* 4096 samples"),
        (MixNet(frames=3, bins=4, pool=1), (4128,), "model.frames = 3 is too few"),
        (AE(), (1, 8, 64), "ae needs spectrograms .* at least 9 frames"),
        (AECls(), (1, 8, 64), "ae needs spectrograms"),
        (ResAE(), (1, 64, 15), "res_ae needs spectrograms .* 16 bins"),
        (ResAECls(), (1, 64, 15), "res_ae needs spectrograms"),
        (Conv3D(), (3, 15, 64, 64), "conv3d needs videos .* at least 16 frames of 16×16"),
        (Conv2DRNN(), (3, 1, 16, 15), "conv2d_rnn needs videos .* or fewer model.channels"),
    ],
)
def test_shapes_that_do_not_fit(spec: Any, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        zoo.build(spec, shape, 10, Path())


def taken(path: str) -> set[str]:
    """The parameters of a builder; those of a `**rest: Unpack[Table]` one by one."""
    import inspect
    from typing import get_args, get_type_hints

    from labtui.files import factory

    builder = factory.load(path)
    called = builder.__init__ if inspect.isclass(builder) else builder
    names = set()
    for name, parameter in inspect.signature(builder).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            (table,) = get_args(get_type_hints(called)[name])
            names |= set(get_type_hints(table))
        else:
            names.add(name)
    return names


def test_every_spec_names_its_builder_and_all_its_options() -> None:
    for spec in (*DATASETS, *MODELS):
        given = set(spec.model_fields) - spec.beside
        assert given == taken(spec.factory_path) - {"root", "shape", "outputs"}, spec.__name__


OWN = """
import torch
from torch import nn
from labtui.data import Dataset

def line(shape, outputs, bias=True):
    return nn.Linear(shape[0], outputs, bias=bias)

def blob(root, n=6):
    return Dataset(torch.zeros(n, 2), torch.arange(n) % 2, "classes", ["a", "b"])

def far(root):
    return Dataset(torch.zeros(3, 2), torch.tensor([0, 1, 2]), "classes", ["a", "b"])

def nan(root):
    return Dataset(torch.full((2, 2), float("nan")), torch.tensor([0, 1]), "classes", ["a", "b"])

def short(root):
    lengths = torch.tensor([2, 0])
    return Dataset(torch.zeros(2, 2), torch.tensor([0, 1]), "classes", ["a", "b"], lengths=lengths)

def nothing(*anything):
    return None

number = 3
"""


def own(factory: str, **options: Any) -> UserModel:
    return UserModel(factory=f"own_parts:{factory}", **options)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import sys

    (tmp_path / "own_parts.py").write_text(OWN)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "own_parts", raising=False)
    return tmp_path


def test_own_parts_come_from_the_lab(lab: Path) -> None:
    dataset = data.build(own("blob", n=4), lab)
    assert (len(dataset), dataset.shape, dataset.outputs) == (4, (2,), 2)
    assert parameters(zoo.build(own("line", bias=False), (2,), 2, lab)) == 4


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (UserModel(factory="no_such_module:f"), "cannot import 'no_such_module'.*No module named"),
        (own("no_such"), "has no 'no_such'"),
        (own("number"), "is of type int, not callable"),
        (own("line", width=3), "unexpected keyword argument 'width'.*gives width"),
        (own("nothing"), "returned a NoneType, expected a torch.nn.Module"),
    ],
)
def test_broken_models_are_named(lab: Path, part: UserModel, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        zoo.build(part, (2,), 2, lab)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (own("nothing"), "returned a NoneType, expected a labtui.data.Dataset"),
        (own("far"), "y goes from 0 to 2, but there are 2 classes"),
        (own("nan"), "NaN or infinite"),
        (own("short"), r"lengths must be \(2,\) numbers of 1 or more"),
        (own("blob", n=0), "no samples"),
    ],
)
def test_broken_data_is_named(lab: Path, part: UserModel, message: str) -> None:
    with pytest.raises(DataError, match=message):
        data.build(part, lab)


ROW = (4096 + 20 * 24,)


@pytest.mark.parametrize(
    ("spec", "shape", "expected"),
    [
        (CNN1D(), (1, 4096), (5,)),
        (CNN2D(channels=4), (1, 20, 24), (5,)),
        (STN(channels=4), (1, 20, 24), (5,)),
        (MixNet(channels=4, frames=20, bins=24, pool=8), ROW, (5,)),
        (AE(), (1, 20, 24), (1, 20, 24)),
        (AECls(), (1, 20, 24), (5,)),
        (ResAE(), (1, 20, 24), (1, 20, 24)),
        (ResAECls(), (1, 20, 24), (5,)),
        (Conv3D(channels=[2, 2]), (3, 4, 8, 8), (5,)),
        (Conv2DRNN(channels=[2, 2]), (3, 4, 8, 8), (5,)),
    ],
)
def test_the_layer_table_is_of_all_parameters(
    spec: Any, shape: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    model = zoo.build(spec, shape, 5, Path())
    found = layers.table(model, torch.rand(1, *shape), expected)
    assert sum(row["params"] for row in found["rows"]) == found["parameters"] == parameters(model)
