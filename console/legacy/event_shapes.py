"""How the old web app spelled events. Source: the contract of its API, §4.

`created_by` is an account's id here, unlike in every other object.
"""

from datetime import datetime

from console.legacy.answers import Json, moment


def door_event(
    *, created_at: datetime, created_by: int, created_by_username: str, door: str | None
) -> Json:
    """Somebody opened the door with this key."""
    head = _head("door", "open", created_at, created_by=created_by, username=created_by_username)
    return head | {"door": door}


def badge_event(
    *,
    created_at: datetime,
    created_by: int,
    created_by_username: str,
    award: Json,
    description: Json | None,
) -> Json:
    """Somebody got a badge. `award` and `description` as `badge_shapes` spells them."""
    head = _head(
        "badge", "awarded", created_at, created_by=created_by, username=created_by_username
    )
    return head | {"account_badge": award, "badge_description": description}


def tool_event(
    *,
    created_at: datetime,
    created_by: int,
    created_by_username: str,
    name: str,
    tool_name: str | None,
) -> Json:
    """Somebody took a tool or gave it back: `name` is checkout or checkin."""
    head = _head("tool", name, created_at, created_by=created_by, username=created_by_username)
    return head | {"tool_name": tool_name}


def _head(domain: str, name: str, at: datetime, *, created_by: int, username: str) -> Json:
    return {
        "created_at": moment(at),
        "created_by": created_by,
        "created_by_username": username,
        "domain": domain,
        "name": name,
    }
