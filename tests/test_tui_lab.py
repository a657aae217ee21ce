"""The runs table: columns, sorting, groups, marks, a baseline; recipes, the machine, what is kept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Input
from tui_lab import NOW, add_run, small_lab, sweep_lab
from tui_pilot import opened, screen, screen_text, table, until

from labtui.files.paths import LabPaths
from labtui.grouped import spread_text
from labtui.query import Lab
from labtui.tui.arrangement import Arrangement
from labtui.tui.columns import DEFAULT
from labtui.tui.listing import Shown
from labtui.tui.marks import Marks
from labtui.tui.recipes import recipe_lines
from labtui.tui.screens.ask import Confirm
from labtui.tui.screens.columns import ChooseColumns
from labtui.tui.screens.lab import LabScreen
from labtui.tui.screens.launch import LaunchScreen
from labtui.tui.snapshot import Snapshot
from labtui.tui.tables import parts
from labtui.tui.widgets.recipes import RecipeTable

WIDE = (160, 48)


@pytest.fixture
def small(tmp_path: Path) -> LabPaths:
    return small_lab(tmp_path)


@pytest.fixture
def sweep(tmp_path: Path) -> LabPaths:
    return sweep_lab(tmp_path)


def keep(lab: LabPaths, **arranged: object) -> None:
    """Arrange the runs before the app is opened."""
    lab.own.mkdir(exist_ok=True)
    lab.screens.write_text(json.dumps({"format": 1, "lab": arranged}))


def newest(lab: LabPaths, filter: str = "") -> str:
    return Lab(lab).runs(filter)[0].id


async def test_columns_are_any_keys_in_any_order(small):
    async with opened(small) as pilot:
        await pilot.press("v")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseColumns))
        dialog = screen(pilot, ChooseColumns)
        assert dialog.chosen == list(DEFAULT)
        dialog.table.select("spark")
        await pilot.press("space", "slash", *"optimizer.lr", "enter", "space")
        await pilot.press("slash", *"val.loss.best", "enter")
        dialog.table.select("val.loss.best")
        await pilot.press("space", "enter")
        await until(pilot, lambda: "optimizer" in screen_text(pilot.app))
        lab = screen(pilot, LabScreen)
        assert {"optimizer.lr", "val.loss.best"} <= set(lab.arranged.columns)
        assert "spark" not in lab.arranged.columns and "0.006" in screen_text(pilot.app)


async def test_a_typed_key_that_no_run_has_yet_is_a_column(small):
    async with opened(small) as pilot:
        await pilot.press("v")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseColumns))
        await pilot.press("slash", *"test.uar.last", "enter", "K", "enter")
        await until(pilot, lambda: "test.uar" in screen_text(pilot.app))


async def test_the_order_of_columns_is_chosen(small):
    async with opened(small) as pilot:
        await pilot.press("v")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseColumns))
        await pilot.press("J", "shift+down", "K", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, LabScreen))
        assert screen(pilot, LabScreen).arranged.columns[:3] == ("name", "state", "tags")


async def test_columns_that_have_no_room_are_reached(small):
    async with opened(small) as pilot:
        assert "took" not in screen_text(pilot.app) and "trend" in screen_text(pilot.app)
        await pilot.press(*">>>>>>")
        assert "took" in screen_text(pilot.app) and "trend" not in screen_text(pilot.app)
        assert "transformer-cls" in screen_text(pilot.app), "names stay"
        await pilot.press(*"<<<<<<<<")
        assert "trend" in screen_text(pilot.app)


KEYS = st.lists(st.sampled_from([*DEFAULT, "optimizer.lr", "val.loss.best", "no.such"]), unique=True)


@given(KEYS, st.integers(1, 200), st.booleans(), st.booleans())
def test_columns_fit_into_any_room(columns, room, grouped, compared):
    row = {
        "id": "20260101-000000-x-aaaa", "name": "n" * 30, "params": {"optimizer.lr": 0.1},
        "metrics": {"val.loss": {"goal": "min", "best": 0.1, "at_best": 0.1}}, "facts": {}, "tags": [],
        "state": "finished", "reason": "", "recipe": "", "sweep": "", "created": 0.0,
    }  # fmt: skip
    snapshot = Snapshot.of_rows([row]).with_goals(Shown(columns=tuple(columns)).values)
    found = parts(snapshot, columns, room, grouped, compared)
    used = sum(part.column.width + 1 for part in found if part.key != "name")
    assert [part.what for part in found].count("mark") == 1 and "name" in {part.key for part in found}
    assert used + 18 <= room or used == 2
    shown = [part.key for part in found if part.what == "text" and part.key in columns]
    assert shown == [key for key in columns if key in shown], "in their order"


async def test_a_click_on_a_head_sorts_and_the_second_the_other_way_round(small):
    async with opened(small) as pilot:
        runs = table(pilot)
        at = runs.render_line(0).text.index("val.acc")
        await pilot.click(runs, offset=(at + 2, 0))
        await until(pilot, lambda: "val.acc▼" in screen_text(pilot.app))
        values = [pilot.app.snapshot.of(key, "value") for key in runs.keys]
        await until(pilot, lambda: runs.keys[0] == newest(small, "name~profonda") or values)
        await pilot.click(runs, offset=(at + 2, 0))
        await until(pilot, lambda: "val.acc▲" in screen_text(pilot.app))
        await until(pilot, lambda: pilot.app.snapshot.of(runs.keys[0], "value") == min(filter(None, values)))
        assert pilot.app.snapshot.of(runs.keys[-1], "value") is None, "what is missing stays last"


async def test_runs_of_a_sweep_are_told_apart(sweep):
    async with opened(sweep) as pilot:
        assert "lr=0.001, nlayers=2 r0" in screen_text(pilot.app)


async def test_groups_have_means_and_fold_open(sweep):
    async with opened(sweep) as pilot:
        await pilot.press("o")
        await until(pilot, lambda: not isinstance(pilot.app.screen, LabScreen))
        pilot.app.screen.table.select("optimizer.lr")
        await pilot.press("space")
        pilot.app.screen.table.select("model.nlayers")
        await pilot.press("space", "enter")
        await until(pilot, lambda: len(table(pilot).keys) == 7)
        groups = pilot.app.snapshot.groups
        own = Lab(sweep).aggregate(keys=["optimizer.lr", "model.nlayers"], metrics=["val.acc"])
        shown = {line.label: line.texts["value"] for line in groups.values()}
        for group in own.groups:
            assert shown[group.label] == spread_text(group.spreads["val.acc"], len(group.rows))
        assert "±" in screen_text(pilot.app) and "✓2 ✗1" in screen_text(pilot.app)
        await pilot.press("enter")
        assert len(table(pilot).keys) == 10 and "▾" in screen_text(pilot.app)
        await pilot.press("j", "left")
        assert len(table(pilot).keys) == 7 and table(pilot).cursor == 0
        await pilot.press("right")
        assert len(table(pilot).keys) == 10
        await pilot.press("space")
        assert len(screen(pilot, LabScreen).marked) == 3, "all runs of the group"


async def test_groups_by_a_key_that_no_run_has_say_so(sweep):
    keep(sweep, group=["nonsense.key"])
    async with opened(sweep) as pilot:
        await until(pilot, lambda: "no run has a key" in screen_text(pilot.app))
        assert len(table(pilot).keys) == 15


async def test_a_baseline_has_differences_beside_the_figures(sweep):
    async with opened(sweep, WIDE) as pilot:
        await pilot.press("b", "j")
        await until(pilot, lambda: "Δ" in screen_text(pilot.app))
        await until(pilot, lambda: "baseline" in screen_text(pilot.app))
        lab, runs = screen(pilot, LabScreen), table(pilot)
        base, other = (pilot.app.snapshot.of(key, "value") for key in runs.keys[:2])
        cells = runs.cells(runs.keys[1])
        number = next(n for n, part in enumerate(runs.parts) if part.what == "difference")
        text, style = cells[number]
        assert float(text) == pytest.approx(other - base, rel=0.1)
        assert style == ("good" if other > base else "bad")
        await pilot.press("k", "b")
        assert lab.arranged.baseline == "" and "Δ" not in screen_text(pilot.app)


async def test_marks_keep_their_colours(small):
    async with opened(small) as pilot:
        await pilot.press("j", "space", "space", "space")
        lab = screen(pilot, LabScreen)
        first, second, third = lab.marked
        before = lab.marked.style(third)
        lab.runs.select(first)
        await pilot.press("space")
        assert list(lab.marked) == [second, third] and lab.marked.style(third) == before
        assert lab.charts.wants(lab.targets(), lab.marked.colors)[0].colors == (1, 2)


async def test_many_runs_are_marked_at_once(small):
    async with opened(small) as pilot:
        lab = screen(pilot, LabScreen)
        await pilot.press("a")
        assert len(lab.marked) == 10 and "10 marked" in screen_text(pilot.app)
        await pilot.press("a", "shift+down", "J")
        assert list(lab.marked) == list(table(pilot).keys[:3])


async def test_removing_asks_and_leaves_what_runs(small):
    gone, running = newest(small, "state=failed"), newest(small, "state=running")
    async with opened(small) as pilot:
        table(pilot).select(running)
        await pilot.press("delete")
        assert isinstance(pilot.app.screen, LabScreen), "nothing to remove"
        await pilot.press("space")
        table(pilot).select(gone)
        await pilot.press("space", "delete")
        assert "for good" in screen(pilot, Confirm).question
        await pilot.press("n")
        assert small.run(gone).root.exists()
        await pilot.press("delete", "y")
        await until(pilot, lambda: gone not in table(pilot).keys)
        assert not small.run(gone).root.exists() and small.run(running).root.exists()


async def test_the_filter_line_completes_keys_and_values(small):
    async with opened(small) as pilot:
        line = pilot.app.screen.query_one("#filter", Input)
        await pilot.press("slash", *"optimizer.n")
        await until(pilot, lambda: "optimizer.name" in screen_text(pilot.app))
        await pilot.press("tab", "=")
        await until(pilot, lambda: "adam" in screen_text(pilot.app))
        await pilot.press("tab", *" and sta", "tab", "=")
        await until(pilot, lambda: "finished" in screen_text(pilot.app).rpartition("state=")[2])
        await pilot.press("tab", "tab", "shift+tab", "enter")
        assert line.value == "optimizer.name=adam and state=finished"
        await until(pilot, lambda: len(table(pilot).keys) == 5)


async def test_a_wrong_filter_says_what_is_wrong_and_leaves_the_runs(small):
    async with opened(small) as pilot:
        await pilot.press("slash", *"state=failed", "enter", "slash", *" and", "enter")
        await until(pilot, lambda: "expected a key" in screen_text(pilot.app))
        assert len(table(pilot).keys) == 2


async def test_a_key_without_its_sign_yet_loses_nothing(small):
    async with opened(small) as pilot:
        await pilot.press("slash", *"optimizer.l")
        await until(pilot, lambda: "a key needs a sign" in screen_text(pilot.app))
        assert table(pilot).keys
        await pilot.press(*"zz")
        await until(pilot, lambda: "No run fits" in screen_text(pilot.app))


async def test_the_arrangement_is_kept_and_found_again(small):
    small.own.mkdir(exist_ok=True)
    async with opened(small) as pilot:
        await pilot.press("slash", *"state=finished", "enter", "s")
        await until(pilot, small.screens.exists)
    assert json.loads(small.screens.read_text())["lab"]["filter"] == "state=finished"
    async with opened(small) as pilot:
        await until(pilot, lambda: len(table(pilot).keys) == 5)
        assert "state=finished" in screen_text(pilot.app) and "state▲" in screen_text(pilot.app)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"lab": 3}', '{"lab": {"columns": [1], "sort": 2, "reverse": "x"}}']
)
def test_a_broken_arrangement_is_ignored(tmp_path, text):
    path = tmp_path / "screens.json"
    path.write_text(text)
    assert Arrangement.read(path) == Arrangement()


def test_a_lab_that_cannot_be_written_is_left_as_it_is(tmp_path):
    Arrangement().write(tmp_path / "none" / "screens.json")
    (tmp_path / "file").write_text("")
    Arrangement().write(tmp_path / "file" / "screens.json")
    assert not (tmp_path / "none").exists()


@given(
    st.builds(
        Arrangement, columns=st.lists(st.text(), min_size=1, unique=True).map(tuple), filter=st.text(),
        reverse=st.booleans(), sort=st.text(), group=st.lists(st.text(), unique=True).map(tuple),
    )
)  # fmt: skip
def test_an_arrangement_is_read_as_it_was_written(tmp_path_factory, arranged):
    path = tmp_path_factory.mktemp("kept") / "screens.json"
    arranged.write(path)
    assert Arrangement.read(path) == arranged


async def test_recipes_stand_in_folders_with_their_runs(small):
    async with opened(small) as pilot:
        shutil.copy(small.recipes / "digits.toml", small.recipes / "fault" / "transformer-cls.toml")
        await pilot.press("r")
        await until(pilot, lambda: "transformer-cls" in screen_text(pilot.app).partition("fault")[2])
        line = next(text for text in screen_text(pilot.app).split("\n") if "▾ fault" in text)
        assert "10" in line and "2 recipes" in line
        await pilot.press("end", "left", "left")
        assert "▸ fault" in screen_text(pilot.app) and "wrong" not in screen_text(pilot.app)
        await pilot.press("slash", *"typo", "enter")
        await until(pilot, lambda: list(table(pilot, "recipes").keys) == ["fault/", "fault/wrong.toml"])
        await pilot.press("end", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, LaunchScreen))
        await pilot.press("escape", "escape")
        assert table(pilot, "recipes").has_focus and len(table(pilot, "recipes").keys) == 3
        await pilot.press("escape")
        assert table(pilot).has_focus


def test_many_recipes_are_closed_at_first():
    recipes = {f"{folder}/deep/{n}.toml": {} for folder in "ab" for n in range(20)}
    assert list(recipe_lines(recipes, {}, ())) == ["a/", "b/"]
    assert list(recipe_lines(recipes, {}, {"a/"})) == ["a/", "a/deep/", "b/"]
    assert len(recipe_lines(recipes, {}, (), "deep/7")) == 6
    assert recipe_lines(recipes, {"a/deep/3.toml": 4}, ())["a/"].runs == 4


async def test_a_line_tells_of_the_machine(small, tmp_path, monkeypatch):
    gpu = {"index": 0, "memory_total": 24 * 2**30, "memory_used": 12 * 2**30, "utilization": 87}
    file = tmp_path / "gpus.json"
    file.write_text(json.dumps([gpu, gpu | {"index": 1, "utilization": 3}]))
    monkeypatch.setenv("LABTUI_GPU_INVENTORY", str(file))
    async with opened(small) as pilot:
        await until(pilot, lambda: "GPU 0 87% 12/24G" in screen_text(pilot.app))
        assert "1 running · 1 waiting" in screen_text(pilot.app) and "free" in screen_text(pilot.app)
        file.write_text("[]")
        pilot.app.screen.machine.look()
        await until(pilot, lambda: "cores" in screen_text(pilot.app))


async def test_small_lines_are_read_for_what_is_in_sight(tmp_path):
    lab = LabPaths(tmp_path)
    for number in range(40):
        add_run(lab, f"run {number}", 86400.0 - number, seed=number, done=5)
    async with opened(lab) as pilot:
        runs = table(pilot)
        await until(pilot, lambda: runs.sparks)
        assert set(runs.sparks) == set(runs.in_sight)
        await until(pilot, lambda: "▁" in screen_text(pilot.app))
        await pilot.press("end")
        await until(pilot, lambda: runs.keys[-1] in runs.sparks)
        assert len(runs.sparks) < 40


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdefghijklmnopqrstuvwxyz")), max_size=60))
def test_a_mark_keeps_its_colour_and_no_two_share_one_while_there_are_enough(steps):
    marks, known = Marks(), {}
    for add, key in steps:
        marks.add([key]) if add else marks.drop([key])
        colors = dict(marks.colors)
        assert all(colors[k] == known[k] for k in colors.keys() & known.keys())
        assert len(set(colors.values())) == min(len(colors), 21) or len(colors) > 20
        known = colors


async def test_an_empty_lab_says_what_to_do(tmp_path):
    lab = LabPaths(tmp_path)
    lab.recipes.mkdir()
    from labtui.tui.app import LabApp

    app = LabApp(Lab(lab), now=lambda: NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "No runs yet: press r" in screen_text(app))
        await pilot.press("o", "v", "s", "b", "space", "a", "delete", "enter", "slash", "x", "escape")
        await pilot.pause(0.2)
        assert not lab.own.exists()


async def test_from_the_recipes_it_goes_back_to_the_runs(tmp_path):
    async with opened(small_lab(tmp_path)) as pilot:
        for key in ("r", "escape"):
            await pilot.press("r")
            assert isinstance(pilot.app.focused, RecipeTable)
            await pilot.press(key)
            await pilot.pause()
            assert screen(pilot, LabScreen).runs.has_focus
