"""Server-sent events as bytes. Source: HTML standard, "Server-sent events"."""

from msgspec import Struct


class LiveMessage(Struct, frozen=True):
    """A fragment for the places of a page that wait for `name` (`sse-swap="name"`)."""

    name: str
    html: str


def encode(message: LiveMessage) -> bytes:
    """A message as the stream has it."""
    data = "".join(f"data: {line}\n" for line in message.html.splitlines() or [""])
    return f"event: {message.name}\n{data}\n".encode()
