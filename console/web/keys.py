"""What `app.py` hands to the routes, each under a typed key of the application."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from console.database import Database
from console.settings import ConsoleSettings
from console.web.live_hub import LiveHub

DATABASE = web.AppKey("database", Database)
SETTINGS = web.AppKey("settings", ConsoleSettings)
SITE_SALT = web.AppKey("site_salt", bytes)
LIVE = web.AppKey("live", LiveHub)
BROKER_ANSWERS = web.AppKey[Callable[[], Awaitable[bool]]]("broker_answers")
