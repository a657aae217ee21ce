"""GitHub's markdown; pictures and tables lie beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from labtui.report.blocks import Block, Picture
from labtui.report.document import Beside
from labtui.report.formats import Form
from labtui.report.kept import Marks
from labtui.report.text import fence

NOTE = re.compile(r"<!--\s*(/?)\s*notes\s*-->", re.IGNORECASE)
FIRST = "<!-- labtui report "


def render(name: str, blocks: Iterable[Block], beside: Beside) -> str:
    """Blocks as text, a blank line between them."""
    return "".join(f"\n{text}\n" for block in blocks for text in texts(block, beside))


def texts(block: Block, beside: Beside) -> Iterator[str]:
    """One block as paragraphs."""
    if isinstance(block, str):
        yield block
    elif not isinstance(block, Picture):
        yield block.markdown()
    elif beside.pictures:
        file = f"{block.file.removesuffix('.png')}.{beside.drawn}"
        yield f"![{block.said}]({beside.attach(file, lambda: block.draw(beside.drawn))})"
        if beside.draws and (remark := block.remark()):
            yield remark
    else:
        yield block.said + "."
        if lines := block.drawn():
            yield fence(lines)


FORM = Form(
    Marks(
        first=FIRST,
        last=" -->",
        opening="<!-- notes -->",
        closing="<!-- /notes -->",
        pattern=NOTE,
        # A line in a block of code is no heading, whatever it begins with.
        heading=re.compile(
            r"^(?:(?P<ticks>`{3,}).*\n(?s:.*?)^(?P=ticks)$|(?P<level>#{1,6}) (?P<title>.*))", re.MULTILINE
        ),
        titled=lambda level, title: f"{'#' * level} {title}",
    ),
    render,
    beside=True,
    draws=True,
)
