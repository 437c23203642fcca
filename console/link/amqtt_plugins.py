"""amqtt's plugins for our broker: who comes in, and who may publish and hear what.

Decides by `AccessRules` and by a password's hash, which is looked up by a function from outside.
Anything unknown is refused: a name of another form, a client id that isn't the user's, a database
that doesn't answer.
"""

# pyright: reportMissingTypeStubs=false
# amqtt is annotated but doesn't say so (no py.typed).

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from amqtt.contexts import Action, BaseContext
from amqtt.plugins.base import BaseAuthPlugin, BasePlugin, BaseTopicPlugin
from amqtt.session import Session

from console.errors import ConsoleError
from console.link.broker_access import AccessRules, AController, Client, TheConsole
from console.link.broker_password import verify_password
from sync.ids import NAME, ControllerId

CONSOLE_USER = "p2k16_console"
"""The console's own login. The underscore keeps it apart from every controller's name."""
LOOKUPS_AT_ONCE = 4
"""So that a crowd of newcomers can't take all of the console's database connections."""

PasswordLookup = Callable[[str], Awaitable[str | None]]
"""Controller's name → its broker password's hash; None for one that isn't enrolled."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Gate:
    """What the plugins decide by."""

    rules: AccessRules
    console_password: str = field(repr=False)
    password_hash_of: PasswordLookup
    turns: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(LOOKUPS_AT_ONCE), repr=False
    )

    async def admits(self, user: str | None, password: str | None, client_id: str | None) -> bool:
        """Whether this is somebody. A controller's client id must be its name.

        Otherwise one controller could come in under another's id, and MQTT lets the newcomer
        throw the older connection out.
        """
        if user is None or password is None:
            return False
        if user == CONSOLE_USER:
            return hmac.compare_digest(password.encode(), self.console_password.encode())
        if not NAME.fullmatch(user) or client_id != user:
            return False
        try:
            async with self.turns:
                stored = await self.password_hash_of(user)
        except ConsoleError as error:
            log.warning("password.not_found", client=user, reason=str(error))
            return False
        return stored is not None and verify_password(password, stored)

    def client(self, session: Session) -> Client | None:
        """Who an admitted session is; None for one without a name."""
        if session.username == CONSOLE_USER:
            return TheConsole()
        return None if session.username is None else AController(ControllerId(session.username))


class Authentication(BaseAuthPlugin):
    """Asks the gate at every CONNECT."""

    @dataclass
    class Config(BasePlugin.Config):
        """amqtt hands a plugin its settings in a class of this name."""

        gate: Gate

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        self._gate: Gate = self._get_config_option("gate")

    async def authenticate(self, *, session: Session) -> bool:
        """True lets the session in."""
        return await self._gate.admits(session.username, session.password, session.client_id)


class TopicAccess(BaseTopicPlugin):
    """Asks the rules at every SUBSCRIBE, PUBLISH and delivery."""

    @dataclass
    class Config(BasePlugin.Config):
        """amqtt hands a plugin its settings in a class of this name."""

        gate: Gate

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        self._gate: Gate = self._get_config_option("gate")

    async def topic_filtering(
        self,
        *,
        session: Session | None = None,
        topic: str | None = None,
        action: Action | None = None,
    ) -> bool:
        """True allows it."""
        client = None if session is None else self._gate.client(session)
        if client is None or topic is None:
            return False
        rules = self._gate.rules
        match action:
            case Action.PUBLISH:
                return rules.may_publish(client, topic)
            case Action.SUBSCRIBE:
                return rules.may_subscribe(client, topic)
            case Action.RECEIVE:
                return rules.may_receive(client, topic)
            case _:
                return False


def plugin_settings(gate: Gate) -> dict[str, dict[str, Gate]]:
    """The `plugins` of amqtt's configuration: these two, and none of amqtt's own."""
    return {
        f"{plugin.__module__}.{plugin.__qualname__}": {"gate": gate}
        for plugin in (Authentication, TopicAccess)
    }
