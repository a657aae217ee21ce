"""The language of filters, conditions and constraints: `state=finished and (val.acc>0.9 or tags~try)`.

    expression = term { "or" term }          term = factor { "and" factor }
    factor     = "not" factor | "(" expression ")" | side sign side
    sign       = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" (contains, case ignored) | "!~"
    side       = product { ("+" | "-") product }
    product    = operand { ("*" | "/" | "%") operand }         operand = word | "(" side ")"

On the left, a word is a key. On the right it is a value: a number, `true`, `false`, text, or text in
quotes; a key with spaces is quoted too. A list (tags) is equal to a value that is in it. A missing
value fits `!=` and `!~` only.

Sides may be calculated, as in Python: `model.d_model % model.nhead = 0`,
`train.batch_size * train.accumulate <= 4096`. Operators are words of their own, between spaces, for
`a-b`, `2026-01-01` and `data/x` are words. In calculations and in parentheses, and to the left of them,
numbers are numbers and all other words are keys: `optimizer.name != (teacher.optimizer)`. A number or a
truth value is also compared with the key that a lone word on its right names, as in `val.acc > train.acc`,
since no text equals it. What cannot be calculated, because a value is missing, is no number or is divided
by 0, is missing.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from labtui.errors import FilterError

Row = Mapping[str, Any]
Test = Callable[[Row], bool]
LookUp = Callable[[Row, str], Any]
Operator = Callable[[Any, Any], Any]
Value = Callable[[Row], Any]
Wanted = Callable[[Row, Any], Any]
"""What a value of the left side is compared with."""
T = TypeVar("T")

_TOKEN = re.compile(
    r"""\s*(?:(?P<sign><=|>=|!=|!~|==|[=<>~()])|"(?P<dq>(?:[^"\\]|\\.)*)"|'(?P<sq>(?:[^'\\]|\\.)*)'"""
    r"""|(?P<word>[^\s=<>~()!"']+))"""
)
_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_SIGNS = ("=", "!=", *_ORDER, "~", "!~")
_SUM = {"+": operator.add, "-": operator.sub}
_PRODUCT = {"*": operator.mul, "/": operator.truediv, "%": operator.mod}
_OPERATORS = _SUM | _PRODUCT
_DEPTH = 100


def parse(text: str, look_up: LookUp) -> tuple[Test, list[str]]:
    """An expression as a test of rows, and the keys it names. Empty text fits every row.

    Args:
        look_up: the value of a key in a row, None for a missing one. A lone word on the right of a number
            is looked up, too, but is not among the keys returned: it may be text.

    Raises:
        FilterError: the expression cannot be read; the message says where.
    """
    parser = _Parser(text, look_up)
    if not parser.tokens:
        return (lambda row: True), []
    test = parser.expression(0)
    if parser.place < len(parser.tokens):
        raise parser.error("expected `and`, `or` or the end")
    return test, parser.keys


class _Token(NamedTuple):
    kind: str
    """sign, word or quoted."""
    text: str
    at: int
    """Where it begins in the expression."""


