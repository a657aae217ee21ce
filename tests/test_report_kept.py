"""What people write into a report stays, wherever it stands and however the report changes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import report_lab
from hypothesis import given
from hypothesis import strategies as st

from labtui.errors import LabError
from labtui.report import kept
from labtui.report.formats import form
from labtui.report.subject import of_run

FILES = {"md": "r.md", "html": "r.html", "latex": "r.tex"}
MARKS = {name: form(name).marks for name in FILES}


def written(marks: kept.Marks, text: str) -> str:
    return f"{marks.opening}\n{text}\n{marks.closing}"


@pytest.mark.parametrize("name", FILES)
def test_two_pairs_are_offered_and_what_is_in_them_stays(lab: Path, name: str) -> None:
    run, out, marks = report_lab.failed(lab), lab / FILES[name], MARKS[name]
    first = of_run(run).write(out).read_text()
    empty = f"{marks.opening}\n\n{marks.closing}"
    assert first.count(empty) == 2 and first.rstrip().endswith((empty + marks.end).rstrip())
    one, two = (
        written(marks, "Mine: <b>a</b> \\emph{b}, 50 %, é"),
        written(marks, "    indented\n\n\n```\nopen"),
    )
    out.write_text(two.join(one.join(first.split(empty, 1)).rsplit(empty, 1)))
    again = of_run(run).write(out).read_text()
    assert again.count(one) == again.count(two) == 1 and empty not in again
    assert again == of_run(run).write(out).read_text()
    # The report itself is what it was.
    assert again.replace(one, empty).replace(two, empty).partition("\n")[2] == first.partition("\n")[2]


@pytest.mark.parametrize("name", FILES)
def test_a_pair_stays_under_its_heading_or_under_notes_until_that_is_back(lab: Path, name: str) -> None:
    run, out, marks = report_lab.failed(lab), lab / FILES[name], MARKS[name]
    first = of_run(run).write(out).read_text()
    heading = next(one for one in marks.heading.finditer(first) if (one["title"] or "").startswith("Result"))
    mine = written(marks, "Mine.")
    out.write_text(f"{first[: heading.end()]}\n\n{mine}{first[heading.end() :]}")
    stays = of_run(run).write(out).read_text()
    assert f"{heading[0]}\n\n{mine}" in stays
    away = of_run(run).write(out, sections=["todos"]).read_text()
    assert f"{marks.titled(2, 'Notes')}\n\n{marks.titled(3, 'Result')}\n\n{mine}" in away
    assert of_run(run).write(out, sections=["todos"]).read_text() == away
    assert of_run(run).write(out).read_text() == stays


def test_a_pair_at_the_end_of_a_section_stays_there(lab: Path) -> None:
    run, out = report_lab.failed(lab), lab / "r.md"
    text = of_run(run).write(out).read_text()
    mine = written(MARKS["md"], "Mine.")
    out.write_text(text.replace("\n## To do", f"\n{mine}\n\n## To do"))
    assert f"\n\n{mine}\n\n## To do" in of_run(run).write(out, pictures=False).read_text()


def test_the_pair_below_the_title_stays_there_though_the_title_changes(lab: Path) -> None:
    out, mine = lab / "r.md", written(MARKS["md"], "Mine.")
    text = of_run(report_lab.failed(lab)).write(out).read_text()
    out.write_text(text.replace("<!-- notes -->\n\n<!-- /notes -->", mine, 1))
    other = of_run(report_lab.script(lab))
    assert other.write(out, pictures=False).read_text().index(mine) < 300
    above = other.write(out, sections=["results"], pictures=False).read_text()
    assert above.index(mine) < above.index("## Result")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<!-- /notes -->", ""),
        ("<!-- notes -->", ""),
        ("<!-- /notes -->", "<!-- notes -->"),
        ("<!-- notes -->", "<!-- notes -->\n<!-- NOTES -->"),
    ],
)
def test_a_damaged_pair_is_never_written_over(lab: Path, old: str, new: str) -> None:
    run, out = report_lab.failed(lab), lab / "r.md"
    text = of_run(run).write(out).read_text().replace(old, new, 1)
    out.write_text(text)
    for force in (False, True):
        with pytest.raises(LabError, match=r"r\.md:\d+: a mark of notes without its other half"):
            of_run(run).write(out, force=force)
    assert out.read_text() == text


@pytest.mark.parametrize("name", FILES)
def test_what_was_changed_elsewhere_is_not_written_over(lab: Path, name: str) -> None:
    run, out, marks = report_lab.failed(lab), lab / FILES[name], MARKS[name]
    text = of_run(run).write(out).read_text()
    changed = text.replace("Result", "My result").replace(f"{marks.opening}\n", f"{marks.opening}\nkept", 1)
    out.write_text(changed)
    with pytest.raises(
        LabError, match=r"was changed by somebody.*put what is yours between .*notes.* --force"
    ):
        of_run(run).write(out)
    assert out.read_text() == changed
    forced = of_run(run).write(out, force=True).read_text()
    assert f"{marks.opening}\nkept" in forced and "My result" not in forced


def test_what_editors_do_to_a_file_is_no_change(lab: Path) -> None:
    run, out = report_lab.failed(lab), lab / "r.md"
    text = of_run(run).write(out).read_text()
    mine = written(MARKS["md"], "Mine,  \nby hand.")
    out.write_bytes(
        ("\ufeff" + text.rstrip())
        .replace("<!-- notes -->\n\n<!-- /notes -->", mine, 1)
        .replace("\n", "\r\n")
        .encode()
    )
    again = of_run(run).write(out).read_text()
    assert mine in again and again.replace(mine, "<!-- notes -->\n\n<!-- /notes -->") == text


def test_bytes_that_are_no_text_stay_as_they_are(lab: Path) -> None:
    run, out = report_lab.failed(lab), lab / "r.md"
    of_run(run).write(out)
    out.write_bytes(out.read_bytes().replace(b"<!-- notes -->\n", b"<!-- notes -->\n\xff\xfe caf\xe9", 1))
    assert b"<!-- notes -->\n\xff\xfe caf\xe9" in of_run(run).write(out).read_bytes()


def test_marks_in_what_a_program_said_are_no_marks(lab: Path) -> None:
    recipe = {"name": "<!-- notes -->", "tags": ["<!-- notes -->"], "description": "% notes\n<!-- /notes -->"}
    result = {
        "attempt": 1,
        "outcome": "failed",
        "traceback": "<!-- notes -->\n% notes\n# no heading\n```\n# x",
    }
    run = report_lab.make(lab, "20261120-102000-x-aa00", recipe, result=result)
    for file in FILES.values():
        first = of_run(run).write(lab / file).read_text()
        assert of_run(run).write(lab / file).read_text() == first


def test_another_format_does_not_take_a_reports_place(lab: Path) -> None:
    run = report_lab.failed(lab)
    of_run(run).write(lab / "r.txt", format="md")
    with pytest.raises(LabError, match="was not written by labtui"):
        of_run(run).write(lab / "r.txt", format="html")


words = st.text(st.sampled_from("ab #`\n%<>-!/") | st.characters(codec="utf-8"), max_size=20).filter(
    lambda text: not any(marks.pattern.search(f"\n{text}\n") for marks in MARKS.values())
)
reports = st.lists(st.tuples(st.integers(1, 3), st.sampled_from("ABC")), max_size=6)


def report(marks: kept.Marks, headings: list[tuple[int, str]]) -> str:
    """A text with some headings, and something below each."""
    parts = [f"\n{marks.titled(level, title)}\n\nText of {title}.\n" for level, title in headings]
    return "".join(["\nText.\n", *parts]) + marks.end


@given(
    st.sampled_from(list(FILES)), reports, reports, st.lists(st.tuples(st.integers(0, 20), words), max_size=4)
)
def test_nothing_is_lost_whatever_comes_and_goes(
    name: str, before: list[tuple[int, str]], after: list[tuple[int, str]], mine: list[tuple[int, str]]
) -> None:
    marks = MARKS[name]
    lines = kept.merged(marks, report(marks, before)).split("\n\n")
    lines = [line for line in lines if line.strip() not in (marks.opening, marks.closing)]
    for place, text in mine:
        lines.insert(min(place, len(lines) - bool(marks.end)), written(marks, text))
    old = "\n\n".join(lines)
    found = kept.pairs(marks, old, Path("r"))
    assert Counter(pair.text for pair in found) == Counter(written(marks, text) for _, text in mine)
    new = kept.merged(marks, report(marks, after), found)
    again = kept.pairs(marks, new, Path("r"))
    filled = lambda pairs: Counter(pair.text for pair in pairs if not pair.empty)  # noqa: E731
    assert filled(again) == filled(found)
    assert kept.merged(marks, report(marks, after), again) == new
    if before == after:
        assert (
            kept.changed(marks, kept.first_line(marks, "n", kept.merged(marks, report(marks, before))), new)
            is False
        )
