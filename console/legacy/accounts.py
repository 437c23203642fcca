"""The old API of accounts."""

from console.web.routing import Route


def routes() -> list[Route]:
    """Its paths."""
    return []
