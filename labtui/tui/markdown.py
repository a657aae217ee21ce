"""Markdown as rows of text: what a report looks like when somebody renders it.

Rich renders it into what fits a width, in a worker. (Textual's widget makes one for each cell of a table: 2 s
for the report of a small run, and .1 s a key. Its links can be followed, too, and these come from data.)
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, ImageItem, Markdown
from rich.style import Style
from rich.text import Text
from rich.theme import Theme

from labtui.cells import clean, fit
from labtui.rows import Row, merged

NAMES = {
    "h1": "title", "h2": "title", "h3": "bold", "h4": "bold", "h5": "bold", "h6": "bold",
    "strong": "bold", "em": "dim", "s": "dim", "code": "accent", "code_block": "", "block_quote": "dim",
    "table.header": "head", "table.border": "dim", "item.bullet": "dim", "item.number": "dim",
    "link": "accent", "link_url": "dim", "hr": "dim", "paragraph": "", "item": "",
}  # fmt: skip
"""Rich's styles to those of rows."""


ROWS = 300
"""Of a table, at most."""


def rendered(text: str, width: int) -> list[Row]:
    """Markdown in so many cells; links and pictures in words."""
    styles = {f"markdown.{name}": Style.from_meta({"style": style}) for name, style in NAMES.items()}
    console = Console(
        width=max(width, 20), file=io.StringIO(), color_system=None, theme=Theme(styles),
        markup=False, emoji=False, highlight=False, legacy_windows=False,
    )  # fmt: skip
    rows: list[Row] = []
    for line in console.render_lines(_Plain(text), pad=False):
        pieces = [(clean(piece.text.rstrip("\n")), _style(piece.style)) for piece in line]
        while pieces and not pieces[-1][0].strip():
            pieces.pop()
        if pieces:
            pieces[-1] = (pieces[-1][0].rstrip(), pieces[-1][1])
        if pieces or (rows and rows[-1]):  # Rich leaves two lines above a table
            rows.append(merged(pieces))
    return rows


def _style(style: Style | None) -> str:
    return str(style.meta.get("style", "")) if style else ""


class _Code(CodeBlock):
    """Lines as they are, cut where they are too long: in most of them columns stand below each other."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = str(self.text).rstrip().split("\n")
        yield Text("\n".join("  " + fit(line, options.max_width - 2) for line in lines), no_wrap=True)


class _Heading(Heading):
    """All of them on the left."""

    LEVEL_ALIGN = {}


class _Picture(ImageItem):
    """What it shows, in words."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        style = Style.from_meta({"style": "dim"})
        yield Text.assemble(("picture: ", style), self.text or Text(self.destination))


def _shortened(tokens: Iterable[Token]) -> Iterator[Token]:
    """Tables of thousands of rows by their first ones: laying out all would take as many milliseconds."""
    from markdown_it import MarkdownIt

    rows = 0
    for token in tokens:
        rows = 0 if token.type == "table_open" else rows + (token.type == "tr_open")
        inside = token.type not in ("table_close", "tbody_close", "table_open")
        if rows <= ROWS + 1 or not inside:  # the head is one of them
            yield token
        if token.type == "table_close" and rows > ROWS + 1:
            yield from MarkdownIt().parse(f"*… and {rows - ROWS - 1:,} more rows, which the file will have.*")
            rows = 0
        elif token.type == "table_close":
            rows = 0


class _Plain(Markdown):
    """Markdown without anything that could be followed."""

    elements = Markdown.elements | {
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
        "image": _Picture,
    }

    def __init__(self, text: str) -> None:
        super().__init__(text, hyperlinks=False)

        self.parsed = list(_shortened(self.parsed))

    def _flatten_tokens(self, tokens: Iterable[Token]) -> Iterable[Token]:
        """Line breaks as such, and an address that is its own text once."""
        for token in super()._flatten_tokens(tokens):
            if token.type == "html_inline" and token.content == "<br>":
                token.type, token.content, token.tag = "hardbreak", "", "br"
            if token.type in ("link_open", "link_close") and token.markup == "autolink":
                continue
            if token.type != "html_block":
                yield token
