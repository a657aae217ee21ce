"""One HTML file with everything in it: pictures, tables to take away, style. It needs no network and no script."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

from labtui.files.paths import slug
from labtui.report.blocks import Block, Heading
from labtui.report.document import Beside
from labtui.report.formats import Form, md
from labtui.report.kept import Marks

CONTENTS = 5
"""Headings from which on a table of contents leads to them."""
KINDS = {"png": "image/png", "svg": "image/svg+xml", "csv": "text/csv"}
_WHOLE = re.compile(r"(?=.{1,60}$)(?=.*[- /])(?:\S+|\**[\d.e+-]+ ± [\d.e+-]+\**(?: \([^()]+\)\**)?)")
"""What a cell holds that would be broken, and is not to be: a run's id, or a figure with its deviation."""
END = "\n\n</main>\n</body>\n</html>\n"


def render(name: str, blocks: Iterable[Block], beside: Beside) -> str:
    """The document without its first line."""
    writer = _Writer(beside)
    parts: list[str] = []
    contents: list[str] = []
    title = name
    taken: set[str] = set()
    for block in blocks:
        if not isinstance(block, Heading):
            parts += [writer.html(text) for text in md.texts(block, beside)]
            continue
        words = writer.line(block)
        if block.level == 1:
            title = html.unescape(re.sub("<.*?>", " ", words))
        place = _place(block, taken)
        parts.append(f'<h{block.level} id="{place}">{words}</h{block.level}>')
        if block.level == 2:
            contents.append(f'<li><a href="#{place}">{words}</a></li>')
    if len(contents) >= CONTENTS:
        first = next((at for at, part in enumerate(parts) if part.startswith("<h2")), 0)
        parts.insert(first, "\n".join(['<nav aria-label="Contents">', "<ol>", *contents, "</ol>", "</nav>"]))
    head = _HEAD.format(
        title=html.escape(title), style=files("labtui.report.formats").joinpath("html.css").read_text()
    )
    return head + "\n\n".join(parts) + END


_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="labtui">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>

"""


def _place(heading: Heading, taken: set[str]) -> str:
    """An id for a heading, another for each."""
    base = slug(heading.title)
    place, number = base, 1
    while place in taken:
        number += 1
        place = f"{base}-{number}"
    taken.add(place)
    return html.escape(place)


class _Writer:
    """Markdown to HTML; addresses of what would lie beside become the files themselves.

    Markup in the text is shown as text, but for the line breaks that `labtui.report.text` makes.
    """

    def __init__(self, beside: Beside) -> None:
        from markdown_it import MarkdownIt

        self.beside = beside
        self.parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

    def html(self, text: str) -> str:
        """Blocks."""
        tokens = self.parser.parse(text)
        self._prepare(tokens)
        return "".join(_framed(self.parser.renderer.render(tokens, self.parser.options, {}))).strip()

    def line(self, heading: Heading) -> str:
        """What stands in a heading."""
        return self.html(heading.markdown()).partition(">")[2].rpartition("</h")[0]

    def _prepare(self, tokens: Sequence[Any]) -> None:
        for place, token in enumerate(tokens):
            if token.type == "inline" and place > 1 and tokens[place - 2].type == "list_item_open":
                _box(token.children)
            if token.type == "td_open" and _WHOLE.fullmatch(tokens[place + 1].content):
                token.attrSet("class", "whole")
            if token.children:
                self._prepare(token.children)
            if token.type in ("html_inline", "html_block"):
                if token.content == "<br>":
                    token.type, token.tag, token.content = "hardbreak", "br", ""
                else:
                    token.type, token.tag = "text", ""
            elif token.type == "link_open":
                self._link(token)
            elif token.type == "image":
                token.attrs["src"] = self._inside(str(token.attrs["src"])) or ""

    def _link(self, token: Any) -> None:
        address = str(token.attrs["href"])
        if inside := self._inside(address):
            token.attrs |= {"href": inside, "download": unquote(address).rpartition("/")[2]}
        else:
            token.attrs["rel"] = "noopener noreferrer"

    def _inside(self, address: str) -> str | None:
        """A file as an address that holds it; None: it is not one of the report's."""
        name = unquote(address).rpartition("/")[2]
        if name not in self.beside.files or unquote(address) != f"{self.beside.folder}/{name}":
            return None
        kind = KINDS.get(name.rpartition(".")[2], "application/octet-stream")
        return f"data:{kind};base64,{base64.b64encode(self.beside.files[name]).decode()}"


def _box(pieces: list[Any] | None) -> None:
    """A box of a to-do, ticked or not."""
    if pieces and pieces[0].type == "text":
        for sign, box in (("[x] ", "☑ "), ("[ ] ", "☐ ")):
            if pieces[0].content.startswith(sign):
                pieces[0].content = box + pieces[0].content.removeprefix(sign)


def _framed(text: str) -> Iterator[str]:
    """Tables that scroll by themselves where a page is narrow."""
    yield text.replace("<table>", '<div class="table">\n<table>').replace("</table>", "</table>\n</div>")


FORM = Form(
    Marks(
        first="<!-- labtui html report ",
        last=" -->",
        opening="<!-- notes -->",
        closing="<!-- /notes -->",
        pattern=md.NOTE,
        heading=re.compile(r"<h(?P<level>[1-6])[^>]*>(?P<title>.*?)</h(?P=level)>"),
        titled=lambda level, title: f"<h{level}>{title}</h{level}>",
        end=END,
    ),
    render,
    draws=True,
)
