"""amqtt's broker with a fence: everything between the socket and amqtt's tables is our own.

Decides who gets in and who hears what; the packets in between are `conversation.py`'s. Taken from
amqtt: the packet classes, the checks on CONNECT, the plugins, the tables of subscriptions and
retained messages and their matching. Not taken, because amqtt 0.12 there

- replays to whoever connects the retained messages of *all* subscriptions, also to a client that
  subscribed to nothing or was refused, and walks that table while other connects change it;
- touches the session of a client id before the newcomer's password is checked: a stranger ends
  a controller's connection, or has its will, name and messages put to his own use;
- publishes wills and retains messages on any topic, without asking the plugins;
- loses messages: those sent just before a DISCONNECT, and any that is broadcast while somebody
  subscribes;
- never ends a connection that has gone silent, and keeps queues and sessions without a limit.

Sessions here are always clean and nothing is queued for who is away: the protocol acknowledges
end to end and needs no memory in the broker but the retained messages. QoS 2 isn't served.
"""

# pyright: reportMissingTypeStubs=false
# amqtt is annotated but doesn't say so (no py.typed).

import asyncio
from collections.abc import Sequence
from functools import partial

import structlog
from amqtt.broker import Broker, Server
from amqtt.contexts import Action, BrokerConfig, ListenerConfig
from amqtt.errors import AMQTTError, CodecError, MQTTError, NoDataError
from amqtt.mqtt import packet as packets
from amqtt.mqtt.connack import (
    CONNECTION_ACCEPTED,
    NOT_AUTHORIZED,
    SERVER_UNAVAILABLE,
    ConnackPacket,
)
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import Session

from console.link.amqtt_plugins import Gate, plugin_settings
from console.link.amqtt_wire import Hangup, RawPacket, Violation, Wire
from console.link.broker_access import TheConsole
from console.link.connected_client import ConnectedClient
from console.link.conversation import converse
from console.link.listener import Listener
from console.link.refusals import Refusals
from console.supervision import end

CONNECT_SECONDS = 10.0
"""From the first byte to the answer to CONNECT."""
MAX_CONNECT_BYTES = 16 * 1024
MAX_SILENT = 256
"""Connections that haven't said who they are; one more pushes the oldest out."""
MAX_ASKING = 1024
"""Connections whose password is being checked; one more is told to come back later. Those that were
let in need no limit: there is one for each controller."""
MAX_RETAINED = 10_000
"""Retained messages: three for each controller."""

GOODBYE = "goodbye"
"""Why a client left that sent DISCONNECT: the one case in which its will isn't published."""

log = structlog.get_logger()


