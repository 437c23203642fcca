"""Whose e-mail, phone, payments and fees a visitor of the old API is told."""

from aiohttp import web

from console.web.keys import SETTINGS
from console.web.session import visitor_or_none


def sees(request: web.Request, account_id: int) -> bool:
    """Whether the visitor is told those of this account: it is her own, or she is an admin.

    With `[legacy] open_directory` whoever is logged in is told everybody's, as the old web app did.
    """
    visitor = visitor_or_none(request)
    if visitor is None:
        return False
    return visitor.account_id == account_id or visitor.is_admin or is_open(request)


def is_open(request: web.Request) -> bool:
    """Whether members see everything of one another: `[legacy] open_directory`."""
    return request.app[SETTINGS].legacy.open_directory
