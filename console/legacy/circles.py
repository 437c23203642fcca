"""The old API of circles."""

from console.web.routing import Route


def routes() -> list[Route]:
    """Its paths."""
    return []
