"""The report: golden texts, every state, what is missing or broken, what is never overwritten."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import report_lab
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import labtui
from labtui.diagnose import rules
from labtui.errors import LabError
from labtui.files import process
from labtui.layers import layer_rows
from labtui.query.lab import Run
from labtui.report.subject import of_run

GOLDEN = Path(__file__).parent / "golden"


ASKED = ("no number", "diverged", "over-fitting", "class never predicted", "vanishing gradients")
"""Rules that the texts tell of: a new one changes none of them."""


def unsummed(path: Path) -> str:
    """A report without the checksum in its first line: that would be another after every change."""
    return re.sub(" sha256:[0-9a-f]{16}", "", path.read_text(), count=1)


@pytest.mark.parametrize("name", ["finished", "failed", "script"])
def test_golden(lab: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run with LABTUI_GOLDEN=write to take the texts as they are now."""
    monkeypatch.setattr(rules, "RULES", [one for one in rules.RULES if one.name in ASKED])
    build: Callable[[Path], Run] = getattr(report_lab, name)
    # Whether a wide name can be drawn depends on the fonts of the machine.
    path = of_run(build(lab)).write(lab / f"{name}.md", pictures=name != "script")
    text = unsummed(path)
    golden = GOLDEN / f"report-{name}.md"
    if os.environ.get("LABTUI_GOLDEN") == "write":
        golden.write_text(text)
    assert text == golden.read_text()


def test_the_log_keeps_first_last_and_best(lab: Path) -> None:
    path = of_run(report_lab.finished(lab)).write(lab / "r.md", pictures=False)
    text = path.read_text()
    log = text.partition("## Training\n\n```\n")[2].partition("\n```")[0].splitlines()
    epochs = [int(line.split()[0]) for line in log[1:]]
    assert epochs == sorted({*range(0, 81, 2), 50, 80})
    assert "40 of 81 epochs are left out here." in text
    assert [line for line in log if line.endswith("← best")] == [log[epochs.index(50) + 1]]
    with open(lab / "r_files" / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["epoch"]) for row in rows] == list(range(81))
    assert rows[0]["train.loss"] == "" and float(rows[50]["val.acc"]) == 0.9


def test_a_million_rows_are_thinned(lab: Path) -> None:
    metrics = {"loss": [(s, 1.0 / (s + 1)) for s in range(100_000)]}
    run = report_lab.make(lab, "20261120-102000-long-dd00", {"name": "long"}, metrics)
    text = of_run(run).write(lab / "r.md").read_text()
    assert len(text.splitlines()) < 200
    assert (lab / "r_files" / "loss.png").stat().st_size < 200_000


def state(lab: Path, **files: Any) -> str:
    run = report_lab.make(lab, "20261120-102000-x-ee00", report_lab.RECIPE, **files)
    return of_run(run).write(lab / "r.md").read_text()


def test_running(lab: Path) -> None:
    me = process.identity() | {"attempt": 1, "time": report_lab.BEGUN}
    text = state(lab, process=me, metrics={"epoch": [(0, 0.0), (3, 1.0)], "val.acc": [(0, 0.1)]})
    assert "**Running**: a report of a training under way, after epoch 1 of 100." in text
    assert "*Not recorded: the run has not come so far yet.*" in text


def test_queued(lab: Path) -> None:
    text = state(lab, queue={"attempt": 1, "time": report_lab.BEGUN})
    assert "**Queued**: it waits to be started." in text
    assert "*Not recorded: the run has not started.*" in text


def test_idle(lab: Path) -> None:
    assert "**Idle**: a copied or restored directory" in state(lab)


def test_lost(lab: Path) -> None:
    dead = {"attempt": 1, "host": "elsewhere", "pid": 1, "time": report_lab.BEGUN}
    text = state(lab, process=dead, metrics={"epoch": [(0, 0.0)]})
    assert "**Lost** after epoch 0 of 100: its process is gone and left no result" in text


def test_stopped_says_that_it_was(lab: Path) -> None:
    text = state(lab, result={"attempt": 1, "outcome": "stopped", "started": 1.0, "ended": 2.5})
    assert "**Stopped** before anything was logged in 1.50s." in text
    assert "*Not recorded: the run was stopped before it came so far.*" in text


