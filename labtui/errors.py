"""Everything labtui raises on purpose.

    LabtuiError
    ├── RecipeError      a recipe is wrong: file, line, key, what was expected
    ├── LabError         the lab or a run directory cannot be used as asked
    │   ├── RunNotFound  a reference fits no run, or more than one
    │   ├── NoteChanged  a note was changed by somebody else while it was written
    │   └── JournalError what a search has written down cannot be read
    ├── FilterError      a filter expression cannot be read
    ├── LaunchError      a run cannot be started, stopped or resumed
    ├── DataError        a recording or table on disk is not what it should be
    └── TrainingError    a training ended by itself; `reason` is the run's reason

A message says what happened, where, and what to do next. The command line prints it without a
traceback and exits with 2: the request was wrong (a failed *run* is not an error but a state).
"""

from __future__ import annotations


class LabtuiError(Exception):
    """Base of all errors that labtui raises on purpose."""


class RecipeError(LabtuiError):
    """A recipe is wrong. The message lists every problem, one a line, as `file:line: key: …`."""


class LabError(LabtuiError):
    """The lab or a run directory cannot be used as asked (missing, no rights, not a lab)."""


class RunNotFound(LabError):
    """A reference to a run fits none, or more than one."""


class NoteChanged(LabError):
    """A note or a to-do is another one, or gone, since it was read; nothing was written."""


class JournalError(LabError):
    """The journal of a search is damaged, or of another version."""


class FilterError(LabtuiError):
    """A filter or sort expression cannot be read."""


class LaunchError(LabtuiError):
    """A run cannot be started, stopped or resumed."""


class DataError(LabtuiError):
    """A file of a data set is missing, broken or not in the stated form."""


class TrainingError(LabtuiError):
    """A training cannot go on.

    Args:
        reason: one of the run's reasons: `nan`, `oom`, `disk-full`, `error`.
        message: what happened and what to do.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def told(error: Exception) -> str:
    """An error in a line for people: of those that are expected what they say, of others their kind too."""
    expected = isinstance(error, LabtuiError | OSError)
    return str(error) if expected else f"{type(error).__name__}: {error}"
