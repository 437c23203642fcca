"""The old API of doors."""

from console.web.routing import Route


def routes() -> list[Route]:
    """Its paths."""
    return []
