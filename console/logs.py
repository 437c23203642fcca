"""The log: lines for people on a terminal, JSON for the journal. Import it before structlog.

structlog looks for `rich` when it is imported and would take 5 MB for prettier tracebacks, wherever
amqtt has brought it along. A None in sys.modules makes that look-up fail (Source: Python reference,
"The import system", the module cache); afterwards the name is free again.
"""

import logging
import sys
import time
from typing import TextIO

if "structlog" not in sys.modules:
    sys.modules.setdefault("rich", None)  # pyright: ignore[reportArgumentType]
import structlog

if sys.modules.get("rich", structlog) is None:  # pyright: ignore[reportUnnecessaryComparison]
    del sys.modules["rich"]


OUT_OF_DESCRIPTORS = "socket.accept() out of system resource"
"""asyncio says it once for each place in the queue of connections: a hundred times at once."""
QUIET_SECONDS = 60.0


def log_to(stream: TextIO, *, level: int = logging.INFO) -> None:
    """Configures all logging of this process. Lines below `level` are dropped."""
    is_terminal = stream.isatty()
    last: list[structlog.types.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if is_terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    first: list[structlog.types.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=not is_terminal),
    ]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    # What libraries say by themselves: complaints of asyncio, aiohttp and psycopg's pool, mostly.
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, _as_of_a_library, *first],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(NowAndThen())
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


class NowAndThen(logging.Filter):
    """Lets through that there are no descriptors left, once in a while."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        if not str(record.msg).startswith(OUT_OF_DESCRIPTORS):
            return True
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + QUIET_SECONDS
        return True


def _as_of_a_library(
    _logger: object, _method: str, line: structlog.types.EventDict
) -> structlog.types.EventDict:
    """Theirs is a sentence, ours are words that can be searched for."""
    return {"text": line.pop("event"), "event": "library.spoke", **line}
