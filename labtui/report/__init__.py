"""A run's report in markdown, one section a file.

A section is a function of the document that yields blocks of markdown, its heading first; where it
knows no more it raises `NotRecorded`, and the report says so. To add one: write it, list it here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from labtui.errors import LabError
from labtui.files.atomic import write_atomic
from labtui.report import (
    confusion,
    curves,
    data,
    hyperparameters,
    model,
    notes,
    overview,
    reproduce,
    results,
    training,
)
from labtui.report.document import Document, NotRecorded

if TYPE_CHECKING:
    from labtui.query.lab import Run

__all__ = ["report"]

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
FILES = ("loss.png", "monitored.png", "others.png", "log.csv", "confusion.csv", "agreement.csv")
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
    out = Path(out)
    folder = out.with_name(f"{out.stem}_files")
    if not force:
        _spare(out, folder)
    document = Document(run, folder.name, pictures)
    text = compose(document)
    try:
        if document.files:
            folder.mkdir(exist_ok=True)
        for name, content in document.files.items():
            write_atomic(folder / name, content, fsync=False)
        write_atomic(out, text.encode("utf-8", "backslashreplace"), fsync=False)
    except OSError as error:
        raise LabError(
            f"{error.filename2 or error.filename or out}: the report cannot be written "
            f"({error.strerror}); give another place with -o FILE"
        ) from error
    for name in set(FILES) - set(document.files):
        with suppress(OSError):  # of an earlier report
            (folder / name).unlink()
    return out


def compose(document: Document) -> str:
    """The report's text; what goes with it is then in `document.files`."""
    blocks = [f"{MARK}{document.run.id.replace('--', '-').replace('>', '')} -->"]
    for section in SECTIONS:
        try:
            blocks.extend(section(document))
        except NotRecorded as why:
            blocks.append(f"*Not recorded: {why}.*")
    return "\n\n".join(blocks) + "\n"


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