class FencedBroker(Broker):
    """See the module's text. Inherits because amqtt's parts can't be had otherwise."""

    def __init__(self, listeners: Sequence[Listener], gate: Gate) -> None:
        """Nothing listens before `start()`."""
        super().__init__(
            BrokerConfig(
                listeners={"default": ListenerConfig(bind=None)}, plugins=plugin_settings(gate)
            )
        )
        self._listeners = {listener.name: listener for listener in listeners}
        self._gate = gate
        self._listening: dict[str, asyncio.Server] = {}
        self._clients: dict[str, ConnectedClient] = {}
        self._silent: dict[asyncio.Task[None], Wire] = {}
        self._asking = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._refusals = Refusals()
        self._stopping = False

    def port(self, name: str) -> int:
        """The port that a listener is bound to."""
        return int(self._listening[name].sockets[0].getsockname()[1])

    async def shutdown(self) -> None:
        """Ends every connection and stops listening. Wills aren't published."""
        self._stopping = True
        for server in self._listening.values():
            server.close()
        await end(*self._tasks)
        await super().shutdown()

    async def _start_listeners(self) -> None:
        try:
            for listener in self._listeners.values():
                arrival = partial(self.stream_connected, listener_name=listener.name)
                server = await listener.open(arrival)
                self._listening[listener.name] = server
                self._servers[listener.name] = Server(listener.name, server)
        except OSError:
            for server in self._listening.values():
                server.close()
            raise

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        """One connection from its first byte to its last."""
        wire = Wire(reader, writer)
        task = asyncio.current_task()
        if self._stopping or task is None:
            wire.abort()
            return
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._make_room()
        self._silent[task] = wire
        try:
            first = await wire.read_packet(limit=MAX_CONNECT_BYTES, seconds=CONNECT_SECONDS)
            self._silent.pop(task, None)
            client = await self._let_in(wire, first, self._listeners[listener_name])
            if client is not None:
                await self._entertain(client)
        except (Hangup, asyncio.CancelledError):
            # This is the whole task, and asyncio 3.11 complains of a cancelled one.
            pass
        except (Violation, AMQTTError, MQTTError, NoDataError, CodecError) as error:
            self._refusals.note(wire, f"broke the protocol: {str(error)[:200]}")
        except Exception:
            # The outermost loop of a connection: whatever is wrong, only this client is dropped.
            log.exception("client.failed")
        finally:
            self._silent.pop(task, None)
            await wire.end()

    def _make_room(self) -> None:
        """A newcomer pushes out who has been silent longest, so that a crowd keeps nobody out."""
        if len(self._silent) < MAX_SILENT:
            return
        task, wire = next(iter(self._silent.items()))
        del self._silent[task]
        wire.abort()
        task.cancel()

    async def _let_in(
        self, wire: Wire, first: RawPacket, listener: Listener
    ) -> ConnectedClient | None:
        """Reads CONNECT and asks who it is, before anything that others could notice."""
        if first.kind != packets.CONNECT or first.flags:
            raise Violation("the first packet was no CONNECT")
        _, session = await BrokerProtocolHandler.init_from_connect(
            first.whole(), wire, self.plugins_manager
        )
        if self._asking >= MAX_ASKING:
            wire.write(ConnackPacket.build(0, SERVER_UNAVAILABLE).to_bytes())
            return None
        self._asking += 1
        try:
            reason = await self._why_not(session, listener)
        finally:
            self._asking -= 1
        if reason is not None:
            self._refusals.note(wire, reason, session.username)
            wire.write(ConnackPacket.build(0, NOT_AUTHORIZED).to_bytes())
            return None
        who = self._gate.client(session)
        if who is None or session.client_id is None:
            raise Violation("a session without a name")
        session.clean_session = True
        client = ConnectedClient(id=session.client_id, who=who, session=session, wire=wire)
        await self._take_over(client)
        return client

    async def _why_not(self, session: Session, listener: Listener) -> str | None:
        """Why a session isn't let in; None: it is."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                if not await self._authenticate(session, self.listeners_config["default"]):
                    return "wrong name, password or client id"
        except TimeoutError:
            return "its password couldn't be looked up in time"
        who = self._gate.client(session)
        if who is None or isinstance(who, TheConsole) != listener.for_console:
            return "wrong listener: the console and controllers have one each"
        if session.will_flag and not self._gate.rules.may_publish(who, session.will_topic or ""):
            return "its will is for a topic that it may not publish to"
        return None

    async def _take_over(self, client: ConnectedClient) -> None:
        """The same client again: the older connection ends first, its will included."""
        while (old := self._clients.get(client.id)) is not None:
            old.wire.abort()
            await old.gone.wait()
        self._clients[client.id] = client

    async def _entertain(self, client: ConnectedClient) -> None:
        """From CONNACK to the end. No await between `_take_over` and the `try` in here."""
        reason = "broker stopped"
        try:
            client.wire.write(ConnackPacket.build(0, CONNECTION_ACCEPTED).to_bytes())
            self._tell("client.connected", client)
            await converse(client, self, self._refusals)
            reason = GOODBYE
        except (Hangup, Violation) as error:
            reason = str(error)
            raise
        finally:
            del self._clients[client.id]
            await self._del_all_subscriptions(client.session)
            if reason != GOODBYE and not self._stopping:
                await self._publish_will(client)
            self._tell("client.left", client, reason=reason)
            client.gone.set()

    async def publish(
        self, client: ConnectedClient, name: str, data: bytes, *, qos: int, retain: bool
    ) -> bool:
        """Hands a client's message to its subscribers. False: it may not publish there."""
        if not await self._topic_filtering(client.session, name, Action.PUBLISH):
            return False
        self._route(name, data, qos)
        if retain:
            await self.retain_message(None, name, data, qos)
        return True

    async def subscribe(self, client: ConnectedClient, name_filter: str, qos: int) -> int:
        """Returns SUBACK's code: the granted QoS, or `REFUSED`."""
        return await self.add_subscription((name_filter, min(qos, 1)), client.session)

    def unsubscribe(self, client: ConnectedClient, name_filter: str) -> None:
        """Does nothing for a filter that it hasn't."""
        self._del_subscription(name_filter, client.session)

    def replay(self, client: ConnectedClient, name_filter: str, qos: int) -> None:
        """Hands over what is retained for one filter that was just granted, and nothing else."""
        for name, kept in self._retained_messages.items():
            if self._matches(name, name_filter) and self._gate.rules.may_receive(client.who, name):
                client.deliver(name, bytes(kept.data), qos=min(qos, kept.qos or 0), retain=True)

    def _route(self, name: str, data: bytes, qos: int) -> None:
        """Hands a message to everybody who subscribed to it. Never waits, so no table changes."""
        receivers: dict[ConnectedClient, int] = {}
        for name_filter, subscriptions in self._subscriptions.items():
            if not self._matches(name, name_filter):
                continue
            for session, granted in subscriptions:
                client = self._clients.get(session.client_id or "")
                if client is not None and self._gate.rules.may_receive(client.who, name):
                    receivers[client] = max(receivers.get(client, 0), min(qos, granted))
        for client, best in receivers.items():
            client.deliver(name, data, qos=best, retain=False)

    async def _publish_will(self, client: ConnectedClient) -> None:
        """Its topic was checked at CONNECT."""
        session = client.session
        if not session.will_flag or session.will_topic is None:
            return
        data, qos = bytes(session.will_message or b""), min(session.will_qos or 0, 1)
        self._route(session.will_topic, data, qos)
        if session.will_retain:
            await self.retain_message(None, session.will_topic, data, qos)

    async def retain_message(
        self,
        source_session: Session | None,
        topic_name: str | None,
        data: bytes | bytearray | None,
        qos: int | None = None,
    ) -> None:
        """Keeps a message if its topic is one that is kept; an empty one clears it."""
        if topic_name is None or not self._gate.rules.keeps(topic_name):
            return
        if (
            topic_name not in self._retained_messages
            and len(self._retained_messages) >= MAX_RETAINED
        ):
            log.error("message.not_retained", topic=topic_name, limit=MAX_RETAINED)
            return
        # No source: a kept message must not keep a whole session in memory.
        await super().retain_message(None, topic_name, data, qos)

    @staticmethod
    def _tell(event: str, client: ConnectedClient, **facts: str) -> None:
        if not isinstance(client.who, TheConsole):
            log.info(event, client=client.id, **facts)
