"""What the README promises: its commands run, its recipe is valid, its Python works."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def lines() -> list[str]:
    """Every command line of the README that begins with labtui."""
    found = [line.split("  #")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    parts = [part.strip() for line in found for part in re.split(r"; |&& ", line)]
    return [part for part in parts if part.startswith("labtui ")]


def test_every_command_is_in_the_readme():
    from labtui.cli.commands import app

    names = {(c.name or c.callback.__name__.replace("_", "-")) for c in app.registered_commands}
    shown = {line.split()[1] for line in lines()} | set(re.findall(r"`labtui (\w+)", README))
    assert not names - shown


def test_the_recipe_of_the_readme_is_valid(tmp_path):
    from labtui.recipe.read import load
    from labtui.sweep import expand

    (text,) = [block for block in blocks("toml") if block.startswith("name =")]
    path = tmp_path / "r.toml"
    path.write_text(text)
    assert len(expand(load(path), "r.toml")) == 6


def test_the_python_of_the_readme_works(lab):
    (code,) = blocks("python")
    done = subprocess.run([sys.executable, "-c", code], cwd=lab, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().count(" 0.99\n") == 1


@pytest.mark.timeout(400)
def test_the_commands_of_the_readme_run(cli, lab):
    """In their order, on a small recipe, in a lab that `labtui init` makes."""
    assert cli("init", ".")[0] == 0
    digits = lab / "recipes" / "digits.toml"
    digits.write_text(
        re.sub(r"epochs = \d+", "epochs = 2", digits.read_text()) + "\n[resources]\nthreads = 1\n"
    )
    for line in lines():
        arguments = shlex.split(line)[1:]
        if arguments[0] == "init" or ("--detach" not in arguments and "fault" in line and "show" not in line):
            continue
        if arguments[0] == "stop":  # of a run that is long enough to be stopped
            cli("run", "digits", "--detach", "--set", "train.epochs=100000")
            _wait_for_a_run(cli)
        if arguments[0] == "resume":
            arguments += ["--detach"]
        status, _, err = cli(*arguments)
        if arguments[0] == "resume":
            cli("stop", "@last", "--kill")
        assert status == 0 and "should not have happened" not in err, (line, err)
    assert (lab / "report.md").is_file() and (lab / "metrics.csv").is_file()
    for row in _rows(cli):
        if row["state"] in ("queued", "running"):
            cli("stop", row["id"])


def _rows(cli) -> list[dict]:
    import json

    return json.loads(cli("ls", "--format", "json")[1])


def _wait_for_a_run(cli) -> None:
    end = time.monotonic() + 60
    while _rows(cli)[0]["state"] != "running":
        assert time.monotonic() < end
        time.sleep(0.2)


def test_the_keys_of_the_readme_do_something():
    from labtui.tui.screens.lab import LabScreen

    named = {"/": "slash", ",": "comma"}
    table = README.partition("| key | in the lab |")[2].partition("\n\n")[0]
    shown = {
        named.get(key, key)
        for row in table.splitlines()[2:]
        for key in re.findall(r"`(.+?)`", row.split("|")[1])
    }
    keys = {key for command in LabScreen.KEYS for key in command.key.split(",")}
    assert shown and shown <= keys


def test_the_settings_of_the_readme_are_known(tmp_path):
    from labtui.files.settings import wrong

    found = [block for block in blocks("toml") if "[tui]" in block or "[slots]" in block]
    assert len(found) == 2
    for block in found:
        (tmp_path / "labtui.toml").write_text(block)
        assert list(wrong(tmp_path)) == []
