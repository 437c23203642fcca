"""Controllers as a source of live updates, for admins."""

from collections.abc import Sequence

import jinja2

from console.controllers.routes import controller_views
from console.database import Database
from console.web.live_hub import LiveMessage
from console.web.render import fragment_text
from console.web.routing import Who


class ControllerStates:
    """The whole list, sent whenever a controller reports something new or its rights change."""

    def __init__(self, database: Database, environment: jinja2.Environment) -> None:
        self._database = database
        self._environment = environment

    @property
    def channels(self) -> frozenset[str]:
        """Reports, and the changes after which new rights are published."""
        return frozenset({"access_report", "access_changed"})

    async def messages(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveMessage]:
        """The list, whatever changed. Raises: DatabaseUnavailable."""
        del changed
        if audience is not Who.ADMIN:
            return []
        async with self._database.reading() as conn:
            views = await controller_views(conn)
        text = fragment_text(self._environment, "controllers/list.html", controllers=views)
        return [LiveMessage("controllers", text)]
