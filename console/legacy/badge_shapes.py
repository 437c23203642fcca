"""How the old API spells badges and what they are for. Source: the contract of its API, §4."""

from console.badges.queries import Award, Description
from console.legacy.answers import Audit, Json


def award_shape(award: Award) -> Json:
    """A badge that somebody has."""
    return {
        **_audit(award),
        "account_id": award.account_id,
        "account_username": award.account_username,
        "awarded_by_id": award.awarded_by_id,
        "awarded_by_username": award.awarded_by_username,
        "description_id": award.description_id,
    }


def description_shape(description: Description) -> Json:
    """What a badge is for."""
    return {
        **_audit(description),
        "title": description.title,
        "description": description.description,
        "slug": description.slug,
        "icon": description.icon,
        "color": description.color,
        "certification_circle_id": description.certification_circle_id,
    }


def _audit(row: Award | Description) -> Json:
    return Audit(row.id, row.created_at, row.created_by, row.updated_at, row.updated_by).spelled()
