"""Everything that the console says to controllers: signed with the key for it, then published.

Decides which key signs what and what the broker retains. When something is said is for the callers.
"""

from typing import Protocol

from console.site_keys import SiteKeys
from sync.commands import Command, encode_command
from sync.envelope import Kind, seal
from sync.ids import ControllerId
from sync.keyset import encode_keyset
from sync.messages import Ack, Beacon, encode_ack, encode_beacon
from sync.topics import RETAINED, Leaf, topic


class Broker(Protocol):
    """Where messages go: `console.link.broker.BrokerLink`."""

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1
    ) -> None:
        """Returns when the broker has it. Raises: BrokerUnavailable."""
        ...


class Outbound:
    """One method for each message. Each raises BrokerUnavailable when it may not have got out."""

    def __init__(self, broker: Broker, prefix: str, keys: SiteKeys) -> None:
        """`prefix` starts every topic."""
        self._broker = broker
        self._prefix = prefix
        self._keys = keys

    async def keyset(self, to: ControllerId) -> None:
        """The online keys."""
        payload = encode_keyset(self._keys.keyset)
        envelope = seal(Kind.KEYSET, to, payload, seed=self._keys.root_seed)
        await self._publish(to, Leaf.KEYS, envelope)

    async def snapshot(self, to: ControllerId, envelope: bytes) -> None:
        """A snapshot that `seal_snapshot` has signed."""
        await self._publish(to, Leaf.SNAPSHOT, envelope)

    async def command(self, to: ControllerId, command: Command) -> None:
        """An order."""
        payload = encode_command(command)
        envelope = seal(Kind.COMMAND, to, payload, seed=self._keys.command_seed)
        await self._publish(to, Leaf.COMMAND, envelope)

    async def beacon(self, to: ControllerId, beacon: Beacon) -> None:
        """The answer to a nonce."""
        payload = encode_beacon(beacon)
        envelope = seal(Kind.BEACON, to, payload, seed=self._keys.beacon_seed)
        await self._publish(to, Leaf.BEACON, envelope)

    async def acknowledgement(self, to: ControllerId, ack: Ack) -> None:
        """How far its journal is stored."""
        payload = encode_ack(ack)
        envelope = seal(Kind.ACK, to, payload, seed=self._keys.beacon_seed)
        await self._publish(to, Leaf.ACK, envelope)

    async def _publish(self, to: ControllerId, leaf: Leaf, envelope: bytes) -> None:
        await self._broker.publish(
            topic(self._prefix, to, leaf), envelope, retain=leaf in RETAINED, qos=1
        )


def seal_snapshot(keys: SiteKeys, to: ControllerId, payload: bytes) -> bytes:
    """The envelope of a snapshot: what is stored, and published as often as needed."""
    return seal(Kind.SNAPSHOT, to, payload, seed=keys.snapshot_seed)
