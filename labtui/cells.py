"""Text that came from somewhere else, made harmless and measured in terminal cells."""

from __future__ import annotations

import re
import unicodedata

ELLIPSIS = "…"

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x7f": "␡"}
# Format characters that are ink (the Arabic signs) or part letters without harm (the non-joiner).
_KEPT = frozenset("\u200c\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f")
_JOINER = "(?<![\u00a9-\u1fff\u2070-\U0001ffff])\u200d|\u200d(?![\u0900-\u0dff\u2190-\U0001ffff])"
"""A zero-width joiner that joins nothing: it would swallow the character after it."""


def _visible(char: str) -> str:
    """A character, or what stands for it where it would move, hide or reorder text."""
    code = ord(char)
    if char in _NAMED:
        return _NAMED[char]
    if code < 0x20:
        return chr(0x2400 + code)
    if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in _KEPT:
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    return char


def clean(text: str) -> str:
    """The text with all control, escape, bidi and line-break characters made visible.

    ESC becomes `␛`, a newline `\\n`; a mark that would join what stands before the text gets a
    dotted circle to stand on. The result is one line and safe to print.
    """
    if not text.isprintable():
        text = "".join(c if c == "\u200d" else _visible(c) for c in text)
        text = re.sub(_JOINER, "\\\\u200d", text)
    if text and not text[0].isascii():
        kind = unicodedata.category(text[0])
        # What Python does not know yet may be a mark, too.
        if kind in ("Mn", "Me", "Mc") or (kind == "Cn" and width(text[0]) == 0):
            return "◌" + text
    return text


def width(text: str) -> int:
    """Terminal cells of a cleaned text. (wcwidth loads its tables for 25 ms: late, and seldom.)"""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    return wcswidth(text)


def fit(text: str, cells: int, ellipsis: str = ELLIPSIS) -> str:
    """The text, cut to at most so many cells, with an ellipsis where it was cut.

    No wide character is halved and no mark is parted from its letter.
    """
    if width(text) <= cells:
        return text
    room = cells - width(ellipsis)
    if room < 0:
        return ellipsis[: max(cells, 0)]
    if text.isascii():
        return text[:room] + ellipsis
    from wcwidth import iter_graphemes

    kept = ""
    for grapheme in iter_graphemes(text):
        # The sum of parts may differ from the whole where neighbours join; the whole counts.
        if width(kept + grapheme) > room:
            break
        kept += grapheme
    return kept.rstrip("\u200d") + ellipsis


def pad(text: str, cells: int, align: str = "left", ellipsis: str = ELLIPSIS) -> str:
    """The text in exactly so many cells (cells >= 0); `align` is "left", "right" or "center"."""
    text = fit(text, cells, ellipsis)
    gap = cells - width(text)
    before = {"left": 0, "right": gap, "center": gap // 2}[align]
    return " " * before + text + " " * (gap - before)


def wrap(text: str, cells: int) -> list[str]:
    """A cleaned text in lines of at most so many cells (at least 2), parted between words where it can be."""
    lines = []
    while width(text) > cells:
        head = fit(text[: 2 * cells], cells, "") or text[0]
        space = head.rfind(" ")
        if space > 0 and text[len(head) : len(head) + 1] != " ":
            head = head[:space]
        lines.append(head)
        text = text[len(head) :].lstrip(" ")
    return [*lines, text]
