"""Every file name of a lab and of a run, spelled once; run ids; how a lab is found."""

from __future__ import annotations

import os
import re
import time
import unicodedata
from pathlib import Path

from labtui.errors import LabError

RUN_ID = re.compile(
    r"(?!0000)\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])-([01]\d|2[0-3])[0-5]\d[0-5]\d"
    r"-[^\s/\\\x00-\x1f\ud800-\udfff]+-[0-9a-z]{4}"
)
"""What the name of a run directory looks like."""

EDITED = " (edited)"
"""Behind the file from which a recipe came that was changed before its launch, and not saved."""

_SLUG_BYTES = 100
_PART = 200
"""Characters of an escaped path that one folder's name takes."""
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def slug(name: str) -> str:
    """A name in any script as part of a file name: letters and digits, the rest as single dashes.

    Never empty, never longer than 100 bytes of UTF-8, no path separators, no leading dot.
    """
    normal = unicodedata.normalize("NFC", name).lower()
    kept = "".join(c if c.isalnum() or unicodedata.category(c) in ("Mn", "Mc") else "-" for c in normal)
    short = re.sub("-+", "-", kept).encode("utf-8", "ignore")[:_SLUG_BYTES].decode("utf-8", "ignore")
    return short.strip("-") or "run"


def new_run_id(name: str) -> str:
    """`YYYYMMDD-HHMMSS-<slug>-<4 characters>`, UTC: safe as a file name, sorted by time.

    The first two characters count the second's 1,296 parts, so that runs of one name that are made
    in one second sort by time too; the other two are random.
    """
    now = time.time()
    part = int(now % 1 * len(_ALPHABET) ** 2)
    chance = int.from_bytes(os.urandom(4), "little")
    ending = "".join(_ALPHABET[n % 36] for n in (part // 36, part, chance // 36, chance))
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{slug(name)}-{ending}"


def created(run_id: str) -> float:
    """Unix time in a run id."""
    import calendar

    date = (run_id[:4], run_id[4:6], run_id[6:8], run_id[9:11], run_id[11:13], run_id[13:15])
    return float(calendar.timegm(tuple(map(int, date))))


class _Rooted:
    """Names below one folder. (A dataclass would cost a script's start 5 ms.)"""

    __slots__ = ("root",)

    def __init__(self, root: Path) -> None:
        self.root = root

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.root == self.root

    def __hash__(self) -> int:
        return hash(self.root)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.root)!r})"


class Noted(_Rooted):
    """What the user can write on: a run, a sweep, a recipe, the lab."""

    __slots__ = ()

    kind = ""
    """Which of them it is."""

    @property
    def id(self) -> str:
        """How it is called: the id of a run or a sweep, which is its folder's name; the path of a recipe."""
        return self.root.name

    @property
    def notes(self) -> Path:
        """Tags, notes and to-dos; the folder that it lies in is locked by who writes it."""
        return self.root / "notes.toml"


