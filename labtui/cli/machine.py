"""`labtui gpus`: what this machine has to compute with, and who uses it."""

from __future__ import annotations

from typing import Any

from labtui.cli.app import Format, FormatOption, app, open_lab, say, show, terminal_width

Fields = dict[str, Any]
_WIDE = 110
"""Cells of a terminal that has room for whole ids."""


@app.command()
def gpus(format: FormatOption = Format.table) -> None:
    """Show this machine's GPUs and cores, and who uses them."""
    from labtui.workload import devices

    lab = open_lab()
    running = [lab.paths.run(row.id) for row in lab.runs("state=running", sort="created")]
    rows, problem = devices(lab.paths, running)
    if format in (Format.json, Format.csv):
        show(list(rows[0]), [list(row.values()) for row in rows], format)
        return
    narrow = format is Format.table and (terminal_width() or _WIDE) < _WIDE
    columns = ["device", "name", "memory", "use", "°C", "runs", "others", "note"]
    show(columns, [_texts(row, narrow) for row in rows], format, spare=("name", "°C"))
    if problem:
        say(problem)


def _texts(row: Fields, narrow: bool) -> list[Any]:
    """A row as people read it."""
    from labtui.table import size
    from labtui.workload import other_text

    use = None if row["utilization"] is None else f"{row['utilization']} %"
    if row["cores"]:
        use = f"{row['cores_taken']} of {row['cores']} cores"
    memory = f"{size(row['memory_used'])} of {size(row['memory_total'])}" if row["memory_total"] else None
    runs = [run_id[-4:] if narrow else run_id for run_id in row["runs"]]
    others = [other_text(one) for one in row["others"]]
    device = str(row["device"])  # a column of text: the last one is no number
    return [device, row["name"], memory, use, row["temperature"], runs, others, row["note"]]
