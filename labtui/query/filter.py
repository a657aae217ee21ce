"""The filter language: `state=finished and val.acc>0.9 and (optimizer.name=adam or tags~try)`.

    expression = term { "or" term }          term = factor { "and" factor }
    factor     = "not" factor | "(" expression ")" | key operator value
    operator   = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" (contains, case ignored) | "!~"

A value is a number, `true`, `false`, a word, or text in quotes; a key with spaces is quoted too. A
list (tags) is equal to a value that is in it. A missing value fits `!=` and `!~` only.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from labtui.errors import FilterError
from labtui.query.rows import look_up

Test = Callable[[Mapping[str, Any]], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<op><=|>=|!=|!~|==|[=<>~()])|"(?P<dq>(?:[^"\\]|\\.)*)"|'(?P<sq>(?:[^'\\]|\\.)*)'"""
    r"""|(?P<word>[^\s=<>~()!"']+))"""
)
_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_DEPTH = 100


def parse(text: str) -> tuple[Test, list[str]]:
    """A filter expression as a test of rows, and the keys it names. Empty text fits every row.

    Raises:
        FilterError: the expression cannot be read; the message says where.
    """
    parser = _Parser(text)
    if not parser.tokens:
        return (lambda row: True), []
    test = parser.expression(0)
    if parser.place < len(parser.tokens):
        raise parser.error("expected `and`, `or` or the end")
    return test, parser.keys


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.place, self.keys = text, 0, list[str]()
        self.tokens: list[tuple[str, str, int]] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if not found:
                raise FilterError(f"filter {text!r}: cannot be read at {text[at:].strip()[:20]!r}")
            kind = str(found.lastgroup)
            value = found[kind]
            if kind in ("dq", "sq"):
                kind, value = "quoted", re.sub(r"\\(.)", r"\1", value)
            self.tokens.append((kind, "=" if value == "==" and kind == "op" else value, found.start()))
            at = found.end()

    def error(self, expected: str) -> FilterError:
        """What was expected here, and what stands here."""
        here = self.tokens[self.place][1] if self.place < len(self.tokens) else "the end"
        return FilterError(f"filter {self.text!r}: {expected}, got {here!r}")

    def word(self, *words: str) -> bool:
        """Step over one of these words or signs, if it is next."""
        if self.place < len(self.tokens):
            kind, value, _ = self.tokens[self.place]
            if kind != "quoted" and value.lower() in words:
                self.place += 1
                return True
        return False

    def expression(self, depth: int) -> Test:
        """Terms joined by `or`."""
        terms = [self.term(depth)]
        while self.word("or"):
            terms.append(self.term(depth))
        return terms[0] if len(terms) == 1 else lambda row: any(t(row) for t in terms)

    def term(self, depth: int) -> Test:
        """Factors joined by `and`."""
        factors = [self.factor(depth)]
        while self.word("and"):
            factors.append(self.factor(depth))
        return factors[0] if len(factors) == 1 else lambda row: all(f(row) for f in factors)

    def factor(self, depth: int) -> Test:
        """`not`, parentheses, or a comparison."""
        if depth > _DEPTH:
            raise FilterError(f"filter {self.text[:40]!r}…: nested too deeply")
        if self.word("not"):
            inner = self.factor(depth + 1)
            return lambda row: not inner(row)
        if self.word("("):
            inner = self.expression(depth + 1)
            if not self.word(")"):
                raise self.error("expected `)`")
            return inner
        return self.comparison()

    def comparison(self) -> Test:
        """A key, an operator and a value."""
        if self.place >= len(self.tokens) or self.tokens[self.place][0] == "op":
            raise self.error("expected a key")
        key = self.tokens[self.place][1]
        self.place += 1
        if self.place >= len(self.tokens) or self.tokens[self.place][0] != "op":
            raise self.error(f"expected one of = != < <= > >= ~ !~ after {key!r}")
        sign = self.tokens[self.place][1]
        self.place += 1
        if sign in "()":
            raise self.error(f"expected one of = != < <= > >= ~ !~ after {key!r}")
        if self.place >= len(self.tokens) or self.tokens[self.place][0] == "op":
            raise self.error(f"expected a value after {key} {sign}")
        kind, text, _ = self.tokens[self.place]
        self.place += 1
        self.keys.append(key)
        return _comparison(key, sign, _value(text) if kind == "word" else text)


def _value(word: str) -> Any:
    if word.lower() in ("true", "false"):
        return word.lower() == "true"
    try:
        return float(word)
    except ValueError:
        return word


def _comparison(key: str, sign: str, wanted: Any) -> Test:
    if sign in ("!=", "!~"):
        positive = _comparison(key, sign[1], wanted)
        return lambda row: not positive(row)
    if sign == "~":
        part = str(wanted if not isinstance(wanted, float) else f"{wanted:g}").casefold()

        def contains(row: Mapping[str, Any]) -> bool:
            value = look_up(row, key)
            return value is not None and part in _text(value).casefold()

        return contains
    compare = operator.eq if sign == "=" else _ORDER[sign]

    def test(row: Mapping[str, Any]) -> bool:
        value = look_up(row, key)
        values = value if isinstance(value, list) else [value]
        return any(_compare(compare, v, wanted) for v in values)

    return test


def _text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _compare(compare: Callable[[Any, Any], Any], value: Any, wanted: Any) -> bool:
    if value is None:
        return False
    if isinstance(value, bool) or isinstance(wanted, bool):
        # `true` is also a word, for the run that is named so.
        return bool(compare(str(value).lower(), str(wanted).lower()))
    if isinstance(value, int | float):
        return isinstance(wanted, float) and bool(compare(value, wanted))
    if isinstance(wanted, float):
        # Words that look like numbers: `name=007`.
        wanted = f"{wanted:g}"
        try:
            return bool(compare(float(value), float(wanted)))
        except (TypeError, ValueError):
            return False
    return bool(compare(str(value), wanted))
