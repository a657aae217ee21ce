"""Settings: the lab's `labtui.toml` over the user's own (`~/.config/labtui/labtui.toml`, XDG).

`SETTINGS` is the list of what may stand there; `[keys]` besides has the name of any command of the screens.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from labtui.errors import LabError
from labtui.files.atomic import write_atomic
from labtui.files.plain import nearest
from labtui.files.toml import read

KEYS = "keys"
"""The table whose keys are commands, and whose values are keys of the keyboard."""


class Setting(NamedTuple):
    """What one key of the files may be."""

    fits: Callable[[Any], bool]
    expected: str
    """What fits, in words."""
    help: str


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _truth(value: Any) -> bool:
    return isinstance(value, bool)


def _count(value: Any) -> bool:
    return type(value) is int and value > 0


def _gpus(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and n >= 0 for n in value)


COLORS = ("none", "16", "256", "true")
FASTEST, SLOWEST = 0.1, 60.0

SETTINGS = {
    "theme": Setting(_text, "the name of a theme, such as 'labtui'", "Colours of the screens."),
    "tui.refresh": Setting(
        lambda value: type(value) in (int, float) and FASTEST <= value <= SLOWEST,
        f"seconds from {FASTEST} to {SLOWEST:g}",
        "Seconds between two looks at the disk while something trains.",
    ),
    "tui.ascii": Setting(
        _truth,
        "true or false",
        "Draw with ASCII characters only; absent: where the terminal has no others.",
    ),
    "tui.bell": Setting(_truth, "true or false", "Ring the terminal's bell when a run ends or fails."),
    "tui.colors": Setting(
        lambda value: value in COLORS,
        f"one of {', '.join(map(repr, COLORS))}",
        "How many colours the terminal has; absent: what TERM and COLORTERM say.",
    ),
    "machine.every": Setting(
        lambda value: type(value) in (int, float) and value >= 0,
        "seconds; 0 for never",
        "Seconds between two looks of a run at GPUs, cores, memory and disk, which it records; absent: 15.",
    ),
    "slots.gpus": Setting(
        _gpus, "a list of GPU numbers, such as [0, 1]; [] for none", "GPUs that labtui may use; absent: all."
    ),
    "slots.cores": Setting(
        _count,
        "a number of CPU cores from 1 on",
        "CPU cores for runs without GPUs; absent: those that labtui may use.",
    ),
    "slots.threads": Setting(
        _count,
        "a number of threads from 1 on",
        "CPU threads of such a run that does not say; absent: $OMP_NUM_THREADS, else up to 4.",
    ),
}


def settings(root: Path) -> dict[str, Any]:
    """All settings of a lab, table by table: a key of the lab's file hides the user's.

    Raises:
        LabError: a file is no TOML or cannot be read.
    """
    found: dict[str, Any] = {}
    for path in files(root):
        for key, value in _tables(path).items():
            both = isinstance(value, dict) and isinstance(found.get(key), dict)
            found[key] = found[key] | value if both else value
    return found


def source(root: Path, table: str, key: str = "") -> Path:
    """The file whose word counts for a table or for one of its keys, to name it in a message."""
    user, lab = files(root)
    given = _tables(lab).get(table, {})
    return lab if given and (not key or not isinstance(given, dict) or key in given) else user


def wrong(root: Path, table: str = "") -> Iterator[tuple[str, str]]:
    """What is wrong with the settings that count: dotted key, and a message with file, key and what is
    expected. Whether a command of `[keys]` exists is the screens' to say.

    Args:
        table: look at one table only.

    Raises:
        LabError: a file is no TOML or cannot be read.
    """
    tables = _known_tables()
    for name, given in settings(root).items():
        if table and name != table:
            continue
        where = source(root, name)
        if name in tables and not isinstance(given, dict):
            inside = f" with {', '.join(tables[name])}" if tables[name] else ""
            yield name, f"{where}: {name} = {given!r}: expected a table [{name}]{inside}"
        elif name in tables:
            for key, value in given.items():
                if text := _problem(name, key, value, tables[name]):
                    yield f"{name}.{key}", f"{source(root, name, key)}: {text}"
        elif name not in SETTINGS:
            yield name, f"{where}: {name}: no such setting{nearest(name, [*tables, *SETTINGS])}"
        elif not SETTINGS[name].fits(given):
            yield name, f"{where}: {name} = {given!r}: expected {SETTINGS[name].expected}"


def _known_tables() -> dict[str, list[str]]:
    """Tables, and the keys that each may have; none for a table whose keys are not known here."""
    found: dict[str, list[str]] = {KEYS: []}
    for name in SETTINGS:
        table, _, key = name.rpartition(".")
        if table:
            found.setdefault(table, []).append(key)
    return found


def _problem(table: str, key: str, value: Any, known: list[str]) -> str:
    """What is wrong with one key of a table; empty: nothing."""
    name = f"{table}.{key}"
    if table == KEYS:
        expected = "keys of the keyboard, such as 'x' or 'x,ctrl+x'"
        return "" if _text(value) else f"{name} = {value!r}: expected {expected}"
    if key not in known:
        return f"{name}: no such key{nearest(key, known)}"
    fits, expected, _ = SETTINGS[name]
    return "" if fits(value) else f"{name} = {value!r}: expected {expected}"


def change(root: Path, key: str, value: Any) -> Path:
    """Write one setting into the user's own file, whose other content and comments stay; the file.

    Args:
        root: the lab.
        key: dotted, of `SETTINGS`.
        value: None takes it out.

    Raises:
        LabError: the file is no TOML or cannot be written.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    path = files(root)[0].resolve()  # a link to a file that is kept elsewhere stays one
    table, _, name = key.rpartition(".")
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8") if path.exists() else "")
        place: Any = document
        if table:
            if table not in document:
                document[table] = tomlkit.table()
            place = document[table]
        if value is None:
            place.pop(name, None)
        else:
            place[name] = value
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, tomlkit.dumps(document).encode())
    except (TOMLKitError, ValueError, TypeError, AttributeError) as error:
        raise LabError(f"{path}: cannot be changed ({error}); mend it first") from None
    except OSError as error:
        raise LabError(f"{path}: cannot be written ({error.strerror}); check its rights") from None
    return path


def files(root: Path) -> tuple[Path, Path]:
    """The user's own file and the lab's."""
    # Not Path.home, which raises where a user has no home, as in many a container.
    config = Path(os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"))
    return config / "labtui" / "labtui.toml", root / "labtui.toml"


def _tables(path: Path) -> dict[str, Any]:
    try:
        return read(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise LabError(f"{path}: cannot be read ({error}); mend or remove it") from None
