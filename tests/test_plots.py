"""Drawings of analyses: every row exact in width, no input breaks them, pictures the same bytes."""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import analysis_lab
import numpy as np
import pytest
import sweep_lab
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_analysis import odd, odd_rows

from labtui import plots
from labtui.cells import width as width_of
from labtui.errors import LabtuiError
from labtui.plots.parts import Look, figures, short_names, ticks
from labtui.query.analysis import Analysis, analyse, metrics_of
from labtui.query.correlation import correlations
from labtui.query.importance import Importance
from labtui.query.parameters import parameter
from labtui.query.slices import heat, telling
from labtui.report.drawing import DRAWINGS, picture
from labtui.rows import Row, painted

GOLDEN = Path(__file__).parent / "golden"
GRID = analyse(analysis_lab.gestures())


def drawings(found: Analysis, look: Look, height: int = 20) -> dict[str, list[Row]]:
    """All but the importances."""
    out = {
        "parallel": plots.parallel_rows(found, look, height),
        "slice": plots.slices_rows(found, look),
        "correlation": plots.correlation_rows(correlations(found.parameters, metrics_of(found)), look),
    }
    pair = telling(found)[:2]
    if len(pair) == 2:
        out["heat"] = plots.heat_rows(heat(found, *pair), found.metric, found.goal, look)
    return out


def widths(rows: list[Row]) -> set[int]:
    return {sum(width_of(text) for text, _ in row) for row in rows}


@pytest.mark.parametrize("look", [Look(80, False), Look(80, False, ascii=True), Look(160, True)], ids=str)
def test_golden_drawings(look):
    """Run with LABTUI_GOLDEN=write to take the drawings as they are now."""
    shares = {"optimizer.name": 0.9012, "train.epochs": 0.0871, "schedule.factor": 0.0117}
    bars = plots.importance_rows(Importance("fANOVA", 24, shares, 0.9, ""), look)
    found = {**drawings(GRID, look), "importance": bars}
    color = "256" if look.colored else "none"
    text = "\n\n".join("\n".join([f"{name}:", *painted(rows, color)]) for name, rows in found.items()) + "\n"
    golden = GOLDEN / f"analysis-{look.width}{'-ascii' if look.ascii else ''}.txt"
    if os.environ.get("LABTUI_GOLDEN") == "write":
        golden.write_text(text)
    assert text == golden.read_text()
    assert all(widths(rows) == {look.width} for rows in found.values())
    if look.ascii:
        assert text.replace("–", "").isascii()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(odd_rows, st.integers(8, 120), st.integers(5, 50), st.booleans(), st.booleans())
def test_every_drawing_has_exactly_its_width(rows, width, height, colored, ascii):
    try:
        found = analyse(odd(rows))
    except LabtuiError:
        assume(False)
    assume(found.parameters)
    look = Look(width, colored, ascii)
    shown = drawings(found, look, height)
    shares = {one.name: 1 / len(found.parameters) for one in found.parameters}
    shown["importance"] = plots.importance_rows(Importance("fANOVA", 9, shares, 0.5, ""), look)
    for name, drawn in shown.items():
        assert widths(drawn) <= {width}, name
        assert not any("\x1b" in text or "\n" in text for row in drawn for text, _ in row)
    assert len(shown["parallel"]) == height


def test_the_best_lines_are_on_top_and_told_apart():
    bright, stars = drawings(GRID, Look(80))["parallel"], drawings(GRID, Look(80, False))["parallel"]
    assert {style for row in bright for _, style in row} >= {"#fde725", "#3b528b"}
    assert not any(style.startswith("#") for row in stars for _, style in row)
    first = "".join(text for text, _ in stars[1])
    assert first.startswith("├Nadam ****") and "├50 ***" in first


