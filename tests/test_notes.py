"""What the user writes on a run, a sweep, a recipe or the lab is never lost, whoever else writes."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest
from conftest import fill
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tui_lab import add_run

from labtui import notes
from labtui.errors import LabError, NoteChanged
from labtui.files.paths import LabPaths, Noted, RunPaths


@pytest.fixture
def run(tmp_path) -> RunPaths:
    lab = LabPaths(tmp_path)
    return lab.run(add_run(lab, "one", 600))


def texts(run: RunPaths, kind: str) -> list[str]:
    return [entry["text"] for entry in notes.read_notes(run)[kind]]


def test_a_to_do_is_open_done_pending_or_aborted_with_a_reason(run):
    for text in ("first", "second"):
        notes.add_todo(run, text)
    state = lambda: [notes.todo_state(entry) for entry in notes.read_notes(run)["todos"]]  # noqa: E731
    assert state() == ["open", "open"]
    notes.mark_todo(run, 1, "pending", "no GPU")
    notes.mark_todo(run, 0, "done")
    assert state() == ["done", "pending"]
    first, second = notes.read_notes(run)["todos"]
    assert second["reason"] == "no GPU" and "reason" not in first and first["done"] is True
    notes.mark_todo(run, 1, "abort", "no gain")
    notes.mark_todo(run, 0, "open")
    assert state() == ["open", "abort"] and "marked" not in notes.read_notes(run)["todos"][0]
    with pytest.raises(LabError, match="expected one of open, done"):
        notes.mark_todo(run, 0, "gone")


def test_what_somebody_else_changed_is_not_overwritten(run):
    notes.add_note(run, "one")
    notes.add_todo(run, "two")
    notes.write_note(run, 0, "one!", before="one")
    with pytest.raises(NoteChanged, match="nothing was written"):
        notes.write_note(run, 0, "mine", before="one")
    with pytest.raises(NoteChanged):
        notes.write_todo(run, 4, "mine", before="gone")
    with pytest.raises(NoteChanged):
        notes.mark_todo(run, 0, "done", before="other")
    with pytest.raises(LabError, match="such entry"):
        notes.write_todo(run, 3, "mine")
    notes.write_todo(run, 0, "", before="two")
    assert texts(run, "notes") == ["one!"] and texts(run, "todos") == []


def test_everything_that_is_written_at_once_is_kept(run):
    writers = [
        threading.Thread(target=notes.add_note if n % 2 else notes.add_todo, args=(run, str(n)))
        for n in range(12)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(map(int, texts(run, "notes") + texts(run, "todos"))) == list(range(12))


def test_broken_notes_are_told_and_left_alone(run):
    assert notes.problem(run) == ""
    run.notes.write_text("notes = [\n")
    assert "notes.toml cannot be read" in notes.problem(run)
    with pytest.raises(LabError, match="mend or remove"):
        notes.add_note(run, "more")
    assert run.notes.read_text() == "notes = [\n"
    run.notes.write_text('notes = 3\n[[todos]]\nstate = "who knows"\n')
    assert notes.read_notes(run) == {"tags": [], "notes": [], "todos": [{"state": "who knows", "text": ""}]}
    assert notes.todo_state({"state": "who knows"}) == "open"


def test_what_somebody_else_has_written_is_kept_or_nothing_is_written(run):
    run.notes.write_text('mine = "a table of one\'s own"\n[[notes]]\ntext = "one"\nby = "me"\n')
    notes.add_note(run, "two")
    text = run.notes.read_text()
    assert texts(run, "notes") == ["one", "two"] and "one's own" in text and 'by = "me"' in text
    for odd in ('notes = ["one"]\n', 'tags = "slow"\n'):
        run.notes.write_text(odd)
        with pytest.raises(LabError, match="holds what labtui does not write"):
            notes.add_note(run, "two")
        assert run.notes.read_text() == odd


@pytest.mark.parametrize("of", ["sweep", "recipe", "lab"])
def test_sweeps_recipes_and_the_lab_are_written_on_too(tmp_path, of):
    lab = LabPaths(tmp_path / "mine")
    lab.root.mkdir()
    kept: Noted = {"sweep": lab.sweep("s1"), "recipe": lab.recipe_notes("fault/转.toml"), "lab": lab}[of]
    assert notes.read_notes(kept) == {"tags": [], "notes": [], "todos": []}
    notes.add_note(kept, "one")
    notes.add_todo(kept, "two")
    notes.mark_todo(kept, 0, "pending", "a GPU")
    found = notes.read_notes(kept)
    assert [one["text"] for one in found["notes"]] == ["one"] and found["todos"][0]["reason"] == "a GPU"
    assert kept.kind == of and kept.notes.is_relative_to(lab.own)
    assert kept.notes.parent.stat().st_mode & 0o777 == 0o700
    with pytest.raises(LabError, match=f"{of} .*there is no such entry"):
        notes.write_note(kept, 7, "x")


def test_a_run_that_is_gone_is_not_made_again_by_a_note(tmp_path):
    gone = LabPaths(tmp_path).run("20240101-000000-gone-aaaa")
    with pytest.raises(LabError, match="is gone"):
        notes.add_note(gone, "x")
    assert not gone.root.exists()


@settings(deadline=None)
@given(
    st.lists(st.text(min_size=1, max_size=60) | st.sampled_from("./%"), min_size=1, max_size=4).map("".join)
)
@example("..")
@example("fault/../x.toml")
@example("x" * 200 + "..")
@example("\udcff.toml")
def test_any_path_of_a_recipe_has_a_safe_folder_of_its_own_that_tells_it(path):
    with tempfile.TemporaryDirectory() as folder:
        lab = LabPaths(Path(folder))
        others = [lab.recipe_notes(other) for other in (path + "/notes.toml", path[:200], path + "%")]
        for one in (kept := lab.recipe_notes(path), *others):
            inside = one.root.relative_to(lab.own / "recipes").parts
            assert all(part not in (".", "..") and len(part) < 255 and part.isascii() for part in inside)
            one.root.mkdir(parents=True, exist_ok=True)
            one.notes.touch()
        found = {one.id: one.notes for one in lab.noted_recipes()}
        assert found == {one.id: one.notes for one in (kept, *others)}


def test_a_full_disk_leaves_notes_as_they_were(small_disk):
    lab = LabPaths(small_disk("200k"))
    notes.add_note(lab, "one")
    before = lab.notes.read_bytes()
    fill(lab.root)
    with pytest.raises(LabError, match="nothing was written: check rights and room"):
        notes.add_note(lab, "x" * 20_000)
    assert lab.notes.read_bytes() == before and [one.name for one in lab.own.iterdir()] == ["notes.toml"]
