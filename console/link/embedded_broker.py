"""The broker inside the console: for one makerspace and for the demo, with nothing to set up.

Decides where it listens and under which name the console itself comes in. What a client may do is
decided in `broker_access.py`, what happens to its packets in `fenced_broker.py`; enrolled
controllers are known to the function that is passed in.

The console has a listening address of its own, always on loopback: so it needs neither a
certificate that names 127.0.0.1 nor a public address, a crowd at the other address can't keep it
out, and its login is of no use from elsewhere.
"""

# pyright: reportMissingTypeStubs=false
# amqtt is annotated but doesn't say so (no py.typed).

import logging
import secrets
import ssl
from types import TracebackType

import structlog
from amqtt.errors import BrokerError

from console.errors import ConsoleError
from console.link.amqtt_plugins import CONSOLE_USER, Gate, PasswordLookup
from console.link.broker_access import AccessRules, old_prefixes
from console.link.broker_url import BrokerUrl
from console.link.fenced_broker import FencedBroker
from console.link.listener import Listener
from console.settings import MqttSettings

CONTROLLERS = "controllers"
CONSOLE = "console"

log = structlog.get_logger()


class BrokerNotStarted(ConsoleError):
    """The embedded broker can't listen; the message names the setting."""


class EmbeddedBroker:
    """Starts and stops; may be started again, then on the same ports."""

    def __init__(self, settings: MqttSettings, password_hash_of: PasswordLookup) -> None:
        """`password_hash_of`: a controller's name → its password's hash, None if not enrolled."""
        self._settings = settings
        self._port = settings.listen.port
        self._console_port = 0
        self._password = secrets.token_urlsafe(32)
        self._password_hash_of = password_hash_of
        self._broker: FencedBroker | None = None

    async def __aenter__(self) -> "EmbeddedBroker":
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def is_running(self) -> bool:
        """Whether it listens."""
        return self._broker is not None

    @property
    def port(self) -> int:
        """The port for controllers; with port 0 in the settings known after the first start."""
        return self._port

    @property
    def url(self) -> str:
        """For the console's own link: address, user and password. A secret."""
        return BrokerUrl(
            host="127.0.0.1",
            port=self._console_port,
            tls=False,
            user=CONSOLE_USER,
            password=self._password,
        ).with_credentials()

    async def start(self) -> None:
        """Listens. Does nothing when it already does. Raises: BrokerNotStarted."""
        if self._broker is not None:
            return
        # amqtt tells everything to a logger of its own; what matters is in our log already.
        for noisy in ("amqtt", "transitions"):
            logging.getLogger(noisy).setLevel(logging.CRITICAL)
        listen, tls = self._settings.listen, self._tls()
        rules = AccessRules(self._settings.prefix, old_prefixes(self._settings))
        broker = FencedBroker(
            [
                Listener(CONTROLLERS, listen.host, self._port, tls),
                Listener(CONSOLE, "127.0.0.1", self._console_port, for_console=True),
            ],
            Gate(rules, self._password, self._password_hash_of),
        )
        try:
            await broker.start()
        except BrokerError as error:
            raise BrokerNotStarted(
                f"the broker can't listen on {listen.host}:{self._port}:"
                f" {error.__cause__ or error}. If another broker runs there, name it in [mqtt] url,"
                " else choose another address in [mqtt] listen"
            ) from error
        self._broker = broker
        self._port, self._console_port = broker.port(CONTROLLERS), broker.port(CONSOLE)
        log.info("broker.started", host=listen.host, port=self._port, tls=tls is not None)
        if tls is None and not listen.is_loopback:
            log.warning(
                "broker.unencrypted",
                remedy="set [mqtt] tls_certificate and tls_key, or listen on 127.0.0.1",
            )

    async def stop(self) -> None:
        """Ends all connections. Does nothing when it isn't running."""
        broker, self._broker = self._broker, None
        if broker is None:
            return
        await broker.shutdown()
        log.info("broker.stopped", port=self._port)

    def _tls(self) -> ssl.SSLContext | None:
        certificate, key = self._settings.tls_certificate, self._settings.tls_key
        if certificate is None or key is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(certificate, key)
        except OSError as error:
            raise BrokerNotStarted(
                f"the broker can't use [mqtt] tls_certificate {certificate} with tls_key {key}:"
                f" {error}"
            ) from error
        return context
