"""The notebook on the command line: notes and to-dos on anything, listed, searched, never lost."""

from __future__ import annotations

import io
import json
import sys
import time

import pytest
from conftest import fill
from tui_lab import add_run

from labtui import notes
from labtui.files.paths import LabPaths


@pytest.fixture
def paths(lab) -> LabPaths:
    (lab / "recipes" / "fault").mkdir(parents=True)
    (lab / "recipes" / "fault" / "cnn.toml").write_text('name = "cnn"\n')
    paths = LabPaths(lab)
    for name in ("one", "two"):
        sweep = "20240101-000000-grid-aaaa" if name == "two" else ""
        add_run(paths, name, 600, extra={"origin": {"file": "recipes/fault/cnn.toml", "sweep": sweep}})
    return paths


def texts(paths, kind: str = "notes") -> list[str]:
    return [one["text"] for one in notes.read_notes(paths)[kind]]


def listed(cli, *arguments: str) -> list[dict]:
    status, out, _ = cli(*arguments, "--format", "json")
    assert status == 0
    return json.loads(out)


def test_a_note_is_on_a_run_a_sweep_a_recipe_or_the_lab(cli, paths):
    one = next(run for run in paths.run_ids() if "-one-" in run)
    for place, said in (
        (one[:25], f"noted on run {one}"),
        ("grid-aaaa", "noted on sweep 20240101-000000-grid-aaaa"),
        ("fault/cnn.toml", "noted on recipe fault/cnn.toml"),
        ("recipes/fault/cnn.toml", "noted on recipe fault/cnn.toml"),
        ("@lab", "noted on the lab"),
    ):
        assert cli("note", place, f"about {place}") == (0, said + "\n", "")
    assert texts(paths.run(one)) == [f"about {one[:25]}"] and texts(paths) == ["about @lab"]
    assert len(texts(paths.recipe_notes("fault/cnn.toml"))) == 2
    assert {(one["on"], one["kind"]) for one in listed(cli, "note")} == {
        (one, "run"), ("20240101-000000-grid-aaaa", "sweep"), ("fault/cnn.toml", "recipe"), ("@lab", "lab")
    }  # fmt: skip


def test_a_recipe_that_is_gone_keeps_its_notes(cli, paths):
    assert cli("note", "fault/cnn.toml", "flawed")[0] == 0
    (paths.recipes / "fault" / "cnn.toml").rename(paths.recipes / "new.toml")
    assert "flawed" in cli("note", "fault/cnn.toml")[1] and "fault/cnn.toml" in cli("note")[1]
    status, _, err = cli("note", "fault/other.toml", "x")
    assert status == 2 and "no such file; `labtui recipes` lists" in err
    status, _, err = cli("note", "new", "x")
    assert status == 2 and "the recipe is new.toml" in err


def test_to_dos_are_added_marked_with_reasons_changed_and_removed(cli, paths):
    for text in ("longer clips", "data augmentation", "optimizers"):
        assert cli("todo", "add", "@lab", text)[0] == 0
    assert cli("todo", "abort", "@lab", "1", "too slow")[1] == "to-do 1 of the lab: abort\n"
    assert cli("todo", "pending", "@lab", "2", "the disk is full")[0] == 0
    assert cli("todo", "done", "@lab", "3")[0] == 0
    assert [one["text"] for one in listed(cli, "todo", "list")] == ["data augmentation"]
    stands = {one["n"]: (one["state"], one["reason"]) for one in listed(cli, "todo", "list", "--all")}
    assert stands == {1: ("abort", "too slow"), 2: ("pending", "the disk is full"), 3: ("done", "")}
    assert [
        one["n"] for one in listed(cli, "todo", "list", "@lab", "--state", "abort", "--state", "done")
    ] == [3, 1]
    assert cli("todo", "open", "@lab", "1")[0] == cli("todo", "edit", "@lab", "1", "clips of 30 s")[0] == 0
    assert cli("todo", "remove", "@lab", "2")[0] == 0
    assert [(one["n"], one["text"], one["reason"]) for one in listed(cli, "todo", "list", "@lab")] == [
        (1, "clips of 30 s", "")
    ]
    status, _, err = cli("todo", "done", "@lab", "7")
    assert status == 2 and "the lab has no to-do 7; `labtui todo list` numbers them" in err
    assert cli("todo")[1] == cli("todo", "list")[1]
    assert "- [x] **\\[DONE\\]** the lab: optimizers" in cli("todo", "list", "--all", "--format", "md")[1]
    assert (
        cli("todo", "list", "--all", "--format", "csv")[1].splitlines()[0] == "on,n,state,to do,why,written"
    )


