"""How log lines look: JSON, or coloured text on a terminal. A log is no audit: that is the journal.

No line shows local variables: they may hold a card.
"""

import logging
import select
from contextlib import suppress
from typing import TextIO

import structlog

LINE_CHARACTERS_MAX = 4_000
"""A pipe or socket that is ready takes a line of this length at once. Source: pipe(7), PIPE_BUF."""


class Unbreakable:
    """Writes lines until nobody reads them any more, and then goes on without."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._poll: select.poll | None = None
        with suppress(OSError, ValueError):  # without a descriptor nothing can be full
            number = stream.fileno()
            self._poll = select.poll()
            self._poll.register(number, select.POLLOUT)

    def write(self, text: str) -> None:
        """A door must not close because a log is full, or its reader has gone or stands still."""
        if len(text) > LINE_CHARACTERS_MAX:
            text = text[:LINE_CHARACTERS_MAX] + "\n"
        with suppress(OSError, ValueError):
            if self._poll is None or self._poll.poll(0):
                self._stream.write(text)

    def flush(self) -> None:
        """As above."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def configure_logging(stream: TextIO, *, level: int = logging.INFO) -> None:
    """Once, at the start of the program. Lines below `level` are not written."""
    is_terminal = stream.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if is_terminal
        else structlog.processors.JSONRenderer()
    )
    processors: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not is_terminal:
        processors.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=Unbreakable(stream)),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
