"""The old API of exports."""

from console.web.routing import Route


def routes() -> list[Route]:
    """Its paths."""
    return []
