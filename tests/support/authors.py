"""Whom changes come from that tests make past the pages."""

from console.database import Author

SOMEBODY = Author(None, None, "a test")


def somebody_at(address: str) -> Author:
    """The same, over the network."""
    return Author(None, address, "a test")