def test_what_has_no_room_is_counted():
    rows = [
        analysis_lab.row(
            i, {f"k{j}": (i * 7 + j * 3) % 5 + i % (j + 2) for j in range(12)}, {"val.acc": i / 40}
        )
        for i in range(40)
    ]
    found = analyse(rows)
    note = "".join(text for text, _ in plots.parallel_rows(found, Look(60), 20)[-1])
    assert re.search(r"\d more keys: --keys", note)
    words = [analysis_lab.row(i, {"w": f"w{i % 20}", "v": i % 3}, {"val.acc": i / 60}) for i in range(60)]
    text = plots.heat_rows(heat(analyse(words), "w", "v"), "val.acc", "max", Look(60))
    assert any("more columns; a picture" in part for row in text for part, _ in row)


def test_names_are_cut_to_what_tells_them_apart():
    assert short_names(["optimizer.lr", "model.head.lr", "train.epochs"]) == [
        "optimizer.lr",
        "head.lr",
        "epochs",
    ]
    assert short_names(["a.b", "b", "c.b"]) == ["a.b", "b", "c.b"]
    assert short_names([]) == [] and short_names(["a", "a"]) == ["a", "a"]


def test_ticks_are_values_of_grids_and_round_numbers_of_ranges():
    assert [t for _, t in ticks(parameter("k", [1e-4, 1e-3, 1e-2]), 5)] == ["1e-4", "0.001", "0.01"]
    assert [t for _, t in ticks(parameter("k", list(range(100))), 5)] == ["0", "20", "40", "60", "80"]
    assert [t for _, t in ticks(parameter("k", np.geomspace(1e-5, 1, 50).tolist()), 6)] == [
        "1e-5", "1e-4", "0.001", "0.01", "0.1", "1",
    ]  # fmt: skip
    assert ticks(parameter("k", ["a", None, "b"]), 5) == [(0.0, "–"), (0.14, "a"), (1.0, "b")]


def test_figures_have_as_many_decimals_as_tell_them_apart():
    assert figures(np.array([0.8123, 0.8456, np.nan])) == ["0.8123", "0.8456", ""]
    assert figures(np.array([1.0, 250.0])) == ["1", "250"] and figures(np.array([2.5e-7])) == ["2.5e-7"]


@pytest.mark.parametrize("kind", DRAWINGS)
@pytest.mark.parametrize("format", ["png", "svg"])
def test_pictures_are_the_same_bytes_each_time(kind, format):
    keys = ["optimizer.name", "train.epochs"] if kind == "heat" else []
    content = picture(GRID, kind, keys, format)
    assert content == picture(analyse(analysis_lab.gestures()[::-1]), kind, keys, format)
    if format == "svg":
        assert ElementTree.fromstring(content).tag.endswith("svg")
    else:
        assert content.startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", DRAWINGS)
def test_pictures_show_names_in_any_script(kind):
    rows = [
        analysis_lab.row(
            i, {"学习率": i % 3, "$x_1$": ["потеря", "_b", "$a$", "\U000f0000"][i % 4], "c": [i % 2 or None]},
            {"val.精度acc": i / 12, "val.acc": 1.0 - i / 30}, monitor="val.精度acc",
        )
        for i in range(12)
    ]  # fmt: skip
    found = analyse(rows)
    # A missing glyph or a name taken for a formula would be a warning, which is an error here.
    assert picture(found, kind, telling(found)[:2] if kind == "heat" else ()).startswith(b"\x89PNG")


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(odd_rows)
def test_odd_rows_have_pictures(rows):
    try:
        found = analyse(odd(rows))
    except LabtuiError:
        assume(False)
    assume(len(found.parameters) > 1)
    for kind in ("parallel", "slice", "heat", "correlation"):
        keys = [one.name for one in found.parameters[:2]] if kind == "heat" else []
        assert picture(found, kind, keys).startswith(b"\x89PNG")


@pytest.mark.parametrize("values", [[1e308, -1e308, 0.0], [5e-324, 1e-300, 1.0], [1e308, 1e300, 1e-308]])
def test_any_figure_can_be_drawn(values):
    rows = [analysis_lab.row(i, {"a": i % 3, "b": i % 2}, {"val.acc": values[i % 3]}) for i in range(6)]
    found = analyse(rows)
    for kind in ("parallel", "slice", "heat", "correlation"):
        assert picture(found, kind, ["a", "b"]).startswith(b"\x89PNG")
    assert all(widths(rows) == {80} for rows in drawings(found, Look(80)).values())


