"""What the user writes on a run is never lost, whoever else writes."""

from __future__ import annotations

import threading

import pytest
from tui_lab import add_run

from labtui import notes
from labtui.errors import LabError, NoteChanged
from labtui.files.paths import LabPaths, RunPaths


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
    with pytest.raises(LabError, match="no entry 3"):
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
