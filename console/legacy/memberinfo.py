"""The old API of memberinfo."""

from console.web.routing import Route


def routes() -> list[Route]:
    """Its paths."""
    return []
