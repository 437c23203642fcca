"""Which circles make whom an admin, a treasurer, somebody at the front desk."""

from collections.abc import Set as AbstractSet

from console.settings import RoleSettings
from console.web.routing import Who

DESPOT_CIRCLE = "despot"
OLD_NAMES = frozenset({DESPOT_CIRCLE, "api", "door", "insight-fee"})
"""Circles that the old web app knows by name. Source: the contract of its API, §2, §3, §7."""


def circles_for(who: Who, settings: RoleSettings) -> tuple[str, ...]:
    """Each of these circles allows it; none: being logged in does."""
    match who:
        case Who.ANYONE | Who.MEMBER:
            return ()
        case Who.FRONT_DESK:
            return _with_admins(settings.front_desk_circle, settings)
        case Who.TREASURER:
            return _with_admins(settings.treasurer_circle, settings)
        case Who.ADMIN:
            return (settings.admin_circle,)
        case Who.COMPANIES:
            return (DESPOT_CIRCLE, settings.admin_circle)
        case Who.DESPOT:
            return (DESPOT_CIRCLE,)


def roles_of(circles: AbstractSet[str], settings: RoleSettings) -> frozenset[Who]:
    """What somebody in these circles may do who is logged in."""
    return frozenset(
        who for who in Who if not (allowing := circles_for(who, settings)) or circles & {*allowing}
    )


def names_that_count(settings: RoleSettings) -> frozenset[str]:
    """Circles that are known by their names: called otherwise, they would give nothing any more."""
    ours = (settings.admin_circle, settings.front_desk_circle, settings.treasurer_circle)
    return OLD_NAMES | {name for name in ours if name is not None}


def _with_admins(circle: str | None, settings: RoleSettings) -> tuple[str, ...]:
    return (settings.admin_circle,) if circle is None else (circle, settings.admin_circle)