class _Parser:
    def __init__(self, text: str, look_up: LookUp) -> None:
        self.text, self.look_up, self.place, self.keys = text.rstrip(), look_up, 0, list[str]()
        self.tokens: list[_Token] = []
        at = 0
        while at < len(self.text):
            found = _TOKEN.match(self.text, at)
            if not found:
                raise self.error("cannot be read", at)
            kind, at = str(found.lastgroup), found.end()
            value, begin = found[kind], found.start(kind)
            if kind in ("dq", "sq"):
                kind, value = "quoted", re.sub(r"\\(.)", r"\1", value)
            self.tokens.append(_Token(kind, "=" if value == "==" and kind == "sign" else value, begin))
        self.closing = self._closing()

    def _closing(self) -> dict[int, int]:
        """The place of each opening parenthesis, to that of its closing one."""
        found, opened = dict[int, int](), list[int]()
        for place, (kind, text, _) in enumerate(self.tokens):
            if kind == "sign" and text == "(":
                opened.append(place)
            elif kind == "sign" and text == ")" and opened:
                found[opened.pop()] = place
        return found

    def error(self, problem: str, at: int | None = None) -> FilterError:
        """What is wrong, and what stands here."""
        if at is None:
            at = self.tokens[self.place].at if self.place < len(self.tokens) else len(self.text)
        here = self.text[at:].strip()
        told = f"at {here[:20]!r} (character {at + 1})" if here else "at the end"
        return FilterError(f"expression {self.text[:200]!r}: {problem} {told}")

    def ahead(self, words: Collection[str]) -> bool:
        """Whether one of these words or signs is next."""
        if self.place >= len(self.tokens):
            return False
        kind, text, _ = self.tokens[self.place]
        return kind != "quoted" and text.lower() in words

    def word(self, *words: str) -> str:
        """Step over one of these words or signs, if it is next; empty if it is not."""
        if not self.ahead(words):
            return ""
        self.place += 1
        return self.tokens[self.place - 1].text.lower()

    def expression(self, depth: int) -> Test:
        """Terms joined by `or`."""
        terms = [self.term(depth)]
        while self.word("or"):
            terms.append(self.term(depth))
        return _joined(terms, True)

    def term(self, depth: int) -> Test:
        """Factors joined by `and`."""
        factors = [self.factor(depth)]
        while self.word("and"):
            factors.append(self.factor(depth))
        return _joined(factors, False)

    def factor(self, depth: int) -> Test:
        """`not`, parentheses around an expression, or a comparison."""
        if self.word("not"):
            inner = self.factor(self.deeper(depth))
            return lambda row: not inner(row)
        if self.ahead("(") and not self.holds_a_side():
            return self.inside(self.expression, depth)
        return self.comparison(depth)

    def deeper(self, depth: int) -> int:
        """One level more, of those that Python's stack has room for."""
        if depth == _DEPTH:
            raise self.error("nested too deeply")
        return depth + 1

    def inside(self, read: Callable[[int], T], depth: int) -> T:
        """What stands in the parentheses that open here."""
        self.place += 1
        inner = read(self.deeper(depth))
        if not self.word(")"):
            raise self.error("expected `)`")
        return inner

    def holds_a_side(self) -> bool:
        """Whether the parentheses that open here hold a calculation: a sign or an operator follows them."""
        after = self.closing.get(self.place, len(self.tokens)) + 1
        if after >= len(self.tokens):
            return False
        kind, text, _ = self.tokens[after]
        return text in _SIGNS if kind == "sign" else kind == "word" and text in _OPERATORS

    def comparison(self, depth: int) -> Test:
        """A key or a calculation, a sign, and a value or a calculation."""
        first = self.lone("a key") or self.side(depth)
        if not (sign := self.word(*_SIGNS)):
            raise self.error(f"expected one of {' '.join(_SIGNS)} (or of + - * / % between spaces)")
        last = self.lone(f"a value after {sign}")
        named = self.key if last else self.named
        left = named(first) if isinstance(first, _Token) else first
        if not sign.endswith("~"):
            compare = _ORDER.get(sign, operator.eq)
            test = _compared(left, compare, self.wanted(last) if last else self.calculated(depth))
            if last:
                test = _quick(left, compare, last, test)
        elif last:
            test = _contains(left, last.text)
        else:
            raise self.error(f"expected text after {sign}, no calculation,")
        return (lambda row: not test(row)) if sign[0] == "!" else test

    def lone(self, expected: str) -> _Token | None:
        """Step over a word that is a whole side; None where parentheses or an operator are next."""
        if self.ahead("("):
            return None
        if self.place >= len(self.tokens) or self.tokens[self.place].kind == "sign":
            raise self.error(f"expected {expected}")
        self.place += 1
        if not self.ahead(_OPERATORS):
            return self.tokens[self.place - 1]
        self.place -= 1
        return None

    def key(self, token: _Token) -> Value:
        """The value in a row of the key that a word is."""
        self.keys.append(token.text)
        look_up, key = self.look_up, token.text
        return lambda row: look_up(row, key)

    def wanted(self, word: _Token) -> Wanted:
        """What a lone word on the right means beside a value."""
        text = word.text
        constant = text if word.kind == "quoted" else _constant(text)
        if constant is not text or word.kind == "quoted":
            return lambda row, value: constant

        def key_beside_numbers(row: Row, value: Any) -> Any:
            found = self.look_up(row, text) if isinstance(value, int | float) else None
            return text if found is None else found

        return key_beside_numbers

    def calculated(self, depth: int) -> Wanted:
        """What a calculation on the right gives, beside any value."""
        right = self.side(depth)
        return lambda row, value: right(row)

    def side(self, depth: int) -> Value:
        """Products, added and subtracted from the left."""
        return self.chain(_SUM, lambda: self.chain(_PRODUCT, lambda: self.operand(depth)))

    def chain(self, operators: Mapping[str, Operator], read: Callable[[], Value]) -> Value:
        """Values with operators of one rank between them."""
        first, rest = read(), list[tuple[Operator, Value]]()
        while sign := self.word(*operators):
            rest.append((operators[sign], read()))
        return _chained(first, rest) if rest else first

    def operand(self, depth: int) -> Value:
        """A number, a key, or a side in parentheses."""
        if self.ahead("("):
            return self.inside(self.side, depth)
        if self.place >= len(self.tokens) or self.tokens[self.place].kind == "sign":
            raise self.error("expected a number or a key")
        self.place += 1
        return self.named(self.tokens[self.place - 1])

    def named(self, token: _Token) -> Value:
        """The number that a word is, or else the key."""
        number = None if token.kind == "quoted" else _constant(token.text)
        return (lambda row: number) if _is_number(number) else self.key(token)


