"""What the rules of `labtui.diagnose` say, in a report's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labtui.diagnose import Diagnosis, Finding
from labtui.report.blocks import Block, Table
from labtui.report.text import prose

COLUMNS = ("rule", "what is seen", "evidence", "what helps")


def row(finding: Finding) -> tuple[str, str, str, str]:
    """A finding under COLUMNS; each piece of evidence is a line."""
    return finding.rule, finding.text, "\n".join(finding.evidence), finding.advice


def blocks(found: Diagnosis) -> Iterator[Block]:
    """The findings of one run, then which rules are silent, and which it had too little for."""
    if found.findings:
        yield Table(COLUMNS, [row(finding) for finding in found.findings])
    fired = {finding.rule for finding in found.findings}
    silent = [name for name in found.asked if name not in fired]
    if silent:
        yield f"Asked, and nothing found ({len(silent)}): {_listed(silent)}."
    if found.unasked:
        yield f"Not asked, the run has too little for them ({len(found.unasked)}): {_listed(found.unasked)}."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(prose, names))
