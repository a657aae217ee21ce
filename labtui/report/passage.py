"""Notes in markdown: a safe part of it is kept, all else is text.

Paragraphs, headings (as bold lines), lists, quotations, code, emphasis and links to http(s) come through;
tables, pictures, HTML, other links and control characters are read as they were typed. What a line of a note
ends, ends a line of the report, as on the screen on which it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from labtui.cells import clean
from labtui.report.text import code, fence, opened, prose, words

_RULES = (
    "heading", "list", "blockquote", "fence", "code",
    "newline", "escape", "backticks", "emphasis", "strikethrough", "link",
)  # fmt: skip
_AROUND = {"em": "em", "strong": "strong", "s": "s"}
_KEPT = {
    "paragraph", "bullet_list", "ordered_list", "list_item", "blockquote", "fence", "inline",
    "text", "text_special", "code_inline", "link", "em", "strong", "s",
}  # fmt: skip
_LANGUAGES = (
    "", "bash", "c", "console", "cpp", "csv", "diff", "ini", "json", "matlab", "py", "python", "r", "rust", "sh",
    "sql", "text", "toml", "yaml",
)  # fmt: skip
"""Of code, those whose names are kept: of others viewers may make drawings (mermaid, math, maps)."""
_ADDRESS = re.compile(r"https?://[!-;=?-~]+")
_DEEP = 40
"""Levels of lists and quotations that are followed."""


class _Reader(MarkdownIt):
    """Knows what is kept, and no more: the rest is text to it."""

    def __init__(self) -> None:
        super().__init__("zero", {"maxNesting": 2 * _DEEP})
        self.enable(list(_RULES))

    def validateLink(self, url: str) -> bool:
        """Whether a link is one."""
        return bool(_ADDRESS.fullmatch(url))


_reader = cache(_Reader)


@cache
def _renderer() -> MarkdownIt:
    """Understands what viewers do, HTML too."""
    return MarkdownIt("commonmark", {"html": True, "maxNesting": 4 * _DEEP}).enable(
        ["table", "strikethrough"]
    )


def passage(text: str) -> list[str]:
    """A text in markdown as blocks of markdown, each to stand apart from the next; none for an empty text.

    What would not come out as it went in (emphasis that means something else once a control character is
    visible) is one paragraph without any formatting.
    """
    lines = [clean(line.expandtabs(4)) if line.strip() else "" for line in text.splitlines()]
    if not any(lines):
        return []
    tokens = _reader().parse("\n".join(lines))
    if all(token.level <= _DEEP for token in tokens):
        blocks = list(_blocks(tokens))
        again = _renderer().parse("\n\n".join(blocks))
        if blocks and _harmless(again) and _said(again) == _said(tokens):
            return blocks
    return [prose("\n".join(lines))]


def _harmless(tokens: Sequence[Token]) -> bool:
    """Whether a viewer would make nothing of it but what is kept here."""
    return all(
        token.content == "<br>"
        if token.type == "html_inline"
        else re.sub("_(open|close)$", "", token.type) in _KEPT
        and (token.type != "link_open" or _ADDRESS.fullmatch(str(token.attrs.get("href", ""))))
        and _harmless(token.children or [])
        for token in tokens
    )


def _said(tokens: Sequence[Token]) -> str:
    """All that is read, without spaces."""
    said = ""
    for token in tokens:
        if token.children is not None:
            said += _said(token.children)
        elif token.type != "html_inline":
            known = token.info in _LANGUAGES or token.type != "fence"
            said += clean(f"{'' if known else token.info} {token.content}".expandtabs(4).replace("\n", " "))
    return re.sub(r"[\s\u25cc]+", "", said)


def begins_with_words(blocks: Sequence[str]) -> bool:
    """Whether the first block can go on a line that has begun already: it is no list, quotation or code."""
    return bool(blocks) and not re.match(r"```|[-+*>](\s|$)|\d+[.)](\s|$)", blocks[0])


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    """Blocks of one level, with what they hold."""
    at = 0
    while at < len(tokens):
        token, end = tokens[at], _end(tokens, at)
        inner = tokens[at + 1 : end]
        if token.type == "paragraph_open":
            if words := _inline(inner):
                yield words
        elif token.type == "heading_open":
            plain = [one for one in inner[0].children or [] if one.type[:6] != "strong"]
            if words := _line(plain):
                yield f"**{words}**"
        elif token.type in ("fence", "code_block"):
            language = token.info.strip()
            known = language in _LANGUAGES
            yield fence(token.content if known else f"{language}\n{token.content}", language if known else "")
        elif token.type == "blockquote_open":
            yield "\n".join(f"> {line}".rstrip() for line in "\n\n".join(_blocks(inner)).split("\n"))
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            yield _list(inner)
        at = end + 1


def _end(tokens: Sequence[Token], at: int) -> int:
    """The place of the token that closes the one here: itself, if it holds none."""
    depth = 0
    for place in range(at, len(tokens)):
        depth += tokens[place].nesting
        if depth == 0:
            return place
    return len(tokens) - 1


def _list(tokens: Sequence[Token]) -> str:
    """Items, the blocks of each below its mark."""
    items, at, tight = [], 0, True
    while at < len(tokens):
        token, end = tokens[at], _end(tokens, at)
        mark = f"{token.info}{token.markup} "
        inner = tokens[at + 1 : end]
        tight = tight and all(
            one.hidden for one in inner if one.type == "paragraph_open" and one.level == token.level + 1
        )
        blocks = list(_blocks(inner))
        items.append((mark, blocks))
        at = end + 1
    between = "\n" if tight else "\n\n"
    return between.join(below(mark, blocks, between) for mark, blocks in items)


def below(mark: str, blocks: Sequence[str], between: str = "\n\n") -> str:
    """Blocks as one item of a list: the first behind its mark, all indented below it."""
    lines = between.join(blocks).split("\n")
    return "\n".join(
        [(mark + lines[0]).rstrip(), *(" " * len(mark) + line if line else "" for line in lines[1:])]
    )


def _inline(tokens: Sequence[Token]) -> str:
    return "".join(_line(token.children or []) for token in tokens)


def _line(tokens: Sequence[Token]) -> str:
    """Words with emphasis, code and links, on one line."""
    found, text, address = list[str](), "", ""
    for token in tokens:
        if token.type in ("text", "text_special"):
            text += token.content
        elif token.type in ("softbreak", "hardbreak"):
            text += "\n"
        else:
            found.append(_text(text, not any(found), bool(address)))
            text = ""
            if token.type == "code_inline":
                found.append(code(token.content))
            elif token.type == "link_open":
                address = str(token.attrs["href"])
                found.append("[")
            elif token.type == "link_close":
                found.append(f"](<{address}>)")
                address = ""
            else:
                found.append(token.markup)
    return "".join([*found, _text(text, not any(found), False)])


def _text(text: str, begins: bool, linked: bool) -> str:
    """Words between two marks. An exclamation mark before a link would make a picture of it."""
    escaped = words(text, links=not linked)
    return re.sub("!$", r"\\!", opened(escaped) if begins else escaped)
