"""The tables of a report in LaTeX, to `\\input` into a paper: booktabs, the best in bold.

Text is escaped for pdflatex with the usual T1 or OT1 fonts; where a table has letters that those lack, the head of
the file says so, and LuaLaTeX or XeLaTeX with a font that has them sets it. Pictures and prose are in other formats.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from labtui.cells import clean
from labtui.files.paths import slug
from labtui.report.blocks import Block, Heading, Mean, Table
from labtui.report.document import Beside
from labtui.report.formats import Form
from labtui.report.kept import Marks
from labtui.table import cell

LONG = 40
"""Rows from which on a table may break over pages."""
WIDE = 48
"""Characters from which on a text gets lines of its own."""
TURNED = 110
"""Characters of a row from which on a table is turned: it would be too small to read."""
_SIGNS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\symbol{34}", "`": r"\textasciigrave{}",
    # After a line's end a bracket or a star would belong to it.
    "[": "{[}", "]": "{]}", "*": "{*}",
    # Two of them would be joined to another sign.
    "-": "-{}", "'": "'{}", ",": ",{}", "!": "!{}", "?": "?{}",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "→": r"$\rightarrow$", "←": r"$\leftarrow$", "±": r"$\pm$",
    "×": r"$\times$", "·": r"$\cdot$", "−": "$-$", "≥": r"$\geq$", "≤": r"$\leq$", "≈": r"$\approx$", "≠": r"$\neq$",
    "∞": r"$\infty$", "Δ": r"$\Delta$", "ρ": r"$\rho$", "σ": r"$\sigma$", "µ": r"$\mu$", "μ": r"$\mu$", "λ": r"$\lambda$",
    "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$", "ε": r"$\varepsilon$", "η": r"$\eta$", "θ": r"$\theta$",
    "–": "--{}", "—": "---{}", "…": r"\ldots{}", "“": "``", "”": "''{}", "‘": "{`}", "’": "'{}", "\u00a0": "~",
    "✓": r"$\checkmark$", "⚠": "!{}", "°": r"\textdegree{}", "′": r"$'$",
}  # fmt: skip
_SINGLE = frozenset("-',!?")
_NUMBER = re.compile(r"([+-]?)(\d+(?:\.\d+)?)(?:e([+-]?\d+))?")
_LACKING = re.compile("[^\n\x20-\x7e\u00a1-\u017f]|[ĦħĸĿŀŉŦŧſ]")


def escaped(text: str) -> str:
    """Text as it is, on one line: nothing in it is a command, a comment, a formula or a new cell."""
    line = " ".join(clean(part) for part in text.split("\n") if part.strip())
    parts = []
    for place, char in enumerate(line):
        sign = _SIGNS.get(char, char)
        # A sign that is alone is as it is: only in a row of them is one taken for another.
        if char in _SINGLE and line[place + 1 : place + 2] not in (*_SINGLE, "`"):
            sign = char
        parts.append(sign)
    return "".join(parts)


def lacking(text: str) -> str:
    """Letters of a text in LaTeX that pdflatex has no fonts for."""
    return "".join(sorted(set(_LACKING.findall(text))))


def figure(text: str, bold: bool = False) -> str:
    """A number, or a mean and its deviation, as it was rounded, as a formula; other text as text."""
    head, space, rest = text.partition(" (")
    parts = [_NUMBER.fullmatch(part) for part in head.split(" ± ")]
    if len(parts) > 2 or not all(parts):
        return rf"\textbf{{{escaped(text)}}}" if bold else escaped(text)
    formula = r" \pm ".join(_formula(part) for part in parts if part)
    formula = rf"\mathbf{{{formula}}}" if bold else formula
    return f"${formula}$" + escaped(space + rest)


def _formula(found: re.Match[str]) -> str:
    sign, digits, exponent = found.groups()
    return sign + digits + (rf" \times 10^{{{int(exponent)}}}" if exponent else "")


def _cell(value: Any, bold: bool, places: int) -> str:
    if isinstance(value, Mean):
        return figure(str(value), bold)
    if _numeric(value):
        return figure(_rounded(value, places), bold)
    text = value if isinstance(value, str) else cell(value)
    return rf"\textbf{{{escaped(text)}}}" if bold else escaped(text)


def _numeric(value: Any) -> bool:
    return isinstance(value, Mean | int | float) and not isinstance(value, bool)


def _rounded(value: Any, places: int) -> str:
    """A number with as many decimal places as its column has; such as have an exponent, and integers, as they are."""
    text = cell(value)
    return (
        f"{value:.{places}f}"
        if isinstance(value, float) and text.replace(".", "").lstrip("-").isdecimal()
        else text
    )


def _places(values: Iterable[Any]) -> int:
    """Most decimal places of a column's numbers: they stand below each other."""
    shown = [cell(value).partition(".")[2] for value in values if isinstance(value, float)]
    return max((len(decimals) for decimals in shown if decimals.isdecimal()), default=0)


