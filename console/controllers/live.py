"""Controllers as a source of live updates, for admins."""

from collections.abc import Sequence

from console.controllers.routes import controller_views
from console.database import Database
from console.web.live_hub import LiveFragment
from console.web.routing import Who


class ControllerStates:
    """The whole list, sent whenever a controller reports something new or its rights change."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def channels(self) -> frozenset[str]:
        """Reports, and the changes after which new rights are published."""
        return frozenset({"access_report", "access_changed"})

    async def fragments(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveFragment]:
        """The list, whatever changed. Raises: DatabaseUnavailable."""
        del changed
        if audience is not Who.ADMIN:
            return []
        async with self._database.reading() as conn:
            views = await controller_views(conn)
        return [LiveFragment("controllers", "controllers/list.html", {"controllers": views})]