def test_the_journal_is_dated_the_newest_last(cli, paths, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    for days, text in ((2, "older\n\n- a\n- b"), (0, "newer"), (1, "between")):
        monkeypatch.setattr(notes.time, "time", lambda days=days: 1795170000.0 - 86_400 * days)
        notes.add_note(paths, text)
    notes.add_todo(paths, "seeds")
    assert cli("note", "@lab")[1] == (
        "2026-11-18\n  10:20  note 1\n         older\n\n         - a\n         - b\n\n"
        "2026-11-19\n  10:20  note 3\n         between\n  10:20  to-do 1  [OPEN]\n         seeds\n\n"
        "2026-11-20\n  10:20  note 2\n         newer\n"
    )
    assert "  10:20  note 2  @lab\n" in cli("note")[1]
    assert [one["n"] for one in listed(cli, "note", "--since", "2026-11-20")] == [2]
    monkeypatch.undo()
    assert listed(cli, "note", "--since", "1h") == []
    status, _, err = cli("note", "--since", "yesterday")
    assert status == 2 and "expected a date such as" in err


def test_a_note_is_written_anew_or_removed_by_its_number(cli, paths, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"several\n\n- lines\n")))
    assert cli("note", "@lab", "-")[0] == cli("note", "@lab", "second")[0] == 0
    assert texts(paths) == ["several\n\n- lines", "second"]
    monkeypatch.setenv("VISUAL", "sh -c 'printf edited > \"$0\"'")
    assert cli("note", "@lab", "-n", "1", "--editor")[0] == 0
    assert cli("note", "@lab", "-n", "2", "2nd")[1] == "note 2 on the lab is another\n"
    assert texts(paths) == ["edited", "2nd"]
    assert cli("note", "@lab", "-n", "1", "--remove")[0] == 0
    assert texts(paths) == ["2nd"]
    for wrong in (["-n", "2", "x"], ["--remove"], ["x", "--remove", "-n", "1"], ["x", "-e"], ["  "]):
        assert cli("note", "@lab", *wrong)[0] == 2
    assert cli("note", "-n", "1")[0] == cli("note", "@lab", "x", "--since", "1h")[0] == 2
    assert texts(paths) == ["2nd"]


def test_runs_are_found_by_what_is_written_on_them(cli, paths):
    one, two = (next(run for run in paths.run_ids() if f"-{name}-" in run) for name in ("one", "two"))
    cli("note", one, "**Unstable** from epoch 3 on")
    cli("todo", "add", two, "more seeds")
    cli("todo", "add", two, "unstable: why?")
    ids = lambda text: [row["id"] for row in listed(cli, "ls", "--filter", text)]  # noqa: E731
    assert ids('note~"unstable"') == [two, one] and ids("note~seeds") == [two]
    assert ids("todo=open") == [two]
    cli("todo", "done", two, "1"), cli("todo", "done", two, "2")
    assert ids("todo=open") == [] and ids("todo=done") == [two]
    cli("todo", "abort", two, "1", "no gain")
    page = cli("show", two)[1]
    assert "to do\n  [abort]  more seeds\n           (no gain)\n  [done]  unstable: why?\n" in page
    row = listed(cli, "show", one)
    assert row["note"] == "**Unstable** from epoch 3 on" and row["todo"] == []


def test_what_cannot_be_written_is_printed_back(cli, paths, small_disk):
    lab = LabPaths(small_disk("200k"))
    assert cli("--lab", str(lab.root), "note", "@lab", "x")[0] == 2  # no lab, and not made one
    assert list(lab.root.iterdir()) == []
    lab.own.mkdir(parents=True)
    fill(lab.root)
    text = "an hour's thoughts " * 300
    status, out, err = cli("--lab", str(lab.root), "note", "@lab", text)
    assert status == 2 and out == "" and text in err and "check rights and room" in err
    assert texts(lab) == []


def test_looking_at_an_empty_notebook_makes_nothing(cli, lab):
    for command in (["note"], ["todo"], ["todo", "list"]):
        status, out, err = cli(*command)
        assert (status, out) == (0, "") and "@lab TEXT" in err
    assert not (lab / "runs").exists()
