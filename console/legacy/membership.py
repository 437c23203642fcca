"""The old API of membership."""

from console.web.routing import Route


def routes() -> list[Route]:
    """Its paths."""
    return []
