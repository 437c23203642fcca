"""All paths of the old API."""

from console.legacy import (
    accounts,
    badges,
    circles,
    companies,
    doors,
    events,
    exports,
    labels,
    memberinfo,
    membership,
    profiles,
    tools,
)
from console.web.routing import Route


def routes() -> list[Route]:
    """All of them."""
    blueprints = (
        *(accounts, profiles, circles, companies, badges, events),
        *(tools, doors, labels, membership, memberinfo, exports),
    )
    return [route for blueprint in blueprints for route in blueprint.routes()]
