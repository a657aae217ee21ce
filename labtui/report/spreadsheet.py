"""CSV (RFC 4180) that a spreadsheet may open.

It takes a text that begins with `=`, `+`, `-` or `@` for a formula: here an apostrophe stands before it (OWASP,
"CSV Injection"). Numbers stay numbers, in full.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from labtui.cells import clean

_FORMULA = re.compile(r"[\s']*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def cell(value: Any) -> Any:
    """A value as a program or a spreadsheet reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(float(value) if isinstance(value, float) else value)  # numpy writes its own otherwise
    if isinstance(value, list | tuple | dict):
        value = json.dumps(value, ensure_ascii=False, default=str)
    text = "\n".join(clean(line) for line in str(value).splitlines())
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Named columns and their rows."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(map(cell, columns))
    writer.writerows(map(cell, row) for row in rows)
    return out.getvalue()
