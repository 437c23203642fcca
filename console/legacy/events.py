"""The old API of events."""

from console.web.routing import Route


def routes() -> list[Route]:
    """Its paths."""
    return []
