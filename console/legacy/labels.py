"""The old API of labels."""

from console.web.routing import Route


def routes() -> list[Route]:
    """Its paths."""
    return []
