"""The old API of companies."""

from console.web.routing import Route


def routes() -> list[Route]:
    """Its paths."""
    return []
