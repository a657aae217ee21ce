"""What a recipe's text may become: completion, options, and saving."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labtui.errors import LabError, RecipeError
from labtui.files.toml import inline
from labtui.forecast import Earlier
from labtui.recipe.complete import about, place, suggestions
from labtui.recipe.options import options
from labtui.recipe.read import Problem, load, located, parse
from labtui.recipe.save import save

RECIPES = sorted((Path(__file__).parents[1] / "recipes").rglob("*.toml"))
TEXT = """name = "x"
[data]
name = "digits"
sh
[model]
name = "dig
[optimizer]
name = "adamw"
l
[train]
epochs = 3
on_oom = 
[res
[sweep.space]
"optimizer.l
[sweep]
method = "gr"
"""


@pytest.mark.parametrize(
    ("line", "column", "first"),
    [
        (3, 2, "shift = "),
        (5, 11, '"digits_cnn"'),
        (8, 1, "lr = "),
        (11, 9, '"fail"'),
        (12, 4, "resources"),
        (14, 12, '"optimizer.lr" = '),
        (16, 12, '"grid"'),
    ],
)
def test_what_fits_comes_first(line, column, first):
    assert suggestions(TEXT, line, column)[1][0].text == first


def test_keys_that_are_there_are_not_offered_again():
    text = "[train]\nepochs = 3\n\n"
    names = {one.name for one in suggestions(text, 2, 0)[1]}
    assert "batch_size" in names and "epochs" not in names


def test_nothing_is_offered_in_comments_and_texts():
    text = 'name = "x" # tr\ndescription = """\n[mod\n"""\ntags = ["a#b"] # x\n'
    for line, column in ((0, 15), (2, 4), (4, 18)):
        assert suggestions(text, line, column) == ("", [])


def test_a_key_says_what_it_is_for():
    assert about(TEXT, 10, 2) == ("train.epochs", "Whole number from 0. Passes over the training split.")
    assert about("", 0, 0) == ("", "") and about("x", 9, 9) == ("", "")


@given(st.text(alphabet="ab.=[]\"' #\n{}_name", max_size=60), st.integers(0, 8), st.integers(0, 40))
@example('[sweep.space]\n"model.', 1, 7)
def test_any_text_has_a_place_or_none(text, line, column):
    found = place(text, line, column)
    if found is not None:
        before = text.split("\n")[line][:column]
        assert before.endswith(found.word) and found.what in ("table", "key", "value")
    word, fitting = suggestions(text, line, column)
    assert not fitting or (found is not None and word == found.word)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_at_each_place_of_a_recipe_its_own_key_fits(path):
    lines = path.read_text().split("\n")
    for number, line in enumerate(lines[:60]):
        key = line.partition(" = ")[0]
        if " = " not in line or not key.isidentifier():
            continue
        typed = [*lines[:number], key[:1], *lines[number + 1 :]]
        found = place("\n".join(typed), number, 1)
        if found is None or found.path[:1] == ("params",) or not found.path:
            continue
        offered = {one.name for one in suggestions("\n".join(typed), number, 1)[1]}
        if key not in ("name", "factory"):  # without it nobody knows which kind it is
            assert key in offered or "factory" in "".join(lines), (key, found)


def test_every_recipe_has_its_options():
    for path in RECIPES:
        recipe = load(path)
        found = {option.key: option for option in options(recipe)}
        assert found["name"].value == recipe.name
        if recipe.command is None:
            assert found["train.epochs"].value == str(recipe.train.epochs)
            assert recipe.model.name in found["model.name"].values
        for option in found.values():
            assert option.key in ("description",) or "\n" not in option.value


def test_a_value_of_an_option_is_what_set_takes():
    recipe = load(next(path for path in RECIPES if path.stem == "digits"))
    text = "\n".join(path.read_text() for path in RECIPES if path.stem == "digits")
    for option in options(recipe):
        if option.value and option.key != "description":
            assert option.key.count(".") < 2 or option.key.startswith(("model.", "data.", "resources."))
            again = parse(text, "x", [f"{option.key}={option.value}"])
            assert again.tables() | {"sweep": None} == recipe.tables() | {"sweep": None}, option.key


@given(
    st.recursive(
        st.integers(-5, 5) | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    )
)
def test_a_value_in_one_line_is_read_as_it_was(value):
    text = inline(value)
    assert "\n" not in text and tomllib.loads(f"x = {text}") == {"x": value}


def test_problems_have_their_lines():
    with pytest.raises(RecipeError) as caught:
        parse('name = "x"\n[dta]\n', "a.toml", ["train.epochs=no"])
    found = located(caught.value, "a.toml")
    assert found[-1].line == 2 or any(one.line == 2 and "did you mean 'data'" in one.text for one in found)
    assert any(one.line == 0 and one.text.startswith("--set train.epochs: ") for one in found)
    with pytest.raises(RecipeError) as caught:
        parse("name = \n", "a.toml")
    assert located(caught.value, "a.toml") == [Problem(1, "not TOML: Invalid value")]


def test_a_recipe_is_saved_in_its_folder_and_over_nothing_foreign(tmp_path):
    folder = tmp_path / "recipes"
    folder.mkdir()
    path = save(folder, "a/new", "x = 1\n")
    assert path == folder / "a" / "new.toml" and path.read_text() == "x = 1\n"
    with pytest.raises(LabError, match="is there already"):
        save(folder, "a/new.toml", "")
    save(folder, "recipes/a/new.toml", "x = 2\n", before="x = 1\n")
    with pytest.raises(LabError, match="changed on the disk meanwhile"):
        save(folder, "a/new.toml", "x = 3\n", before="x = 1\n")
    path.unlink()
    with pytest.raises(LabError, match=r"no such file.*another name"):
        save(folder, "a/new.toml", "x = 3\n", before="x = 2\n")
    for name in ("", "..", "../x", "/etc/x", "a/../../x", ".hidden", "a//b", "x\0y"):
        with pytest.raises(LabError, match="no name for a recipe"):
            save(folder, name, "")
    (folder / "out").symlink_to(tmp_path)
    with pytest.raises(LabError, match="leads out of"):
        save(folder, "out/x", "")
    assert sorted(os.listdir(tmp_path)) == ["recipes"]


def test_the_pace_is_that_of_the_recipes_own_runs():
    def row(recipe, state, duration, epochs):
        metrics = {"epoch": {"last": epochs}} if epochs else {}
        names = ("recipe", "state", "duration", "metrics")
        return dict(zip(names, (recipe, state, duration, metrics), strict=True))

    rows = [
        row("a", "finished", 100.0, 10), row("a", "stopped", 30.0, 1), row("a", "failed", 7.0, None),
        row("a", "running", 5.0, 1), row("b", "finished", 1.0, 1), row("a (edited)", "finished", None, 3),
    ]  # fmt: skip
    rows = [one | {"id": f"run-{number}"} for number, one in enumerate(rows)]
    found = Earlier.of(rows, ["a"]).pace
    assert (found.epoch, found.run, found.runs) == (20.0, 100.0, 2)
    assert found.seconds(5) == 100.0 and found.seconds(None) == 100.0
    assert Earlier.of(rows, ["c"]).pace is None
    said = Earlier.of(rows, ["a"])
    assert (said.running, said.waiting) == (("run-3",), 0)
