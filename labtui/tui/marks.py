"""The runs that are marked, each with a colour that it keeps as long as it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from labtui.tui.pictures import LINE_STYLES, line_style


class Marks:
    """Marked runs, in the order in which they were marked."""

    def __init__(self) -> None:
        self._colors: dict[str, int] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._colors)

    def __len__(self) -> int:
        return len(self._colors)

    def __contains__(self, key: object) -> bool:
        return key in self._colors

    def style(self, key: str) -> str:
        """The style of a run's mark and of its lines; empty for a run that is not marked."""
        number = self._colors.get(key)
        return "" if number is None else line_style(number)

    @property
    def colors(self) -> Mapping[str, int]:
        """Numbers of the runs' colours, from 0."""
        return dict(self._colors)

    def add(self, keys: Iterable[str]) -> None:
        """Mark runs. Each gets the first colour that none has, as long as there is one."""
        for key in keys:
            if key not in self._colors:
                taken = set(self._colors.values())
                free = (number for number in range(LINE_STYLES) if number not in taken)
                self._colors[key] = next(free, len(self._colors) % LINE_STYLES)

    def drop(self, keys: Iterable[str]) -> None:
        """Marked no longer."""
        for key in keys:
            self._colors.pop(key, None)

    def toggle(self, keys: Collection[str]) -> None:
        """Mark runs, or if all of them are, unmark them."""
        if all(key in self._colors for key in keys):
            self.drop(keys)
        else:
            self.add(keys)

    def keep(self, known: Collection[str]) -> None:
        """Forget runs that are gone."""
        self.drop([key for key in self._colors if key not in known])

    def clear(self) -> None:
        """None is marked."""
        self._colors.clear()