def sweep(lab: Path) -> None:
    """Eight cells on the disk: the rate matters, the optimiser less, the width not."""
    number = 0
    for lr in (0.1, 0.01):
        for name in ("sgd", "adam"):
            for width in (8, 16):
                recipe = {
                    "optimizer": {"name": name, "lr": lr}, "model": {"width": width},
                    "validate": {"monitor": "val.acc"},
                }  # fmt: skip
                best = 0.5 + 0.3 * (lr == 0.01) + 0.1 * (name == "adam") + 0.001 * width
                sweep_lab.training(lab, number, recipe, sweep_lab.accuracies(best, best - 0.1), cell=number)
                number += 1


def test_the_command_says_what_matters(cli, lab):
    sweep(lab)
    status, out, _ = cli("analysis", "gestures-aa00")
    assert status == 0 and out.splitlines()[2].startswith("optimizer.lr")
    assert "The best: 0.916: optimizer.name=adam, optimizer.lr=0.01, model.width=16." in out
    assert "8 cells of 8 runs; val.acc ↑" in out and "Importance: fANOVA over 8 cells" in out
    record = json.loads(cli("analysis", "--filter", "optimizer.name=adam", "--format", "json")[1])
    assert record["cells"] == 4 and record["importance"]["method"] == "" and record["best"]["metric"] == 0.916
    assert cli("analysis", "--format", "csv")[1].startswith("key,kind,log,")
    assert "| optimizer.lr |" in cli("analysis", "--format", "md")[1]


@pytest.mark.parametrize("kind", DRAWINGS)
def test_the_command_draws_and_gives_the_data(cli, lab, kind):
    sweep(lab)
    status, out, err = cli("analysis", "--plot", kind)
    assert status == 0 and "8 cells of 8 runs" in err and "\x1b" not in out
    assert {width_of(line) for line in out.splitlines()} == {80}
    assert json.loads(cli("analysis", "--plot", kind, "--format", "json")[1])
    assert cli("analysis", "--plot", kind, "--format", "csv")[0] == 0
    assert cli("analysis", "--plot", kind, "-o", "a.png") == (0, "a.png\n", "")
    assert (lab / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["-o", "a.png"], "say which with --plot importance|parallel|slice|heat|correlation"),
        (["--plot", "slice", "-o", "a.gif"], "a picture is a .png or an .svg file"),
        (["--plot", "slice", "-o", "none/a.png"], "cannot be written"),
        (["--plot", "heat", "--keys", "model.width"], "name them with --keys A,B"),
        (["--plot", "slice", "--keys", "model.wide"], "did you mean 'model.width'"),
        (["--metric", "val.ac"], "did you mean 'val.acc'"),
        (["--filter", "state=failed"], "no run was chosen"),
        (["another"], "no sweep of that name"),
    ],
)
def test_wrong_requests_are_told_how_to_be_right(cli, lab, arguments: list[str], message: str):
    sweep(lab)
    status, out, err = cli("analysis", *arguments)
    assert status == 2 and message in err and not out


def test_a_sweeps_report_says_what_matters(cli, lab):
    sweep(lab)
    assert cli("report", sweep_lab.SWEEP, "-o", "r.md")[0] == 0
    text = (lab / "r.md").read_text()
    section = text.partition("## What matters")[2].partition("\n## ")[0]
    assert "| optimizer.lr |" in section and "Importance: fANOVA over 8 cells" in section
    shown = re.findall(r"\]\((r_files/.*?)\)", section)
    assert [Path(one).name for one in shown] == ["parallel.png", "slices.png", "heat.png"]
    assert all((lab / one).is_file() for one in shown)
    assert cli("report", sweep_lab.SWEEP, "-o", "r.md", "--no-pictures")[0] == 0
    assert "## What matters" in (lab / "r.md").read_text() and not list((lab / "r_files").glob("*.png"))
