"""The tabs of a run that show its model's inside, and what is wrong with it: weights, embedding, diagnosis."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot
from tui_lab import NOW, add_run
from tui_pilot import opened, screen, screen_text, tab_key, until

from labtui.diagnose import Diagnosis, Finding
from labtui.files.paths import LabPaths
from labtui.plots.parts import Look
from labtui.query import Lab
from labtui.tui.app import LabApp
from labtui.tui.diagnosing import diagnosis_rows
from labtui.tui.inside import checked, histogram, legend, strip
from labtui.tui.scatter import scatter, views
from labtui.tui.screens.run import RunScreen

LAYERS = ["conv1.weight", "conv1.bias", "[b]x\x1b[2J.weight", "head.weight"]
SIZES = [(80, 24), (160, 48)]


def weights(looks: int = 12) -> dict[str, Any]:
    """Arrays as a run keeps them: weights that spread, gradients that vanish in the first layer."""
    time, layer = np.arange(looks)[:, None], np.arange(len(LAYERS))[None, :]
    grad = np.exp(-0.1 * time) * np.array([1e-6, 0.1, 0.5, 1.0])[None, :]
    grad[0] = np.nan
    spread = 0.2 + 0.05 * time + 0.1 * layer
    bell = np.exp(-(np.linspace(-2.5, 2.5, 40) ** 2))
    counts = np.broadcast_to((1000 * bell).astype(np.uint16), (looks, len(LAYERS), 40))
    return {
        "steps": np.arange(looks) * 20,
        "layers": np.array(LAYERS),
        "weight_norm": 5 + spread,
        "grad_norm": grad,
        "update_ratio": grad / 1000,
        "weight_range": np.stack([-spread, spread], axis=2),
        "weight_counts": counts,
        "grad_range": np.stack([-grad, grad], axis=2),
        "grad_counts": np.where(np.isnan(grad)[:, :, None], 0, counts),
    }


def embedding(n: int = 120) -> dict[str, Any]:
    """Three heaps, a few samples of which are taken for others."""
    noise, y = np.random.default_rng(0), np.arange(n) % 3
    points = noise.normal(size=(n, 2)) + 5 * np.stack([np.cos(2 * y), np.sin(2 * y)], axis=1)
    prediction = np.where(np.arange(n) % 17 == 0, (y + 1) % 3, y)
    return {"index": np.arange(n), "y": y, "prediction": prediction, "pca": points, "tsne": points[:, ::-1]}


@pytest.fixture
def lab(tmp_path: Path) -> LabPaths:
    """A run with everything, before it one without anything."""
    lab = LabPaths(tmp_path)
    lab.recipes.mkdir(parents=True)
    add_run(lab, "without", 7200, extra={"train": {"epochs": 20, "statistics": 0}})
    key = add_run(lab, "with", 3600, seed=1)
    folder = lab.run(key).artifacts
    folder.mkdir()
    np.savez(folder / "weights.npz", **weights())
    np.savez(folder / "embedding.npz", **embedding())
    (folder / "data.json").write_text(json.dumps({"classes": ["inner race", "滚动体", "[b]normal"]}))
    counts = [[30, 10, 0], [0, 40, 0], [20, 20, 0]]
    confusion = {"classes": ["inner race", "滚动体", "[b]normal"], "val": {"matrix": counts}}
    (folder / "confusion.json").write_text(json.dumps(confusion))
    return lab


async def tab(pilot: Pilot[None], title: str) -> Any:
    """Open a tab of the newest run."""
    if not isinstance(pilot.app.screen, RunScreen):
        await pilot.press("enter")
    await pilot.press(tab_key(title))
    await until(pilot, lambda: getattr(screen(pilot, RunScreen).tab, "TITLE", "") == title)
    return screen(pilot, RunScreen).tab


async def test_weights_and_gradients_are_shown_layer_by_layer(lab: LabPaths) -> None:
    async with opened(lab) as pilot:
        open_tab = await tab(pilot, "weights")
        await until(pilot, lambda: "weights of conv1.weight" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert "gradient norm, step 0 to 220" in text and "12 looks downwards" in text
        assert "\x1b" not in text and "[b]x␛[2J.weight" in text
        await pilot.press("j", "j", "j", "d")
        await until(pilot, lambda: "gradient of head.weight" in screen_text(pilot.app))
        assert "11 looks downwards" in screen_text(pilot.app)
        for said in ("update ratio", "weight norm, each layer by itself", "gradient norm"):
            await pilot.press("v")
            await until(pilot, lambda said=said: said in screen_text(pilot.app))
        assert open_tab.table.key == "3"


async def test_new_looks_are_shown_as_they_come(lab: LabPaths) -> None:
    async with opened(lab) as pilot:
        open_tab = await tab(pilot, "weights")
        await until(pilot, lambda: open_tab.inside)
        folder = lab.run(open_tab.run).artifacts
        np.savez(folder / "weights.npz", **weights(15))
        await until(pilot, lambda: "15 looks downwards" in screen_text(pilot.app))


async def test_samples_are_shown_by_class(lab: LabPaths) -> None:
    async with opened(lab) as pilot:
        open_tab = await tab(pilot, "embedding")
        await until(pilot, lambda: "t-SNE of what the last layer sees" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert "8 of 120 taken for another class" in text
        assert all(name in text for name in ("inner race", "滚动体", "[b]normal"))
        assert text.count("×") > 3
        await pilot.press("v")
        await until(pilot, lambda: "principal components" in screen_text(pilot.app))
        await pilot.press("j", "space")
        assert open_tab.single == "1"
        await pilot.press("space")
        assert open_tab.single == ""


async def test_what_is_wrong_is_told_in_the_title_and_on_a_tab(lab: LabPaths) -> None:
    async with opened(lab) as pilot:
        await tab(pilot, "diagnosis")
        await until(pilot, lambda: "2 findings" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert "class '[b]normal' is never predicted" in text
        assert "1 of 3 layers get next to no gradient" in text
        assert "conv1.weight" in text and "asked: " in text


async def test_a_run_without_says_why(lab: LabPaths) -> None:
    async with opened(lab) as pilot:
        await pilot.press("j", "enter")
        for title in ("weights", "embedding"):
            await tab(pilot, title)
            await until(pilot, lambda: "train.statistics = 0" in screen_text(pilot.app))
        await tab(pilot, "diagnosis")
        await until(pilot, lambda: "nothing was found" in screen_text(pilot.app))
        assert "not asked: " in screen_text(pilot.app)


async def test_another_run_s_pictures_go_with_it(lab: LabPaths) -> None:
    async with opened(lab) as pilot:
        for title, there in (("weights", "conv1.weight"), ("embedding", "t-SNE")):
            await tab(pilot, title)
            await until(pilot, lambda there=there: there in screen_text(pilot.app))
            await pilot.press("escape", "j", "enter")
            await until(pilot, lambda: "train.statistics = 0" in screen_text(pilot.app))
            assert there not in screen_text(pilot.app)
            await pilot.press("escape", "k")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("title", ["weights", "embedding", "diagnosis"])
def test_pictures(lab: LabPaths, snap_compare: Any, title: str, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: pilot.app.snapshot.place)
        await tab(pilot, title)
        shown = {"weights": "looks downwards", "embedding": "taken for", "diagnosis": "asked: "}[title]
        await until(pilot, lambda: shown in screen_text(pilot.app) and "2 findings" in screen_text(pilot.app))
        await pilot.pause(0.3)

    app = LabApp(Lab(lab), now=lambda: NOW)
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize(
    "change",
    [
        {"steps": np.zeros(3)}, {"layers": np.zeros((12, 2))}, {"grad_norm": np.zeros(12)},
        {"weight_range": np.zeros((12, 4))}, {"weight_range": np.zeros((12, 4, 1))}, {"weight_counts": None},
        {"steps": np.array(["x"] * 12)}, {"grad_counts": np.full((12, 4, 40), "x")}, {"update_ratio": np.array(["x"])},
    ],
)  # fmt: skip
def test_arrays_of_another_form_are_not_drawn(change: dict[str, Any]) -> None:
    arrays = weights() | change
    assert checked({name: value for name, value in arrays.items() if value is not None}) is None


@given(
    st.integers(0, 200),
    st.integers(0, 60),
    st.sampled_from(["weight", "grad"]),
    st.integers(0, 3),
    st.booleans(),
)
def test_drawings_fit_any_room(width: int, height: int, which: str, layer: int, colored: bool) -> None:
    inside = checked(weights())
    assert inside is not None
    look = Look(width, colored=colored)
    rows = histogram(inside, which, layer, width, height, look)
    assert len(rows) <= max(height, 2)
    for row in rows[1:-1]:
        assert sum(len(text) for text, _ in row) <= max(width, 11)
    for view in ("grad_norm", "update_ratio", "weight_norm"):
        assert sum(len(text) for text, _ in strip(inside, view, layer, width, look)) == width
        assert legend(inside, view, look)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", bytes(100)])
def test_what_is_no_archive_is_not_there(tmp_path, data: bytes) -> None:
    lab = LabPaths(tmp_path)
    run = Lab(lab).run(add_run(lab, "one", 600))
    run.paths.artifacts.mkdir()
    (run.paths.artifacts / "weights.npz").write_bytes(data)
    assert run.artifact("weights") is None


def test_norms_that_are_no_numbers_leave_gaps() -> None:
    norms = weights()["weight_norm"].copy()
    norms[:, 0], norms[::2, 1] = np.nan, np.inf
    inside = checked(weights() | {"weight_norm": norms})
    assert inside is not None
    look = Look(12)
    assert strip(inside, "weight_norm", 0, 12, look) == [(" " * 12, "accent")]
    ((text, _),) = strip(inside, "weight_norm", 1, 12, look)
    assert text[::2].isspace() and " " not in text[1::2]


def test_without_colours_letters_tell_classes_apart() -> None:
    view = views({"embedding": embedding()})[0]
    text = "".join(text for row in scatter(view, 60, 20, None, False) for text, _ in row)
    assert {"A", "B", "C"} <= set(text)
    alone = "".join(text for row in scatter(view, 60, 20, 1, False) for text, _ in row)
    assert "B" in alone and not {"A", "C"} & set(alone)


def test_pictures_of_what_only_outputs_have() -> None:
    found = {
        "embeddings": {"y": np.arange(4), "tsne": np.zeros((4, 2)), "index": np.arange(4)},
        "embeddings_untrained": {"y": np.arange(4), "tsne": np.eye(4)[:, :2], "seen_tsne": np.zeros((3, 2))},
    }
    titles = [view.title for view in views(found)]
    assert titles == ["t-SNE of the outputs", "t-SNE of the outputs before the training"]
    for view in views(found):
        assert scatter(view, 20, 5, None, True)
    assert views({"embedding": {"y": np.zeros(2), "pca": np.full((2, 2), np.nan)}}) == []


def test_findings_are_text() -> None:
    found = Diagnosis((Finding("[b]a\x1b[2J", ("x\ny",), "z " * 100, "r"),), ("r",), ())
    text = "\n".join("".join(piece for piece, _ in row) for row in diagnosis_rows(found, 40))
    assert "\x1b" not in text and "[b]a␛[2J" in text and max(map(len, text.split("\n"))) <= 40
