"""HTML, LaTeX and CSV: golden files, data that stays data, nothing that is dropped unsaid."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
import report_lab
from hypothesis import given
from hypothesis import strategies as st
from test_report import GOLDEN, unsummed

from labtui.errors import LabError
from labtui.query.lab import Run
from labtui.report.blocks import Heading, Mean, Picture, Table
from labtui.report.document import Beside
from labtui.report.formats import csv as tables
from labtui.report.formats import form, html, latex
from labtui.report.subject import of_run
from labtui.report.text import code, fence, prose

hostile = st.text(
    st.sampled_from("a1 |<>`*_[]()#&$~\\!-+.=:/\n\t\"'{}x@%^?,\u202e\u0627\r\x00\x1b")
    | st.characters(codec="utf-8"),
    max_size=30,
)


def golden(path: Path, name: str) -> None:
    text = re.sub("base64,[A-Za-z0-9+/=]*", "base64,…", unsummed(path))
    file = GOLDEN / name
    if os.environ.get("LABTUI_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("name", ["finished", "script"])
@pytest.mark.parametrize("ending", ["html", "tex"])
def test_golden(lab: Path, name: str, ending: str) -> None:
    """Run with LABTUI_GOLDEN=write to take the texts as they are now."""
    build: Callable[[Path], Run] = getattr(report_lab, name)
    golden(
        of_run(build(lab)).write(lab / f"r.{ending}", pictures=name != "script"), f"report-{name}.{ending}"
    )


def test_golden_csv(lab: Path) -> None:
    folder = of_run(report_lab.finished(lab)).write(lab / "tables", format="csv")
    short = {file.name: file.read_text().splitlines()[:4] for file in sorted(folder.glob("*.csv"))}
    file = GOLDEN / "report-finished-csv.json"
    if os.environ.get("LABTUI_GOLDEN") == "write":
        file.write_text(json.dumps(short, indent=1, ensure_ascii=False) + "\n")
    assert short == json.loads(file.read_text())


def test_the_format_is_said_or_seen_by_the_files_name(lab: Path) -> None:
    found = of_run(report_lab.failed(lab))
    assert found.write(lab / "r.HTM").read_text().startswith("<!-- labtui html report ")
    assert found.write(lab / "r.txt", format="latex").read_text().startswith("% labtui report ")
    assert found.write(lab / "r.txt2").read_text().startswith("<!-- labtui report ")
    with pytest.raises(LabError, match="ends as that of md, and the format is to be html"):
        found.write(lab / "r.md", format="html")
    with pytest.raises(LabError, match="format 'pdf': unknown; known here: md, html, latex, csv"):
        found.write(lab / "r.pdf", format="pdf")


class Page(HTMLParser):
    """Tags and addresses of a page, and what a reader sees of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.seen = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.seen += data


def test_a_page_needs_nothing_else(lab: Path) -> None:
    out = of_run(report_lab.finished(lab)).write(lab / "r.html")
    assert not (lab / "r_files").exists()
    page = Page(out.read_text())
    assert "script" not in page.tags and page.tags.count("h1") == page.tags.count("title") == 1
    sources = [value for _, name, value in page.attributes if name == "src"]
    assert len(sources) == page.tags.count("img") >= 3 and all(
        value.startswith("data:image/png;base64,") for value in sources if value
    )
    assert all(value for tag, name, value in page.attributes if (tag, name) == ("img", "alt"))
    links = [value or "" for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids)) and all(link[1:] in ids for link in links if link.startswith("#"))
    (log,) = (link for link in links if link.startswith("data:"))
    kind, _, content = log.partition(";base64,")
    assert kind == "data:text/csv" and base64.b64decode(content).startswith(b"step,")
    assert ("a", "download", "log.csv") in page.attributes
    others = {link for link in links if not link.startswith(("#", "data:"))}
    assert others == {"https://example.org/a_b?x=1", "https://example.org/b_c"}


def test_pictures_may_be_drawn_as_text_or_as_svg(lab: Path) -> None:
    found = of_run(report_lab.finished(lab))
    assert "<img" not in found.write(lab / "t.html", pictures=False).read_text()
    page = found.write(lab / "s.html", svg=True).read_text()
    assert page.count('src="data:image/svg+xml;base64,') >= 3 and "image/png" not in page
    text = found.write(lab / "s.md", svg=True).read_text()
    assert "](s_files/loss.svg)" in text
    drawn = (lab / "s_files" / "loss.svg").read_bytes()
    assert b"<svg" in drawn and b"<dc:date>" not in drawn
    assert found.write(lab / "s.md", svg=True) and (lab / "s_files" / "loss.svg").read_bytes() == drawn
    found.write(lab / "s.md")
    assert {path.suffix for path in (lab / "s_files").iterdir()} == {".png", ".csv"}