class RunPaths(Noted):
    """The files of one run; see the table in the README for who writes which."""

    __slots__ = ()

    kind = "run"

    def __getattr__(self, name: str) -> Path:
        try:
            return self.root / _RUN_FILES[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def lab(self) -> LabPaths:
        """The lab in which the run lies."""
        return LabPaths(self.root.parents[1])

    @property
    def workplace(self) -> Path:
        """Where the run works, and from which its own code is imported: the code as it was when it was
        queued, else the lab."""
        return self.code if self.code.is_dir() else self.lab.root

    def claim(self, attempt: int) -> Path:
        """The file whose maker starts this attempt."""
        return self.root / f"claim-{attempt}"

    def failure(self, attempt: int) -> Path:
        """Where the first of several processes to fail says why; gone when the attempt has ended."""
        return self.root / f".failure-{attempt}"


_RUN_FILES = {
    "recipe": "recipe.toml",
    "queue": "queue.json",
    "process": "process.json",
    "environment": "environment.json",
    "metrics": "metrics.bin",
    "keys": "metrics.keys",
    "heartbeat": "heartbeat",
    "result": "result.json",
    "verdict": "verdict.json",
    "control": "control.json",
    "log": "log.txt",
    "checkpoints": "checkpoints",
    "artifacts": "artifacts",
    "code": "code",
    "snapshot": "code.json",
    "diff": "code.diff",
}


class SweepPaths(Noted):
    """What belongs to a sweep as a whole; its trainings are runs."""

    __slots__ = ()

    kind = "sweep"

    @property
    def recipe(self) -> Path:
        """The definition: the recipe as it was launched or last resumed."""
        return self.root / "recipe.toml"

    @property
    def request(self) -> Path:
        """There while the supervisor of this machine is to make what is missing; says how."""
        return self.root / f"request-{os.uname().nodename}.json"

    @property
    def filler(self) -> Path:
        """Which process has made runs of it last."""
        return self.root / "filler.json"

    @property
    def journal(self) -> Path:
        """Trials of a search: an Optuna journal, which several machines may append to."""
        return self.root / "journal.log"

    @property
    def baseline(self) -> Path:
        """The run to whose cell others are compared."""
        return self.root / "baseline.json"

    def stack(self, key: str) -> Path:
        """Whether trainings of one stack are done together on this machine, and why (not)."""
        return self.root / f"stack-{key}-{os.uname().nodename}.json"


class RecipePaths(Noted):
    """What belongs to a recipe but its own file: notes, which stay when the file is renamed or removed."""

    __slots__ = ("path",)

    kind = "recipe"

    def __init__(self, root: Path, path: str) -> None:
        super().__init__(root)
        self.path = path

    @property
    def id(self) -> str:
        """Its path below the lab's `recipes/`."""
        return self.path


class LabPaths(Noted):
    """The folders of one lab."""

    __slots__ = ()

    kind = "lab"

    @property
    def notes(self) -> Path:
        """Notes and to-dos on the lab as a whole."""
        return self.own / "notes.toml"

    @property
    def recipes(self) -> Path:
        """Recipe files, in folders by system."""
        return self.root / "recipes"

    @property
    def runs(self) -> Path:
        """Run directories, and `.labtui`."""
        return self.root / "runs"

    @property
    def own(self) -> Path:
        """What belongs to the lab itself."""
        return self.runs / ".labtui"

    @property
    def store(self) -> Path:
        """The index, which can be deleted at any time."""
        return self.own / "store.json"

    @property
    def screens(self) -> Path:
        """How the runs were arranged on the screen; the terminal application alone writes it."""
        return self.own / "screens.json"

    @property
    def cache(self) -> Path:
        """What can be made anew, a folder for each; used now and then, or else `labtui gc` frees it."""
        return self.own / "cache"

    @property
    def sweeps(self) -> Path:
        """A folder for each sweep."""
        return self.own / "sweeps"

    def sweep(self, sweep_id: str) -> SweepPaths:
        """The files of one sweep.

        Raises:
            LabError: the id, which may be from a recipe of other hands, is no name of a folder.
        """
        if not sweep_id or sweep_id.startswith(".") or "/" in sweep_id or "\x00" in sweep_id:
            raise LabError(f"sweep {sweep_id!r}: no name of a folder, so that nothing can be kept of it")
        return SweepPaths(self.sweeps / sweep_id)

    def recipe_notes(self, path: str) -> RecipePaths:
        """What is kept of a recipe.

        Args:
            path: below `recipes/`, as `labtui recipes` tells it; or of any other file.

        Raises:
            LabError: it is empty.
        """
        if not path:
            raise LabError("a recipe without a path: nothing can be kept of it")
        from urllib.parse import quote

        name = re.sub(r"^\.", "%2E", quote(path.encode("utf-8", "surrogateescape"), safe=" "))
        first, *rest = (name[at : at + _PART] for at in range(0, len(name), _PART))
        return RecipePaths(self.own.joinpath("recipes", first, *(f"%{part}" for part in rest)), path)

    def noted_recipes(self) -> list[RecipePaths]:
        """All recipes of which something is kept, also those that are not there any more."""
        from urllib.parse import unquote_to_bytes

        found = []
        place = self.own / "recipes"
        for folder, _, files in os.walk(place):
            parts = Path(folder).relative_to(place).parts
            if parts and "notes.toml" in files:
                first, *rest = parts
                name = first + "".join(part[1:] for part in rest)
                path = unquote_to_bytes(name).decode("utf-8", "surrogateescape")
                found.append(RecipePaths(Path(folder), path))
        return sorted(found, key=lambda one: one.id)

    @property
    def agent(self) -> Path:
        """Locked by the supervisor of this machine, and says which process that is."""
        return self.own / f"agent-{os.uname().nodename}.json"

    @property
    def pause(self) -> Path:
        """There while the whole queue is paused; says since when and why."""
        return self.own / "pause.json"

    def run(self, run_id: str) -> RunPaths:
        """The files of one run."""
        return RunPaths(self.runs / run_id)

    def run_ids(self) -> list[str]:
        """Names in `runs/` that are run ids, oldest first; none if there is no such folder."""
        try:
            names = os.listdir(self.runs)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except PermissionError as error:
            raise LabError(f"{self.runs}: cannot be read ({error.strerror}); check its rights") from None
        return sorted(name for name in names if RUN_ID.fullmatch(name))


def find_lab(explicit: str | Path | None = None) -> LabPaths:
    """The lab: the given folder, `$LABTUI_LAB`, the nearest parent that is a lab, or the folder here.

    A parent is a lab when it holds `labtui.toml` or `runs/.labtui/`.

    Raises:
        LabError: a named folder, or the working directory, does not exist.
    """
    named = explicit or os.environ.get("LABTUI_LAB")
    if named:
        root = Path(named).expanduser().absolute()
        if not os.path.isdir(root):
            source = "--lab" if explicit else "$LABTUI_LAB"
            raise LabError(f"{root}: no such folder ({source}); make it with `labtui init {named}`")
        return LabPaths(root)
    try:
        here = Path.cwd()
    except FileNotFoundError:
        raise LabError("the working directory is gone; go to a lab, or name one with --lab") from None
    for folder in (here, *here.parents):
        # Not Path.is_file, which raises where a folder cannot be read.
        if os.path.isfile(folder / "labtui.toml") or os.path.isdir(folder / "runs" / ".labtui"):
            return LabPaths(folder)
    return LabPaths(here)
