"""The old API of badges."""

from console.web.routing import Route


def routes() -> list[Route]:
    """Its paths."""
    return []
