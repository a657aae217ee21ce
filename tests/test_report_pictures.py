"""Pictures: the same bytes from the same data, letters for every name, no lost extreme."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import report_lab
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from labtui.report.document import Beside
from labtui.report.fonts import Fonts
from labtui.report.matrix import Heat
from labtui.report.picture import COLUMNS, Curve, Panel, Sheet, visible
from labtui.report.run.curves import Axis
from labtui.report.run.document import Document
from labtui.report.subject import of_run


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.png"))}


def test_the_same_run_gives_the_same_bytes(lab: Path, tmp_path: Path) -> None:
    run = report_lab.finished(lab)
    of_run(run).write(lab / "a.md")
    # Elsewhere, later, and with a user's own idea of what pictures look like.
    settings = tmp_path / "settings"
    settings.mkdir()
    (settings / "matplotlibrc").write_text("axes.facecolor: black\nfont.size: 30\nlines.marker: x\n")
    code = (
        "import labtui, pathlib; from labtui.report.subject import of_run;"
        f"of_run(labtui.open({str(lab)!r}).run({run.id!r})).write(pathlib.Path('b.md'))"
    )
    environment = os.environ | {"MPLCONFIGDIR": str(settings)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    mine = pictures(lab / "a_files")
    assert list(mine) == ["confusion.png", "loss.png", "others.png", "score.png"]
    assert mine == pictures(tmp_path / "b_files")
    assert all(b"Software" not in data and b"tIME" not in data for data in mine.values())


def test_settings_of_others_are_left_alone(lab: Path) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    of_run(report_lab.script(lab)).write(lab / "r.md")
    assert dict(matplotlib.rcParams) == before


def test_names_in_any_script_are_drawn_or_named_otherwise(lab: Path) -> None:
    names = ["val.acc", "val.精度", "потеря", "$x_1$", "_hidden", "\U000f0000"]
    fonts = Fonts(names)
    assert fonts.replaced["\U000f0000"] == "metric 6"
    for name in names:
        text = fonts.show(name)
        assert text.isascii() or name not in fonts.replaced
    x = np.arange(3.0)
    # A missing glyph or a name taken for a formula would be a warning, which is an error here.
    panel = Panel("_hidden $x$", [Curve(name, x, x) for name in names], "step")
    assert Sheet([panel]).picture().startswith(b"\x89PNG")


def test_a_stand_in_is_explained(lab: Path) -> None:
    metrics = {"\U000f0000|": [(0, 1.0), (1, 2.0)]}
    run = report_lab.make(lab, "20261120-102000-x-ee00", {"name": "x"}, metrics)
    text = of_run(run).write(lab / "r.md").read_text()
    assert "*In the picture metric 1 is" in text and "no font here has its letters.*" in text


series = arrays(
    np.float64,
    st.integers(1, 3000),
    elements=st.floats(-1e6, 1e6) | st.sampled_from([np.nan, np.inf, -np.inf]),
    fill=st.floats(-5, 5),
)


@given(series)
def test_thinning_keeps_extremes_and_gaps(y: np.ndarray) -> None:
    x = np.arange(len(y), dtype=float)
    xs, ys = visible(x, y)
    finite = np.isfinite(y)
    assert len(xs) == len(ys) <= 5 * COLUMNS + 3
    if not finite.any():
        assert len(xs) == 0
        return
    shown = ys[np.isfinite(ys)]
    assert shown.min() == y[finite].min() and shown.max() == y[finite].max()
    edges = np.flatnonzero(np.diff(np.r_[False, finite, False].astype(int)))
    parts = len(edges) // 2
    if parts <= COLUMNS:
        assert np.isnan(ys).sum() == parts - 1


@pytest.mark.parametrize(
    "values",
    [
        [1e308, -1e308, 0.0, 1e308],
        [5e-324, 1e-320, 0.0, 2e-320],
        [1e308, 1e300, 1e-300, 1e-308],
        [1.0, 1e-5, 1e-300, 1e-320],
        [3.0, 3.0, 3.0, 3.0],
        [np.nan, np.inf, -np.inf, np.nan],
    ],
)
@pytest.mark.parametrize("constant", [-1e308, 0.0, 3.0])
def test_any_value_can_be_drawn(values: list[float], constant: float) -> None:
    x = np.arange(4.0)
    panel = Panel("loss", [Curve("a", x, np.array(values))], "step", 2.0, ("val", constant))
    assert Sheet([panel]).picture().startswith(b"\x89PNG")


def test_epochs_go_on_beyond_the_last_one_logged(lab: Path) -> None:
    metrics = {"epoch": [(0, 0.0), (10, 1.0), (20, 2.0)], "train.step_loss": [(25, 1.0)]}
    run = report_lab.make(lab, "20261120-102000-x-ee00", {"name": "x"}, metrics)
    axis = Axis(Document(run, Beside("r")))
    assert axis.label == "epoch"
    assert axis(np.array([0.0, 5.0, 20.0, 25.0])).tolist() == [0.0, 0.5, 2.0, 2.5]


def test_an_epoch_that_does_not_count_up_is_no_axis(lab: Path) -> None:
    metrics = {"epoch": [(0, 0.0), (1, 0.0), (2, 1.0)]}
    run = report_lab.make(lab, "20261120-102000-x-ee00", {"name": "x"}, metrics)
    assert Axis(Document(run, Beside("r"))).label == "step"


def test_a_confusion_matrix_of_any_size_is_drawn_the_same_each_time() -> None:
    for n in (2, 21, 60):
        counts = np.diag(np.arange(float(n)))  # the first class has no sample
        heat = Heat([f"${place}_\U000f0000" for place in range(n)], counts, "truth", "prediction")
        assert heat.fonts.replaced and np.isnan(heat.shares[0]).all() and heat.shares[1, 1] == 1
        assert heat.picture().startswith(b"\x89PNG")
        assert heat.picture("svg") == heat.picture("svg")
