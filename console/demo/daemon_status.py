"""Asks a daemon for its status, as `p2k16-edge status --json` does, without a process for each ask.

Decides what of the answer the demo shows.
"""

import asyncio
from pathlib import Path

from console.demo.view import Reported
from sync.errors import Malformed
from sync.ids import PointKey
from sync.strict_json import Fields

SOCKET_NAME = "status.sock"


class NoStatus(Exception):
    """No daemon answers, or what it says can't be read."""


async def ask_status(data_dir: Path, key: PointKey) -> Reported:
    """What the daemon of that data folder says now of itself and its point. Raises: NoStatus."""
    try:
        reader, writer = await asyncio.open_unix_connection(data_dir / SOCKET_NAME)
        writer.write_eof()  # no question: how is it?
        try:
            answer = await reader.read()
        finally:
            writer.close()
        return read_status(answer, key)
    except (OSError, Malformed) as error:
        raise NoStatus(str(error)) from error


def read_status(answer: bytes, key: PointKey) -> Reported:
    """Raises: Malformed."""
    fields = Fields.parse(answer, "status")
    journal = fields.fields("journal")
    point = fields.fields("points").fields(key)
    return Reported(
        is_linked=fields.text("link", "up|down") == "up",
        waiting=max(0, journal.integer("head") - journal.integer("acknowledged")),
        serial=fields.fields("applied").integer("serial"),
        relay=point.text("relay", "on|off"),
        light=point.text("light", "off|green|red|amber"),
        state=point.text("state", "[a-z_]{1,40}"),
    )