def test_a_broken_recipe(lab: Path) -> None:
    run = report_lab.finished(lab)
    run.paths.recipe.write_text("not = toml = at all")
    text = of_run(labtui.open(lab).run(run.id)).write(lab / "r.md").read_text()
    assert "`recipe.toml` is missing or broken" in text


def test_artifacts_that_cannot_be_read(lab: Path) -> None:
    run = report_lab.finished(lab)
    (run.paths.artifacts / "layers.json").write_text('{"rows": [')
    (run.paths.artifacts / "data.json").write_bytes(b"\xff\xfe")
    (run.paths.artifacts / "confusion.json").write_text("[1, 2]")
    text = of_run(run).write(lab / "r.md").read_text()
    assert "*Not recorded: `artifacts/layers.json` cannot be read.*" in text
    assert "*Not recorded: `artifacts/data.json` cannot be read.*" in text
    assert "*Not recorded: `artifacts/confusion.json` has not the form that labtui writes.*" in text


def test_a_student_and_its_teacher(lab: Path) -> None:
    run = report_lab.finished(lab)
    file = run.paths.artifacts / "agreement.json"
    part = {"agreement": 0.75, "matrix": [[2, 1], [0, 1]]}
    file.write_text(json.dumps({"classes": ["up", "down"], "val": part}))
    text = of_run(run).write(lab / "r.md").read_text()
    assert "Teacher in rows, student in columns (val split): they agree on 75.0 % of the samples." in text
    assert "| teacher | up | down |" in text
    file.write_text('{"classes": 3}')
    assert (
        "*Not recorded: `artifacts/agreement.json` has not the form"
        in of_run(run).write(lab / "r.md").read_text()
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@st.composite
def damaged(draw: st.DrawFn, value: Any) -> Any:
    """A JSON value in which one part, at any depth, was replaced by something else."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(value)))
        return value | {key: draw(damaged(value[key]))}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], draw(damaged(value[place])), *value[place + 1 :]]
    return draw(json_values)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_damage_breaks_the_report(lab: Path, data: st.DataObject) -> None:
    run_id = "20261120-102000-fault-small-aa00"
    if not (lab / "runs" / run_id).exists():
        report_lab.finished(lab)
    run = labtui.open(lab).run(run_id)
    for name, sound in (("layers", report_lab.LAYERS), ("data", report_lab.DATA)):
        value = data.draw(damaged(sound), label=name)
        (run.paths.artifacts / f"{name}.json").write_text(json.dumps(value))
    value = data.draw(damaged(report_lab.CONFUSION), label="confusion")
    (run.paths.artifacts / "confusion.json").write_text(json.dumps(value))
    environment = data.draw(damaged(report_lab.ENVIRONMENT), label="environment")
    run.paths.environment.write_text(json.dumps(environment))
    text = of_run(run).text()
    assert "## How to run it again" in text


def test_it_never_replaces_what_labtui_did_not_write(lab: Path) -> None:
    run, out = report_lab.failed(lab), lab / "thesis.md"
    out.write_text("# My thesis\n")
    with pytest.raises(LabError, match=r"thesis\.md: was not written by labtui.*-o FILE.*--force"):
        of_run(run).write(out)
    assert out.read_text() == "# My thesis\n" and not (lab / "thesis_files").exists()
    of_run(run).write(out, force=True)
    of_run(run).write(out)
    assert unsummed(out).startswith(f"<!-- labtui report {run.id} -->\n")


def test_pictures_of_someone_else_stay(lab: Path) -> None:
    (lab / "r_files").mkdir()
    (lab / "r_files" / "loss.png").write_bytes(b"mine")
    with pytest.raises(LabError, match=r"loss\.png"):
        of_run(report_lab.finished(lab)).write(lab / "r.md")
    assert (lab / "r_files" / "loss.png").read_bytes() == b"mine"


def test_pictures_of_an_earlier_report_go(lab: Path) -> None:
    run = report_lab.finished(lab)
    of_run(run).write(lab / "r.md")
    (lab / "r_files" / "my.png").touch()
    assert (lab / "r_files" / "others.png").exists()
    of_run(run).write(lab / "r.md", pictures=False)
    assert sorted(os.listdir(lab / "r_files")) == ["log.csv", "my.png"]


def test_a_run_that_is_removed_while_its_report_is_written(lab: Path) -> None:
    run = report_lab.finished(lab)
    shutil.rmtree(run.paths.root)
    with pytest.raises(LabError, match=r"is gone.*labtui ls"):
        of_run(run).write(lab / "r.md")
    assert not (lab / "r.md").exists()


def test_places_that_cannot_be_written(lab: Path) -> None:
    run = report_lab.finished(lab)
    with pytest.raises(LabError, match=r"no such folder.*-o FILE"):
        of_run(run).write(lab / "nowhere" / "r.md")
    with pytest.raises(LabError, match="is a folder"):
        of_run(run).write(lab)
    (lab / "r_files").write_text("in the way")
    with pytest.raises(LabError, match=r"r_files: the report cannot be written.*-o FILE"):
        of_run(run).write(lab / "r.md")
    assert not (lab / "r.md").exists()


@pytest.mark.parametrize(
    "name", ["", "n" * 300 + ".md", "n" * 300 + "_csv", "/dev/null", "pipe.html", "/dev/full"]
)
def test_what_is_no_place_for_a_report_is_said(lab: Path, monkeypatch, name: str) -> None:
    monkeypatch.chdir(lab)
    os.mkfifo("pipe.html")
    subject = of_run(report_lab.finished(lab))
    before = sorted(os.listdir())
    with pytest.raises(LabError, match=r"give another|names no file|is no file"):
        subject.write(Path(name), format="csv" if name.endswith("csv") else None, force=True)
    assert sorted(os.listdir()) == before


def test_a_report_that_found_no_room_leaves_nothing_that_the_next_one_takes_for_the_users(
    lab: Path, monkeypatch
) -> None:
    from labtui.report import write

    def full(path: Path, data: bytes, **_: bool) -> None:
        if path.name == "others.png":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        path.write_bytes(data)

    subject = of_run(report_lab.finished(lab))
    with monkeypatch.context() as patch, pytest.raises(LabError, match="No space left"):
        patch.setattr(write, "write_atomic", full)
        subject.write(lab / "r.md")
    assert not (lab / "r_files").exists()
    assert subject.write(lab / "r.md").exists()


def test_file_names_in_links_are_escaped(lab: Path) -> None:
    out = lab / "a (b) [c] 报告.md"
    text = of_run(report_lab.finished(lab)).write(out).read_text()
    folder = "a%20%28b%29%20%5Bc%5D%20%E6%8A%A5%E5%91%8A_files"
    assert f"]({folder}/loss.png)" in text and f"]({folder}/log.csv)" in text


def test_it_imports_neither_torch_nor_matplotlib_before_it_draws() -> None:
    code = "import sys, labtui.report; print(sorted({'torch', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("loss", ["reconstruction", "masked_mse", "batch_hard_triplet"])
def test_a_model_that_predicts_no_class_has_no_matrix_to_miss(lab: Path, loss: str) -> None:
    recipe = {"name": "r", "data": {"name": "d"}, "model": {"name": "m"}, "loss": {"name": loss}}
    result = {"outcome": "finished", "facts": {"device": "cpu"}}
    run = report_lab.make(lab, "20261120-102000-r-aaaa", recipe, {"val.loss": [(0, 1.0)]}, result=result)
    text = of_run(run).write(lab / "r.md", pictures=False).read_text()
    assert "*None: the model" in text.partition("### Confusion matrix")[2].partition("##")[0]
    assert ("predictor: none, since an embedding" in text) == (loss == "batch_hard_triplet")


def test_sections_are_chosen_in_the_reports_order(lab: Path) -> None:
    run, out = report_lab.finished(lab), lab / "short.md"
    of_run(run).write(out, sections=["todos", "results"])
    headings = [line for line in out.read_text().splitlines() if line.startswith("#")]
    assert headings[0] == "## Result" and headings[-1] == "## To do"
    assert not (lab / "short_files").exists()
    with pytest.raises(LabError, match="section 'result': this report has none; known here: overview, "):
        of_run(run).write(out, sections=["result"])


def test_layers_have_their_whole_names_in_tables() -> None:
    assert layer_rows(report_lab.LAYERS) == [
        ("Net", "[-1, 3]", 0),
        ("body (ModuleList)", "–", 0),
        ("body.0 (Conv1d)", "[-1, 4, 1600]", 16),
        ("head (Linear)", "[-1, 3]", 19203),
    ]
