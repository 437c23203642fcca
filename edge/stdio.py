"""Input and output as a shell may have left them: closed, full, or unable to write a letter."""

import io
import os
import sys
from contextlib import suppress


def repair() -> None:
    """Opens what was closed, before anything else takes its number; and no letter is an error."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            mode = "r" if number == 0 else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
        elif isinstance(stream, io.TextIOWrapper) and number > 0:
            # In JSON this is still the same letter.
            stream.reconfigure(errors="backslashreplace")


def complain(words: str) -> None:
    """To the person who called: a line on standard error, if that can be written."""
    with suppress(OSError):
        sys.stderr.write(f"p2k16-edge: {words}\n")
        sys.stderr.flush()


def is_written() -> bool:
    """Writes what waits; False: it can't be written."""
    try:
        sys.stdout.flush()
    except OSError as error:
        give_up(error)
        return False
    return True


def give_up(error: OSError) -> None:
    """Nothing more can be written: at the exit nobody shall try once more, and complain."""
    if not isinstance(error, BrokenPipeError):  # whoever read has had enough, as head(1)
        complain(f"the answer can't be written: {error.strerror}")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
