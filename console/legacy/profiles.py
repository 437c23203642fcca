"""The old API of profiles."""

from console.web.routing import Route


def routes() -> list[Route]:
    """Its paths."""
    return []