def tabular(table: Table, caption: str, label: str) -> str:
    """One `table`, shrunk to the line where it is wider, and turned where that were too small; a `longtable` where
    it is longer than a page.

    Args:
        caption, label: in LaTeX.
    """
    best = table.best()
    head = " & ".join(escaped(name) for name in table.columns) + r" \\"
    places = [_places(row[place] for row in table.rows) for place in range(len(table.columns))]
    rows = [
        " & ".join(_cell(value, (at, place) in best, places[place]) for place, value in enumerate(row))
        + r" \\"
        for at, row in enumerate(table.rows)
    ]
    sides = "".join(_sides(table))
    if len(rows) > LONG:
        again = [r"\toprule", head, r"\midrule"]
        return "\n".join([
            rf"\begin{{longtable}}{{{sides}}}", rf"\caption{{{caption}}}\label{{{label}}} \\", *again, r"\endfirsthead",
            *again, r"\endhead", r"\bottomrule", r"\endfoot", *rows, r"\end{longtable}",
        ])  # fmt: skip
    kind, where = ("sidewaystable", "") if _width(table) > TURNED else ("table", "[htbp]")
    return "\n".join([
        rf"\begin{{{kind}}}{where}", r"\centering", rf"\caption{{{caption}}}", rf"\label{{{label}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%", rf"\begin{{tabular}}{{{sides}}}",
        r"\toprule", head, r"\midrule", *rows, r"\bottomrule", r"\end{tabular}}", rf"\end{{{kind}}}",
    ])  # fmt: skip


def _width(table: Table) -> int:
    """Characters of a table's rows, roughly; a long text has lines of its own, which take what there is."""
    rows = [table.columns, *table.rows]
    longest = [max(len(str(one) if isinstance(one, str | Mean) else cell(one)) for one in column)
               for column in zip(*rows, strict=True)]  # fmt: skip
    return sum(WIDE // 3 if long > WIDE else long for long in longest)


def _sides(table: Table) -> list[str]:
    """Numbers right; long texts in lines, which share the width."""
    columns = [
        [row[place] for row in table.rows if row[place] is not None] for place in range(len(table.columns))
    ]
    long = [max((len(cell(value)) for value in known), default=0) > WIDE for known in columns]
    share = min(0.55, max(0.25, 0.75 / max(sum(long), 1)))
    lines = rf">{{\raggedright\arraybackslash}}p{{{share:.2f}\linewidth}}"
    return [
        "r" if known and all(map(_numeric, known)) else lines if wide else "l"
        for known, wide in zip(columns, long, strict=True)
    ]


def render(name: str, blocks: Iterable[Block], beside: Beside) -> str:
    """The tables, each under a comment with its heading, without first line."""
    parts = [part for block in _tables(_base(name), blocks) for part in block]
    text = "\n\n".join(parts)
    packages = [
        package for package, sign in
        (("booktabs", r"\toprule"), ("graphicx", r"\resizebox"), ("longtable", r"{longtable}"), ("rotating", r"{sidewaystable}"),
         ("array", r">{\raggedright"),
         ("amssymb", r"\checkmark")) if sign in text
    ]  # fmt: skip
    said = (
        [f"% \\usepackage{{{', '.join(packages)}}}"]
        if packages
        else ["% There is no table in these sections."]
    )
    if letters := lacking(text):
        shown = letters if len(letters) <= 20 else letters[:20] + " …"
        said.append(f"% LuaLaTeX or XeLaTeX, and a font that has {shown}: pdflatex has not.")
    return "\n".join(said) + "\n\n" + text + "\n"


def _base(name: str) -> str:
    """What labels begin with: ASCII, without a run's time."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return slug(re.sub(r"^\d{8}-\d{6}-", "", plain))


def _tables(base: str, blocks: Iterable[Block]) -> Iterator[tuple[str, ...]]:
    path: dict[int, str] = {}
    labels: set[str] = set()
    word = "table"
    for block in blocks:
        if isinstance(block, Heading):
            title = escaped(block.title) + (f": {escaped(block.name)}" if block.name else "")
            path = {level: words for level, words in path.items() if level < block.level} | {
                block.level: title
            }
            yield (f"%% {'#' * block.level} {title}",)
            word = slug(block.title)
        elif isinstance(block, Table):
            label, number = f"tab:{base}:{word}", 1
            while label in labels:
                number += 1
                label = f"tab:{base}:{word}-{number}"
            labels.add(label)
            title = ", ".join(words for level, words in path.items() if level > 1) or path.get(1, base)
            again = f" ({escaped(block.columns[0])})" if number > 1 and block.columns else ""
            yield (tabular(block, title + again, label),)


FORM = Form(
    Marks(
        first="% labtui report ",
        last="",
        opening="% notes",
        closing="% /notes",
        pattern=re.compile(r"^% ?(/?)notes$", re.MULTILINE),
        heading=re.compile(r"^%% (?P<level>#{1,6}) (?P<title>.*)$", re.MULTILINE),
        titled=lambda level, title: f"%% {'#' * level} {title}",
    ),
    render,
)
