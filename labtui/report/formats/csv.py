"""A report's tables as CSV, figures in full: `Mean` becomes three columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labtui.cells import clean
from labtui.errors import LabError
from labtui.files.atomic import read_json, write_atomic, write_json
from labtui.files.paths import slug
from labtui.report.blocks import Heading, Mean, Table
from labtui.report.document import Beside
from labtui.report.spreadsheet import csv_text

if TYPE_CHECKING:
    from labtui.report.subject import Subject

LIST = ".labtui-report.json"
"""What labtui wrote into a folder of tables: CSV has no room for a mark."""


def rendered(table: Table) -> str:
    """A table's columns and rows; a column with means becomes mean, std and n."""
    means = [any(isinstance(row[i], Mean) for row in table.rows) for i in range(len(table.columns))]
    names = zip(table.columns, means, strict=True)
    return csv_text(
        [one for name, mean in names for one in (_three(name) if mean else [name])],
        (
            [
                one
                for value, mean in zip(row, means, strict=True)
                for one in (_parts(value) if mean else [value])
            ]
            for row in table.rows
        ),
    )


def _three(name: str) -> list[str]:
    return [f"{name} mean", f"{name} std", f"{name} n"]


def _parts(value: Any) -> Sequence[Any]:
    return (value.mean, value.std, value.n) if isinstance(value, Mean) else (value, None, None)


def tables(subject: Subject, sections: Collection[str], beside: Beside) -> Iterator[tuple[str, Table]]:
    """Each table with the heading that it is below; a second one there with its first column."""
    title = said = ""
    for block in subject.blocks(beside, sections):
        if isinstance(block, Heading):
            title = f"{block.title} {block.name}".strip()
        elif isinstance(block, Table):
            yield title if title != said else f"{title} {block.columns[0]}", block
            said = title


def alone(subject: Subject, sections: Collection[str], out: Path | None) -> str:
    """The only table of a report.

    Args:
        out: the file that it is to go to, for messages; None: it is printed.

    Raises:
        LabError: there is none, or more than one.
    """
    found = list(tables(subject, sections, Beside("", draws=False)))
    if len(found) != 1:
        titles = ", ".join(dict.fromkeys(clean(title) for title, _ in found))
        raise LabError(
            f"{out or 'standard output'}: takes one table, and these sections have {len(found)}"
            + (f" ({titles})" if titles else "")
            + "; choose one with --section NAME, or give a folder (-o FOLDER) for a file each"
        )
    return rendered(found[0][1])


def write(subject: Subject, out: Path, sections: Collection[str], force: bool) -> Path:
    """Every table as a file of a folder, with what else would lie beside the report; or the only one as a file.

    Args:
        out: a name that ends with .csv is a file, else it is the folder.

    Raises:
        LabError: there is no such folder to write into, it holds what labtui did not write, or several tables
            are to go to one file.
    """
    from labtui.report.write import has_folder, writing

    with writing(out):
        has_folder(out)
    if out.suffix.lower() == ".csv":
        text = alone(subject, sections, out)
        if out.exists() and not force:
            raise LabError(
                f"{out}: exists; a table has no mark that says who wrote it: another name, or --force"
            )
        with writing(out):
            write_atomic(out, text.encode("utf-8", "backslashreplace"))
        return out
    earlier = _earlier(out, force)
    beside = Beside(out.name)
    found = list(tables(subject, sections, beside))
    files = {f"{n:02}-{slug(title)}.csv": rendered(table).encode("utf-8", "backslashreplace")
             for n, (title, table) in enumerate(found, 1)} | beside.files  # fmt: skip
    with writing(out):
        out.mkdir(exist_ok=True)
        write_json(out / LIST, {"report": subject.name, "files": sorted({*earlier, *files})})
        for name, content in files.items():
            write_atomic(out / name, content)
        for name in set(earlier) - set(files):
            (out / name).unlink(missing_ok=True)
        write_json(out / LIST, {"report": subject.name, "files": sorted(files)})
    return out


def _earlier(out: Path, force: bool) -> list[str]:
    """Names of what an earlier report left in a folder."""
    from labtui.report.write import not_ours

    if not out.exists():
        return []
    if not out.is_dir():
        raise LabError(f"{out}: is a file; tables go to a folder, or one of them to a file FILE.csv")
    listed = (read_json(out / LIST) or {}).get("files")
    names = (
        [name for name in listed if isinstance(name, str) and slug_safe(name)]
        if isinstance(listed, list)
        else []
    )
    if not force and not (out / LIST).exists() and any(out.iterdir()):
        raise not_ours(out)
    return names


def slug_safe(name: str) -> bool:
    """Whether a name is that of a table in the folder itself, and of nothing else."""
    return name.endswith(".csv") and Path(name).name == name
