"""The old API of tools."""

from console.web.routing import Route


def routes() -> list[Route]:
    """Its paths."""
    return []
