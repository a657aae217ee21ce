"""What the rules see wrong with the training."""

from __future__ import annotations

from collections.abc import Iterator

from labtui.report import findings
from labtui.report.blocks import Block, Heading
from labtui.report.document import NotRecorded
from labtui.report.run.document import Document


def section(doc: Document) -> Iterator[Block]:
    """Each finding with its evidence; then the rules that are silent, and those that could not be asked."""
    yield Heading(2, "Diagnosis")
    found = doc.diagnosis
    if not found.asked:
        raise NotRecorded(
            f"none of {len(found.unasked)} rules has enough to look at" + ("" if doc.status.over else " yet")
        )
    if not found.findings:
        yield "Nothing found."
    yield from findings.blocks(found)
