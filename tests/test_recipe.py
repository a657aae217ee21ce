"""Recipes: what is right is read, what is wrong is named at its line."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labtui.errors import RecipeError
from labtui.files.factory import load as load_factory
from labtui.files.toml import dumps
from labtui.recipe.core import Recipe
from labtui.recipe.data import DATASETS
from labtui.recipe.locate import lines_of_keys
from labtui.recipe.models import MODELS
from labtui.recipe.optim import LOSSES, OPTIMIZERS, SCHEDULES
from labtui.recipe.read import check, load, parse_value
from labtui.recipe.schema import documented, schema
from labtui.recipe.spec import Spec

SHIPPED = sorted((Path(__file__).parents[1] / "recipes").rglob("*.toml"))
GOOD = """\
name = "x"
[data]
name = "digits"
[model]
name = "digits_cnn"
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "r.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_every_shipped_recipe_is_valid_and_says_what_it_is(path):
    recipe = load(path)
    assert recipe.description.strip() and recipe.tags
    assert check(tomllib.loads(dumps(recipe.tables()).decode()), "again") == recipe


@pytest.mark.parametrize(
    "text, line, expected",
    [
        ("colour = 3\n" + GOOD, 1, "colour: unknown key"),
        (GOOD + "chanels = 3\n", 6, "model.chanels: unknown key; did you mean 'channels'?"),
        (GOOD + "channels = 'many'\n", 6, "expected a valid integer, got 'many'"),
        (GOOD + "channels = 0\n", 6, "greater than or equal to 1"),
        (GOOD + "channels = true\n", 6, "valid integer"),
        (GOOD + "dropout = nan\n", 6, "finite"),
        (GOOD.replace('name = "digits_cnn"', 'factory = "mine"'), 5, "model.factory: string should match"),
        (GOOD.replace("digits_cnn", "digit_cnn"), 5, "unknown name 'digit_cnn'; did you mean 'digits_cnn'?"),
        ('name = "x"\n[data]\npath = "y"\n[model]\nname = "digits_cnn"\n', 2, "expected a table with `name"),
        (GOOD + "[optimizer]\nname='sgd'\nnesterov=true\n", 6, "momentum"),
        (GOOD + "[train]\nepochs = 2.5\n", 7, "train.epochs: expected a valid integer, got 2.5"),
        (GOOD + "[validate]\nscheme = 'kfolds'\n", 7, "'holdout', 'kfold', 'group' or 'file'"),
        (GOOD + "[validate]\nval = 0.6\ntest = 0.5\n", 6, "leaves nothing to train on"),
        (GOOD + "[validate]\nfolds = 3\nfold = 3\n", 6, "fold = 3 must be below folds = 3"),
        ("data = 3\n" + GOOD.replace("[data]\nname = \"digits\"", ""), 1, "expected a table"),
        ("name = 'x'\n[model]\nname = 'digits_cnn'\n", 1, "[data] is missing"),
        ("name = 'x'\n", 1, "[data] is missing (or give a `command`)"),
        ("name = ''\ncommand = ['a']\n", 1, "at least 1 character"),
        ("name = 'x'\ncommand = []\n", 2, "at least 1 item"),
        ("name = 'x'\ncommand = ['a', '{params.lr}']\n[params]\nlrr = 1\n", 2, "nearest: params.lrr"),
        (GOOD + "command = ['a']\n", 6, "model.command"),
        ("command = ['a']\n" + GOOD, 1, "either a `command` or [data] and [model]"),
        ("name = \n", 1, "not TOML"),
        (b"name = 'x'\n\nb = '\xff'\n", 3, "not UTF-8 text (byte 0xff)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_at_its_line(tmp_path, text, line, expected):
    path = write(tmp_path, text)
    with pytest.raises(RecipeError) as error:
        load(path)
    assert expected in str(error.value)
    assert f"{path}:{line}:" in str(error.value)


def test_all_problems_are_named_at_once(tmp_path):
    path = write(tmp_path, GOOD + "a = 1\n[train]\nb = 1\nepochs = -1\n")
    with pytest.raises(RecipeError) as error:
        load(path)
    assert len(str(error.value).splitlines()) == 3


def test_files_that_are_no_recipes(tmp_path):
    big = write(tmp_path, "# " + "x" * 10_000_000)
    with pytest.raises(RecipeError, match=r"10\.0 MB is no recipe"):
        load(big)
    with pytest.raises(RecipeError, match="is a folder"):
        load(tmp_path)
    with pytest.raises(RecipeError, match=r"no such file; did you mean .*r\.toml"):
        load(tmp_path / "rr.toml")
    with pytest.raises(RecipeError):
        load(Path("a\0b"))
    with pytest.raises(RecipeError, match="nested too deeply"):
        load(write(tmp_path, "a = " + "[" * 50_000))


@pytest.mark.parametrize(
    "override, key, value",
    [
        ("train.epochs=3", "epochs", 3),
        ("train.clip_norm=0.5", "clip_norm", 0.5),
        ("train.clip_norm=1", "clip_norm", 1.0),
    ],
)
def test_overrides_take_the_fields_own_type(tmp_path, override, key, value):
    recipe = load(write(tmp_path, GOOD), [override])
    assert getattr(recipe.train, key) == value


def test_overrides_choose_parts_and_remove_keys(tmp_path):
    path = write(tmp_path, GOOD + "channels = 3\n")
    recipe = load(path, ["optimizer.name=sgd", "optimizer.lr=0.5", "model.channels=", "tags=['a','b']"])
    assert (recipe.optimizer.name, recipe.optimizer.lr, recipe.model.channels) == ("sgd", 0.5, 32)
    assert recipe.tags == ["a", "b"]
    assert load(path, ["model.channels=", "model.factory=m:f"]).model.factory == "m:f"


def test_an_override_that_looks_like_a_number_can_be_a_text(tmp_path):
    recipe = load(write(tmp_path, GOOD), ["name=2024", "description=true", "train.seed=3"])
    assert (recipe.name, recipe.description, recipe.train.seed) == ("2024", "true", 3)


@pytest.mark.parametrize(
    "override, expected",
    [
        ("train.epochs=two", "--set train.epochs: expected a valid integer, got 'two'"),
        ("train.epoch=2", "--set train.epoch: unknown key; did you mean 'epochs'?"),
        ("epochs", "expected key=value"),
        ("=3", "expected key=value"),
        ("name.x=3", "name is no table"),
    ],
)
def test_a_wrong_override_is_named_as_such(tmp_path, override, expected):
    with pytest.raises(RecipeError) as error:
        load(write(tmp_path, GOOD), [override])
    assert expected in str(error.value)


@given(st.text(max_size=40))
def test_any_override_text_is_a_value(text):
    parse_value(text)


@given(st.text(alphabet="ab[]=.\"'# \n{}1", max_size=120))
@settings(max_examples=300)
def test_any_text_has_lines_or_none(text):
    assert all(1 <= line <= text.count("\n") + 1 for line in lines_of_keys(text).values())


@pytest.mark.parametrize("text", [GOOD, GOOD + "[train]\n'epochs' = 3\n", 'a = """\nb = 1\n"""\nc = 2\n'])
def test_lines_are_those_of_the_keys(text):
    lines = text.splitlines()
    for path, number in lines_of_keys(text).items():
        assert path[-1] in lines[number - 1]
    if "c = 2" in text:
        assert ("b",) not in lines_of_keys(text)


@pytest.mark.parametrize("spec", [*DATASETS, *MODELS], ids=lambda s: s.__name__)
def test_every_spec_has_its_builder(spec):
    assert callable(load_factory(spec.factory_path))


@pytest.mark.parametrize(
    "spec", [*DATASETS, *MODELS, *OPTIMIZERS, *SCHEDULES, *LOSSES, Recipe], ids=lambda s: s.__name__
)
def test_every_option_is_documented(spec: type[Spec]):
    assert not spec.model_fields.keys() - {name for name, text in documented(spec).items() if text}


def test_the_schema_is_json_and_complete():
    text = json.dumps(schema())
    for name, table in schema()["$defs"].items():
        told = [key for key, field in table.get("properties", {}).items() if "description" not in field]
        assert not told, (name, told)
    for word in ("digits_cnn", "transformer_cls", "bearings", "plateau", "adadelta", "warmup_epochs"):
        assert word in text


def test_a_key_that_is_parsed_meanwhile_does_not_fail_the_schema(monkeypatch):
    from labtui.recipe import schema

    parse, faults = schema.ast.parse, [SystemError("AST constructor recursion depth mismatch")] * 2
    monkeypatch.setattr(
        schema.ast, "parse", lambda source: parse(source) if not faults else _raise(faults.pop())
    )
    schema._texts.cache_clear()
    assert "seed" in schema._texts("labtui.recipe.core")["Train"] and not faults


def _raise(error: Exception) -> None:
    raise error
