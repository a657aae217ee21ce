"""The space of a search: which keys a candidate has a value for, and what stands for a value in the journal.

Optuna knows numbers from ranges, and words to choose from. Of a list each value is such a word: its
JSON, so that tables and lists can be chosen too, and a list that was edited is seen to be another.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Mapping
from typing import Any

from labtui.files.toml import flatten
from labtui.recipe.sweep import Range, Sweep
from labtui.sweep.cells import Conditions, Values, told

Params = dict[str, Any]
"""Key to number or word, as Optuna has them."""


class Space:
    """Keys, their values and conditions.

    Args:
        base: the recipe's resolved tables, in which conditions look up what a candidate does not set.

    Raises:
        RecipeError: a condition cannot be read, or names a key that there is not.
    """

    def __init__(self, sweep: Sweep, base: Mapping[str, Any]) -> None:
        self.sweep = sweep
        self._conditions = Conditions(sweep, base)
        self.words: dict[str, dict[str, Any]] = {
            key: {word(value): value for value in values}
            for key, values in sweep.space.items()
            if isinstance(values, list)
        }
        """Key to the words of its list, and what each stands for."""

    def drawn(self, draw: Callable[[str], Any]) -> Values:
        """A candidate's values, key by key: what does not apply is not drawn.

        Args:
            draw: the number or word for a key.
        """
        values: Values = {}
        for key in self._conditions.order:
            if self._conditions.applies(key, values):
                values[key] = self._value(key, draw(key))
        return {key: values[key] for key in self.sweep.space if key in values}

    def fits(self, values: Values) -> bool:
        """Whether a candidate fits the constraints."""
        return self._conditions.kept(values) is not None

    def some(self, draw: random.Random) -> Values:
        """Values at random, as a search may begin with; they need not fit the constraints."""
        return self.drawn(lambda key: _any(self.sweep.space[key], draw))

    def params(self, options: Mapping[str, Any]) -> Params | None:
        """What stands for the values that a run has, from its options by flat key; None where the space does
        not have them."""
        found: Params = {}

        def draw(key: str) -> Any:
            found[key] = self._param(key, options)
            return found[key]

        try:
            self.drawn(draw)
        except (KeyError, TypeError):
            return None
        return found

    def _value(self, key: str, param: Any) -> Any:
        values = self.sweep.space[key]
        if not isinstance(values, Range):
            return self.words[key][param]
        # 0.1 + 2 × 0.1 is 0.3 for people.
        return param if values.step is None or isinstance(param, int) else float(f"{param:.12g}")

    def _param(self, key: str, options: Mapping[str, Any]) -> Any:
        values = self.sweep.space[key]
        if isinstance(values, Range):
            value = options[key]
            if not values.low <= value <= values.high:
                raise KeyError(key)
            return value if values.whole else float(value)
        given = {one: flatten({key: value}) for one, value in self.words[key].items()}
        fits = [one for one, leaves in given.items() if leaves.items() <= options.items()]
        if not fits:
            raise KeyError(key)
        return max(fits, key=lambda one: len(given[one]))


def _any(values: list[Any] | Range, draw: random.Random) -> Any:
    """The word of one of a list's values, or a number of a range."""
    if not isinstance(values, Range):
        return word(draw.choice(values))
    low, high = values.low, values.high
    if values.step is not None:
        return low + values.step * draw.randint(0, math.floor((high - low) / values.step))
    if isinstance(low, int) and isinstance(high, int) and not values.log:
        return draw.randint(low, high)
    number = math.exp(draw.uniform(math.log(low), math.log(high))) if values.log else draw.uniform(low, high)
    return min(max(round(number) if values.whole else number, low), high)


def word(value: Any) -> str:
    """What stands for a value of a list."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def titled(values: Values) -> str:
    """Values as a title, numbers to four digits."""
    return told({key: f"{value:.4g}" if isinstance(value, float) else value for key, value in values.items()})