@given(hostile, hostile)
def test_nothing_that_people_write_is_html(text: str, name: str) -> None:
    text, name = f"x{text}", f"x{name}"
    blocks = [
        Heading(1, "Title", name), prose(text), Table((name, "b"), [(text, name)]), fence(text), code(text),
        Picture("a.png", prose(text), lambda format: b""), Heading(2, "Part", text),
    ]  # fmt: skip
    page = Page(html.render(name, blocks, Beside("x_files")))
    plain = Page(html.render("n", [Heading(1, "Title", "n"), "p", Table(("a", "b"), [("c", "d")]), fence("x"), code("x"),
                                   Picture("a.png", "p", lambda format: b""), Heading(2, "Part", "p")], Beside("x_files")))  # fmt: skip
    assert [tag for tag in page.tags if tag not in ("br", "a")] == [tag for tag in plain.tags if tag != "a"]
    assert all(name in ("href", "rel") for tag, name, _ in page.attributes if tag == "a")
    links = [value or "" for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    assert all(link.startswith(("http://", "https://")) for link in links)


def test_a_runs_id_and_a_deviation_stay_on_one_line() -> None:
    table = Table(
        ["run", "figure"], [["20261120-102000-a_b-aa00", Mean(0.5, 0.01, 5, 5)], ["two words", 1.0]]
    )
    written = html.render("x", [table], Beside("files"))
    assert re.findall('class="whole">(.*?)<', written) == ["20261120-102000-a_b-aa00", "0.500 ± 0.010 (5)"]


def test_html_that_is_written_is_shown() -> None:
    page = html.render("n", ["a <script>alert(1)</script> b", "<div onclick=x>\n\n<br>"], Beside(""))
    assert "&lt;script&gt;" in page and "&lt;div onclick=x&gt;" in page and "<script" not in page


def balanced(text: str) -> bool:
    """Whether braces and formulas close, a command at a time."""
    depth, formula = 0, False
    for token in re.findall(r"\\.|[{}$%#&_^~]", text, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(token, 0)
        formula ^= token == "$"
        assert token not in ("%", "#", "&"), token
        assert token not in ("_", "^") or formula, token
        if depth < 0:
            return False
    return depth == 0 and not formula


@given(hostile)
def test_nothing_that_people_write_is_latex(text: str) -> None:
    line = latex.escaped(text)
    assert balanced(line) and "\n" not in line
    commands = set(re.findall(r"\\([A-Za-z]+|.)", line))
    known = set(re.findall(r"\\([A-Za-z]+|.)", " ".join(latex._SIGNS.values())))
    assert commands <= known
    assert not re.search(
        "--|''|,,|``|[?!]`|^[\\[*]", line.replace("--{}", "").replace("---{}", "").replace("``", "")
    )


FIGURES = [
    ("0.912 ± 0.014 (5)", r"$0.912 \pm 0.014$ (5)"),
    ("1.2e-5", r"$1.2 \times 10^{-5}$"),
    ("-0.5", "$-0.5$"),
    ("nan", "nan"),
    ("– (0 of 3, 3 NaN)", r"--{} (0 of 3, 3 NaN)"),
]


@pytest.mark.parametrize(("text", "written"), FIGURES)
def test_figures_are_formulas(text: str, written: str) -> None:
    assert latex.figure(text) == written


TABLE = Table(
    ("name", "acc", "loss"),
    [("a_b", Mean(0.9123, 0.0142, 5, 5), 0.5), ("c", Mean(0.8, None, 1, 2), 12.25), ("=1+1", None, math.nan)],
    (("acc", "max"), ("loss", "min")),
)


def test_the_best_is_bold_and_decimals_stand_below_each_other() -> None:
    lines = latex.tabular(TABLE, "c", "l").splitlines()
    assert r"a\_b & $\mathbf{0.912 \pm 0.014}$ (5) & $\mathbf{0.50}$ \\" in lines
    assert r"c & $0.8$ (1 of 2) & $12.25$ \\" in lines and r"=1+1 & --{} & nan \\" in lines
    assert r"\begin{tabular}{lrr}" in lines


def test_long_tables_break_over_pages_and_long_texts_over_lines() -> None:
    text = latex.tabular(Table(("a", "b"), [(n, "word " * 20) for n in range(60)]), "c", "l")
    assert (
        r"\begin{longtable}{r>{\raggedright\arraybackslash}p{0.55\linewidth}}" in text and r"\endhead" in text
    )


def test_tables_that_would_be_too_small_are_turned() -> None:
    wide = Table([f"val.metric {n}" for n in range(9)], [[Mean(0.5, 0.01, 3, 3)] * 9])
    text = latex.render("n", [Heading(2, "Cells"), wide], Beside(""))
    assert r"\begin{sidewaystable}" in text and "rotating" in text.splitlines()[0]
    assert "sideways" not in latex.render("n", [TABLE], Beside(""))


def test_labels_are_each_their_own_and_letters_that_pdflatex_lacks_are_said(lab: Path) -> None:
    text = of_run(report_lab.script(lab)).write(lab / "r.tex").read_text()
    labels = re.findall(r"\\label{(.*?)}", text)
    assert labels and len(labels) == len(set(labels)) and all(label.isascii() for label in labels)
    assert re.search(
        "^% LuaLaTeX or XeLaTeX, and a font that has .*精.*: pdflatex has not", text, re.MULTILINE
    )
    assert "LuaLaTeX" not in of_run(report_lab.finished(lab)).write(lab / "f.tex").read_text()


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="there is no pdflatex here")
def test_pdflatex_sets_it(lab: Path) -> None:
    of_run(report_lab.finished(lab)).write(lab / "r.tex")
    signs = "".join(map(chr, [*range(32, 127), *range(0xA1, 0x180)]))
    rows = [
        [sign + sign + "a" + sign, f"[{sign}]"]
        for sign in [*signs, *latex._SIGNS]
        if not latex.lacking(sign) or sign in latex._SIGNS
    ]
    (lab / "s.tex").write_text(latex.tabular(Table(("*", "[1]"), rows), "c", "l"))
    packages = r"\usepackage[T1]{fontenc}\usepackage{booktabs,graphicx,longtable,array,amssymb,rotating}"
    (lab / "d.tex").write_text(
        rf"\documentclass{{article}}{packages}\begin{{document}}\input{{r}}\input{{s}}\end{{document}}"
    )
    command = ["pdflatex", "-draftmode", "-halt-on-error", "-interaction=nonstopmode", "d"]
    done = subprocess.run(command, cwd=lab, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]


def test_means_are_three_columns_of_figures_in_full() -> None:
    rows = list(csv.reader(io.StringIO(tables.rendered(TABLE))))
    assert rows[0] == ["name", "acc mean", "acc std", "acc n", "loss"]
    assert rows[1] == ["a_b", "0.9123", "0.0142", "5", "0.5"] and rows[2][1:4] == ["0.8", "", "1"]
    assert rows[3] == ["'=1+1", "", "", "", "nan"]


@given(hostile | st.integers() | st.floats() | st.none() | st.booleans())
def test_no_cell_is_a_formula_and_every_number_is_itself(value: object) -> None:
    ((cell, last),) = csv.reader(io.StringIO(tables.rendered(Table((), [])).lstrip() + line(value)))
    assert last == "end"
    if isinstance(value, int | float) and not isinstance(value, bool):
        assert float(cell) == value or value != value or abs(value) > 1e300
    elif isinstance(value, str):
        assert not re.match(r"\s*[=+\-@]", cell) or math.isfinite(float(cell))


def line(value: object) -> str:
    return tables.rendered(Table(("a", "b"), [(value, "end")])).partition("\n")[2]


def test_every_table_gets_a_file_and_none_is_dropped_unsaid(lab: Path) -> None:
    found = of_run(report_lab.finished(lab))
    folder = found.write(lab / "t", format="csv")
    assert (folder / "log.csv").exists() and (folder / "01-hyper-parameters.csv").exists()
    with pytest.raises(
        LabError, match=r"one\.csv: takes one table, and these sections have \d+ \(Hyper.*--section"
    ):
        found.write(lab / "one.csv")
    assert not (lab / "one.csv").exists()
    one = found.write(lab / "one.csv", sections=["results"])
    assert one.read_text().startswith("score,at best,")
    with pytest.raises(LabError, match=r"one\.csv: exists"):
        found.write(lab / "one.csv", sections=["results"])
    found.write(lab / "one.csv", sections=["results"], force=True)
    assert found.printed(["results"], "csv").splitlines() == one.read_text().splitlines()


def test_a_folder_of_tables_holds_one_report_and_nobodys_files(lab: Path) -> None:
    found = of_run(report_lab.finished(lab))
    (lab / "t").mkdir()
    (lab / "t" / "mine.csv").write_text("1")
    with pytest.raises(LabError, match="was not written by labtui"):
        found.write(lab / "t", format="csv")
    (lab / "t" / "mine.csv").unlink()
    found.write(lab / "t", format="csv")
    (lab / "t" / "mine.csv").write_text("1")
    found.write(lab / "t", ["results"], format="csv")
    assert sorted(path.name for path in (lab / "t").glob("*.csv")) == ["01-result.csv", "mine.csv"]


def test_a_report_goes_into_a_pipe(lab: Path) -> None:
    found = of_run(report_lab.finished(lab))
    assert found.printed().startswith("<!-- labtui report ") and "![" not in found.printed()
    assert "data:image/png" in found.printed(format="html")
    assert r"\begin{table}" in found.printed(format="latex")
    assert form("latex").beside is False


def test_tables_beside_a_report_hold_no_formulas_either() -> None:
    beside = Beside("files")
    beside.attach_csv("log.csv", ["step", "=1+1"], iter([[1, "@SUM(A1)"], [2, -0.5]]))
    assert beside.files["log.csv"].decode().splitlines() == ["step,'=1+1", "1,'@SUM(A1)", "2,-0.5"]
