"""The console's connection to the broker, whichever broker that is: the only import of aiomqtt.

Decides when to connect and how long to wait in between. What messages mean is for `on_message`,
what is published for the callers. The broker is never trusted with anything: a message may be
lost on the way in or out, and whoever needs certainty waits for the other end's acknowledgement.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiomqtt import Client, Message, MqttError, ProtocolVersion

from console.errors import BrokerUnavailable
from console.link.broker_url import parse_broker_url
from console.link.fair_inbox import Arrived, FairInbox
from console.supervision import end, together
from sync.topics import everything_up

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
STEADY_SECONDS = 10.0
"""A connection that lasted this long starts the waiting times anew. Without it, a broker that
accepts and hangs up at once would be called twice a second for ever."""
KEEP_ALIVE_SECONDS = 30
CONNECT_SECONDS = 5.0
"""How long the broker may take to answer CONNECT and SUBSCRIBE. aiomqtt doesn't notice a connection
that breaks meanwhile, so a broker that goes down just then costs this much."""
PUBLISH_SECONDS = 10.0
"""How long the broker may take to acknowledge a message."""
ANSWER_SECONDS = 2.0
NOT_SUBSCRIBED = "nothing"
MAX_UNREAD = 1024
"""Messages inside aiomqtt; they move on to the fair inbox at once."""

OnMessage = Callable[[str, bytes, bool], Awaitable[None]]
"""Called with topic, payload and whether the broker had retained the message."""
OnConnected = Callable[[], Awaitable[None]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, eq=False)
class _Connection:
    """A connection that is up. `lost` is done as soon as it no longer is."""

    client: Client
    lost: asyncio.Future[None]


class BrokerLink:
    """Stays connected for as long as `run()` runs, and says at once when it isn't."""

    def __init__(
        self,
        url: str,
        prefix: str,
        *,
        on_message: OnMessage,
        on_connected: OnConnected | None = None,
        random: Callable[[], float],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`url` with user and password; `random` gives numbers from 0 to below 1.

        `on_message` gets one message after the other. `on_connected` is called after every
        connect, for what the broker may have forgotten; it is cut short when the connection goes.
        `tls` None: the system's certificate authorities. Raises: BrokerUrlError.
        """
        self._broker = parse_broker_url(url)
        self._filter = everything_up(prefix)
        self._on_message = on_message
        self._on_connected = on_connected
        self._random = random
        self._tls = (tls or ssl.create_default_context()) if self._broker.tls else None
        self._inbox = FairInbox()
        self._dropped = 0
        self._connection: _Connection | None = None
        self._trouble: str | None = None

    @property
    def is_up(self) -> bool:
        """Whether the broker has accepted us and the subscription just now."""
        return self._connection is not None

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1
    ) -> None:
        """Returns when the broker has taken the message over.

        Raises: BrokerUnavailable, at once when there is no connection or it breaks meanwhile,
        after 10 s when the broker doesn't answer. The message may have got through all the same.
        """
        connection = self._connection
        if connection is None:
            raise BrokerUnavailable(f"no connection to the broker: {self._trouble or 'not yet'}")
        sending = asyncio.ensure_future(
            connection.client.publish(
                topic, payload, qos=qos, retain=retain, timeout=PUBLISH_SECONDS
            )
        )
        try:
            await asyncio.wait(
                (sending, connection.lost),
                return_when=asyncio.FIRST_COMPLETED,
                timeout=PUBLISH_SECONDS,
            )
            if not sending.done():
                raise BrokerUnavailable("the broker didn't acknowledge the message")
            sending.result()
        except MqttError as error:
            raise BrokerUnavailable(f"the broker didn't take the message: {error}") from error
        finally:
            sending.cancel()

    async def answers(self) -> bool:
        """Whether the broker answers a question now; takes at most 2 s.

        A broker that hangs keeps its connections: `is_up` would notice by the keep-alive only.
        """
        connection = self._connection
        if connection is None:
            return False
        # Every broker confirms the end of a subscription, also of one that never was.
        asking = asyncio.ensure_future(connection.client.unsubscribe(NOT_SUBSCRIBED))
        try:
            await asyncio.wait(
                (asking, connection.lost),
                return_when=asyncio.FIRST_COMPLETED,
                timeout=ANSWER_SECONDS,
            )
            return asking.done() and asking.exception() is None
        finally:
            asking.cancel()

    async def run(self) -> None:
        """Connects, reads, and connects again, until it is cancelled."""
        await together(self._stay_connected(), self._hand_over())

    async def _stay_connected(self) -> None:
        clock = asyncio.get_running_loop().time
        attempt = 0
        while True:
            begun = clock()
            try:
                await self._connect_and_read()
            except (MqttError, OSError, ValueError) as error:
                _end_if_cancelled()
                # ValueError: a host name that can't be looked up (UnicodeError is one).
                self._report_lost(str(error) or type(error).__name__)
            attempt = 0 if clock() - begun >= STEADY_SECONDS else attempt + 1
            await asyncio.sleep(wait_seconds(attempt, self._random()))

    async def _connect_and_read(self) -> None:
        """Returns never; raises when the connection can't be made or is gone."""
        async with self._client() as client:
            _end_if_cancelled()
            codes = await client.subscribe(self._filter, qos=1)
            _end_if_cancelled()
            if any((code if isinstance(code, int) else code.value) >= 0x80 for code in codes):
                # 0x80 in a SUBACK: an accepted connection that would never hear anything.
                raise MqttError(f"the broker refuses the subscription {self._filter}: see its ACL")
            lost = asyncio.get_running_loop().create_future()
            self._connection = _Connection(client, lost)
            self._trouble = None
            log.info("link.connected", broker=self._broker.without_credentials())
            greeting = asyncio.ensure_future(self._greet())
            try:
                async for message in client.messages:
                    self._take_in(message)
            except MqttError as error:
                raise MqttError("the connection broke") from error
            finally:
                self._connection = None
                lost.set_result(None)
                await end(greeting)

    def _client(self) -> Client:
        # An unregistered logger: aiomqtt and paho say by it what we say better.
        silent = logging.Logger("aiomqtt", level=logging.CRITICAL)
        return Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.user,
            password=self._broker.password,
            identifier=f"p2k16-console-{int(self._random() * 16**8):08x}",
            protocol=ProtocolVersion.V311,
            clean_session=True,
            keepalive=KEEP_ALIVE_SECONDS,
            timeout=CONNECT_SECONDS,
            tls_context=self._tls,
            max_queued_incoming_messages=MAX_UNREAD,
            logger=silent,
        )

    async def _greet(self) -> None:
        if self._on_connected is None:
            return
        try:
            await self._on_connected()
        except BrokerUnavailable:
            # Gone again; it is called anew after the next connect.
            return
        except Exception:
            log.exception("link.greeting_failed")

    def _take_in(self, message: Message) -> None:
        arrived = Arrived(message.topic.value, message.payload, message.retain)
        if self._inbox.put(arrived):
            return
        self._dropped += 1
        # The 1st, 2nd, 4th, 8th …: a flood must not become a flood of log lines.
        if self._dropped & (self._dropped - 1) == 0:
            log.warning("message.dropped", topic=arrived.topic, dropped_so_far=self._dropped)

    async def _hand_over(self) -> None:
        while True:
            message = await self._inbox.take()
            try:
                await self._on_message(message.topic, message.payload, message.retained)
            except Exception:
                # The outermost loop of everything that comes in: one bad message must not end it.
                log.exception("message.failed", topic=message.topic)

    def _report_lost(self, trouble: str) -> None:
        if trouble != self._trouble:
            log.warning("link.lost", broker=self._broker.without_credentials(), reason=trouble)
        self._trouble = trouble


def _end_if_cancelled() -> None:
    """Raises the CancelledError that `asyncio.wait_for` has swallowed.

    Until Python 3.12 it does when what it waits for is done in the same moment, and aiomqtt waits
    by it for CONNACK and SUBACK: the link would go on as if nobody had asked it to end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def wait_seconds(attempt: int, random: float) -> float:
    """How long to wait before the next attempt: anything up to 0.5 s, 1 s, 2 s … 30 s.

    Full jitter, so that a broker that comes back isn't called by everybody at once. `attempt`
    counts from 0; `random` is from 0 to below 1.
    """
    return random * min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(attempt, 16))
