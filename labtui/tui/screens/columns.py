"""Which columns the runs table has: any key, in any order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from labtui.tui.columns import SPECIAL
from labtui.tui.completing import Words
from labtui.tui.screens.ask import Choose

_FIELDS = {
    "state": "state, with the reason of a failure", "name": "name, and a sweep's cell, repeat and fold",
    "tags": "tags", "recipe": "recipe", "sweep": "sweep", "title": "title of a sweep's cell",
    "cell": "number of a sweep's cell", "repeat": "repeat", "fold": "fold", "duration": "how long it trained",
    "created": "when it was made", "started": "when it started", "ended": "when it ended",
    "attempt": "number of the attempt", "reason": "why it ended", "id": "end of the id",
}  # fmt: skip


class ChooseColumns(Choose):
    """Some of all keys, in an order; a key that is typed is taken as it is.

    Args:
        words: what there is to choose from.
        chosen: columns that are shown already.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+up,K", "shift(-1)", "up"),
        Binding("shift+down,J", "shift(1)", "down"),
    ]
    HINT = "␣ choose  ⇧↑ ⇧↓ move  / find, or type a key  ⏎ done  esc cancel"

    def __init__(self, words: Words, chosen: Sequence[str]) -> None:
        told = {**_FIELDS, **{key: f"{key}: {text}" for key, text in SPECIAL.items()}}
        keys = dict.fromkeys([*chosen, *told, *words.metrics, *words.differing, *words.keys])
        keys = {key: None for key in keys if key in told or key in chosen or key != "key"}
        options = {key: told.get(key, key) for key in keys}
        super().__init__("Columns of the table of runs, from the left", options, chosen)

    def action_shift(self, rows: int) -> None:
        """Move the column under the cursor among all."""
        key, keys = self.table.key, list(self.options)
        if key is None:
            return
        at = keys.index(key)
        to = max(0, min(at + rows, len(keys) - 1))
        keys.insert(to, keys.pop(at))
        self.options = {one: self.options[one] for one in keys}
        self.table.show(keys)

    def action_take(self) -> None:
        """From the line to the list, with the key that was typed; from the list close."""
        typed = self.line.value.strip()
        if not self.table.has_focus and typed and not self.table.keys:
            self.options = {typed: typed, **self.options}
            self.chosen.append(typed)
            self.line.value = ""
            self.table.show(list(self.options))
            self.table.select(typed)
        self.chosen = [key for key in self.options if key in self.chosen]
        super().action_take()


def choose_groups(words: Words, chosen: Sequence[str]) -> Choose:
    """By which keys runs are put together; none of them: they are not."""
    told = {"sweep": "sweep", "recipe": "recipe", "name": "name", "title": "title of a sweep's cell",
            "state": "state", "tags": "tags"}  # fmt: skip
    keys = dict.fromkeys([*chosen, *told, *words.differing, *words.keys])
    options = {key: told.get(key, key) for key in keys}
    return Choose("Put runs together that are alike in … (in nothing: each for itself)", options, chosen)