def _constant(word: str) -> Any:
    """A number, a truth value, or the word itself."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(word)
    return {"true": True, "false": False}.get(word.lower(), word)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _chained(first: Value, rest: list[tuple[Operator, Value]]) -> Value:
    def value(row: Row) -> Any:
        result = first(row)
        for apply, operand in rest:
            other = operand(row)
            if not (_is_number(result) and _is_number(other)):
                return None
            try:
                result = apply(result, other)
            except ArithmeticError:  # also of integers that are too large for a float
                return None
        return result

    return value


def _joined(tests: list[Test], some: bool) -> Test:
    """One test of several: some of them must hold, or all."""
    if len(tests) == 1:
        return tests[0]

    def joined(row: Row) -> bool:
        for test in tests:
            if test(row) is some:
                return some
        return not some

    return joined


def _contains(left: Value, part: str) -> Test:
    part = part.casefold()

    def contains(row: Row) -> bool:
        value = left(row)
        if value is None:
            return False
        if type(value) is not str:
            value = " ".join(map(str, value)) if isinstance(value, list) else str(value)
        return part in value.casefold()

    return contains


def _quick(left: Value, compare: Operator, word: _Token, test: Test) -> Test:
    """The same test, at once where a number is compared with a number or text with text: a filter that is
    being typed asks ten thousand rows at each key."""
    constant = word.text if word.kind == "quoted" else _constant(word.text)
    if type(constant) is bool:
        return test
    kinds = (str,) if type(constant) is str else (float, int)

    def quick(row: Row) -> bool:
        value = left(row)
        return bool(compare(value, constant)) if type(value) in kinds else value is not None and test(row)

    return quick


def _compared(left: Value, compare: Operator, wanted: Wanted) -> Test:
    def test(row: Row) -> bool:
        value = left(row)
        values = value if isinstance(value, list) else [value]
        return any(_fits(compare, one, wanted(row, one)) for one in values)

    return test


def _fits(compare: Operator, value: Any, wanted: Any) -> bool:
    if value is None or wanted is None:
        return False
    if isinstance(value, bool) or isinstance(wanted, bool):
        # `true` is also a word, for the run that is named so.
        return bool(compare(str(value).lower(), str(wanted).lower()))
    if _is_number(value):
        return _is_number(wanted) and bool(compare(value, wanted))
    if _is_number(wanted):
        # Words that look like numbers: `name=007`.
        try:
            return bool(compare(float(value), wanted))
        except (TypeError, ValueError):
            return False
    return isinstance(wanted, str) and bool(compare(str(value), wanted))
