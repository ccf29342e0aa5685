"""What an import reports: a line for each thing that it could not take over as it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

_LINES_OF_A_KIND = 20
"""Lines of one kind that are shown. A file may have millions of the same fault."""

_KINDS = 200
"""Different kinds that are shown. Unknown fields have any number of names."""


class Findings:
    """Collects findings, shows the first ones of each kind, and counts the others.

    A problem means that something is missing, which a second run may complete. A note means that
    something was taken over in another form.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._counts: Counter[str] = Counter()
        self.problems = 0
        self.notes = 0

    def problem(self, kind: str, where: str, text: str) -> None:
        """Report that something is missing in the import."""
        self.problems += 1
        self._add(kind, f"{where}: {text}")

    def note(self, kind: str, where: str, text: str) -> None:
        """Report that something has another form."""
        self.notes += 1
        self._add(kind, f"{where}: {text}")

    def _add(self, kind: str, line: str) -> None:
        if kind not in self._counts and len(self._counts) >= _KINDS:
            kind = "further kinds"
        self._counts[kind] += 1
        if self._counts[kind] <= _LINES_OF_A_KIND:
            self._show(line)

    def show_counts(self) -> None:
        """Show how many lines were left out."""
        for kind, count in self._counts.items():
            if count > _LINES_OF_A_KIND:
                self._show(f"{count - _LINES_OF_A_KIND} more: {kind}")
