"""The log never holds up a door, whatever becomes of those who read it."""

import io
import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from edge.log import LINE_CHARACTERS_MAX, Unbreakable

LINE = json.dumps({"event": "tap.answered", "filler": "x" * 100}) + "\n"


@pytest.fixture
def pipe() -> Iterator[tuple[int, Unbreakable]]:
    """A reader's descriptor, and the log that it should read."""
    reader, writer = os.pipe()
    stream = os.fdopen(writer, "w")
    yield reader, Unbreakable(stream)
    os.close(reader)
    with suppress(OSError):
        stream.close()


def written_in_time(log: Unbreakable, lines: list[str]) -> bool:
    def write() -> None:
        for line in lines:
            log.write(line)
            log.flush()

    writing = threading.Thread(target=write, daemon=True)
    writing.start()
    writing.join(2)
    return not writing.is_alive()


def test_a_log_that_nobody_reads_is_given_up_and_taken_up_again(
    pipe: tuple[int, Unbreakable],
) -> None:
    reader, log = pipe
    in_time = written_in_time(log, [LINE] * 1000)
    waiting = os.read(reader, 1 << 20)
    assert in_time
    assert set(waiting.decode().splitlines()) == {LINE.strip()}, "whole lines only"
    log.write("again\n")
    log.flush()
    assert os.read(reader, 100) == b"again\n"


def test_a_line_is_never_longer_than_what_a_pipe_takes_at_once(
    pipe: tuple[int, Unbreakable],
) -> None:
    reader, log = pipe
    in_time = written_in_time(log, ["x" * 10_000 + "\n"] * 100)
    lines = os.read(reader, 1 << 20).decode().splitlines()
    assert in_time
    assert {len(line) for line in lines} == {LINE_CHARACTERS_MAX}


def test_a_log_whose_reader_has_gone_does_no_harm() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    log = Unbreakable(stream)
    log.write(LINE)
    log.flush()
    with suppress(OSError):
        stream.close()


def test_a_stream_without_a_descriptor_will_do() -> None:
    stream = io.StringIO()
    Unbreakable(stream).write(LINE)
    assert stream.getvalue() == LINE
