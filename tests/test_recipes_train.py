"""The shipped recipes reach what their descriptions say, from the command line to the result."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

RECIPES = Path(__file__).parents[1] / "recipes"
BEARINGS = Path(__file__).parents[2] / "shared" / "data" / "bearings_cwru"
UCR = Path(__file__).parents[2] / "shared" / "data" / "ucr"


def train(cli, lab: Path, recipe: str) -> dict:
    """Run a shipped recipe in the lab; its row."""
    (lab / "recipes").mkdir(exist_ok=True)
    shutil.copyfile(RECIPES / recipe, lab / "recipes" / Path(recipe).name)
    status, _, err = cli("run", Path(recipe).name)
    assert status == 0, err
    return json.loads(cli("show", "@last", "--format", "json")[1])


@pytest.mark.timeout(600)
def test_digits_reach_98_percent(cli, lab):
    row = train(cli, lab, "digits.toml")
    assert row["metrics"]["test.acc"]["at_best"] >= 0.98
    assert row["facts"]["baseline"]["test.acc"] < 0.15


@pytest.mark.timeout(900)
@pytest.mark.skipif(not BEARINGS.is_dir(), reason=f"the CWRU recordings are not in {BEARINGS}")
@pytest.mark.parametrize(
    "recipe, least", [("transformer-cls-small", 0.95), ("transformer-cls-small-honest", 0.9)]
)
def test_small_fault_recipes_on_the_real_recordings(cli, lab, recipe, least):
    (lab / "data").mkdir()
    (lab / "data" / "bearings_cwru").symlink_to(BEARINGS)
    row = train(cli, lab, f"fault/{recipe}.toml")
    assert row["metrics"]["val.acc"]["at_best"] >= least
    report = lab / "report.md"
    assert cli("report", "@last", "-o", str(report), "--no-pictures")[0] == 0
    assert ("optimistic" in report.read_text()) == (recipe == "transformer-cls-small")


@pytest.mark.timeout(600)
@pytest.mark.skipif(not UCR.is_dir(), reason=f"the UCR/UEA problems are not in {UCR}")
@pytest.mark.parametrize(
    "recipe, least",
    [
        ("gunpoint-fcn", 0.97),
        ("basicmotions-resnet", 0.97),
        ("japanesevowels-fcn", 0.97),
        ("japanesevowels-lstm", 0.87),
    ],
)
def test_time_series_recipes_reach_the_literature(cli, lab, recipe, least):
    (lab / "data").mkdir()
    (lab / "data" / "ucr").symlink_to(UCR)
    row = train(cli, lab, f"timeseries/{recipe}.toml")
    assert row["metrics"]["test.acc"]["at_best"] >= least
