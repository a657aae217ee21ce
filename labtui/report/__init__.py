"""A run's report in markdown, one section a file; and that of a sweep.

A section is a function of the document that yields blocks of markdown, its heading first; where it
knows no more it raises `NotRecorded`, and the report says so. To add one: write it, list it here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from labtui.errors import LabError
from labtui.files.atomic import write_atomic
from labtui.report import (
    analysis,
    confusion,
    curves,
    data,
    hyperparameters,
    model,
    notes,
    overview,
    reproduce,
    results,
    sweeps,
    training,
)
from labtui.report.document import Document, NotRecorded, address

if TYPE_CHECKING:
    from labtui.query.aggregate import Aggregate
    from labtui.query.lab import Run

__all__ = ["report", "sweep_report"]

SECTIONS: tuple[Callable[[Document], Iterator[str]], ...] = (
    overview.section,
    hyperparameters.section,
    model.section,
    data.section,
    training.section,
    curves.section,
    results.section,
    confusion.section,
    notes.observations,
    notes.todos,
    reproduce.section,
)
MARK = "<!-- labtui report "
FILES = (
    "loss.png",
    "monitored.png",
    "others.png",
    "log.csv",
    "confusion.csv",
    "agreement.csv",
    *analysis.FILES,
)
"""All that a report ever lays beside itself."""


def report(run: Run, out: Path, pictures: bool = True, force: bool = False) -> Path:
    """Write a run's report.

    Args:
        run: any run, in any state.
        out: the markdown file; pictures and tables lie beside it, in `<stem>_files/`.
        pictures: draw curves.
        force: also over files that labtui did not write.

    Returns:
        `out`.

    Raises:
        LabError: it cannot be written, or would replace what labtui did not write.
    """
    document = Document(run, _folder(out).name, pictures)
    _write(out, force, document.files, lambda: compose(document))
    return out


def sweep_report(
    table: Aggregate, out: Path, pictures: bool = True, force: bool = False, log: Collection[str] = ()
) -> Path:
    """Write the report of a sweep, or of any runs: their groups beside the baseline, then each run.

    Args:
        table: the groups, by both protocols.
        out, pictures, force: as for `report`.
        log: keys that are seen on a logarithmic scale, whatever they span.

    Returns:
        `out`.

    Raises:
        LabError: it cannot be written, or would replace what labtui did not write.
    """
    sweep = next((str(row["sweep"]) for group in table.groups for row in group.rows), "")
    files: dict[str, bytes] = {}

    def attach(name: str, content: bytes) -> str:
        files[name] = content
        return address(_folder(out).name, name)

    _write(out, force, files, lambda: _text(sweep, sweeps.sections(table, attach if pictures else None, log)))
    return out


def _folder(out: Path) -> Path:
    return out.with_name(f"{out.stem}_files")


def _write(out: Path, force: bool, files: dict[str, bytes], text: Callable[[], str]) -> None:
    """Write the text, and then the files that it has made, into the folder beside it."""
    folder = _folder(out)
    if not force:
        _spare(out, folder)
    content = text().encode("utf-8", "backslashreplace")
    try:
        if files:
            folder.mkdir(exist_ok=True)
        for name, file in files.items():
            write_atomic(folder / name, file, fsync=False)
        write_atomic(out, content, fsync=False)
    except OSError as error:
        raise LabError(
            f"{error.filename2 or error.filename or out}: the report cannot be written "
            f"({error.strerror}); give another place with -o FILE"
        ) from error
    for name in set(FILES) - set(files):
        with suppress(OSError):  # of an earlier report
            (folder / name).unlink()


def compose(document: Document) -> str:
    """The report's text; what goes with it is then in `document.files`."""
    blocks: list[str] = []
    for section in SECTIONS:
        try:
            blocks.extend(section(document))
        except NotRecorded as why:
            blocks.append(f"*Not recorded: {why}.*")
    return _text(document.run.id, blocks)


def _text(name: str, blocks: Iterable[str]) -> str:
    """Blocks under the mark by which labtui knows its reports."""
    mark = f"{MARK}{name.replace('--', '-').replace('>', '')} -->"
    return "\n\n".join([mark, *blocks]) + "\n"


def _spare(out: Path, folder: Path) -> None:
    """Raise LabError if the report would take the place of something of the user's."""
    if not out.parent.is_dir():
        raise LabError(f"{out.parent}: no such folder for the report; make it, or give -o FILE")
    if out.is_dir():
        raise LabError(f"{out}: is a folder; name a file in it, such as -o {out / 'report.md'}")
    if out.exists():
        try:
            with open(out, "rb") as file:
                ours = file.read(len(MARK)) == MARK.encode()
        except OSError as error:
            raise LabError(f"{out}: cannot be read ({error.strerror}); give -o FILE") from error
        taken = None if ours else out
    else:
        taken = next((folder / name for name in FILES if (folder / name).exists()), None)
    if taken:
        raise LabError(f"{taken}: was not written by labtui; give another name with -o FILE, or --force")
