"""Columns that stay in order, whichever way the words in them are read."""

from __future__ import annotations

from collections.abc import Sequence

from rmz_async._extras import extra
from rmz_async.cli._wording import END, ISOLATE, RIGHT_TO_LEFT, language

with extra("cli", needed_by="The command rmz"):
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.measure import Measurement
    from rich.segment import Segment


class Cell:
    """Words of a column, which leave the columns beside them where they are.

    A terminal orders a line by the letters in it: an Arabic name would draw the date behind it to
    its other side, and Arabic headings would run against rows of Latin words. A file and a program
    get no marks.
    """

    def __init__(self, words: RenderableType) -> None:
        self._words = words

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return how wide the content is."""
        return Measurement.get(console, options, self._words)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Mark the beginning and the end of each line, because a line is ordered by itself."""
        for line in console.render_lines(self._words, options, pad=False):
            is_marked = _has_marks(console) and (
                language() == "ar" or not "".join(segment.text for segment in line).isascii()
            )
            yield from [Segment(ISOLATE), *_stripped(line), Segment(END)] if is_marked else line
            yield Segment.line()


class Lines:
    """Something that is printed line by line, from the side on which the language begins."""

    def __init__(self, content: RenderableType) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Mark each line."""
        is_marked = _has_marks(console) and language() == "ar"
        for line in console.render_lines(self._content, options, pad=False):
            yield from [Segment(RIGHT_TO_LEFT), *line] if is_marked else line
            yield Segment.line()


def _has_marks(console: Console) -> bool:
    # A terminal without Arabic letters would show the numbers of the marks.
    return console.is_terminal and console.encoding.startswith("utf")


def _stripped(line: Sequence[Segment]) -> list[Segment]:
    """Return a line without the spaces at its end, which belong to the side of the language."""
    segments = list(line)
    while segments and not segments[-1].text.strip():
        segments.pop()
    last = (each._replace(text=each.text.rstrip()) for each in segments[-1:])
    return [*segments[:-1], *last]
