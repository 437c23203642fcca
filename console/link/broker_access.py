"""Who may say and hear what on the broker: the one list that every broker's rules are made from.

Decides the access rules and leaves their enforcement to the embedded broker's plugins and to the
files for Mosquitto. What isn't allowed here is forbidden; there is no default for new names.
"""

from collections.abc import Iterator

from msgspec import Struct

from console.settings import MqttSettings
from sync.ids import ControllerId
from sync.topics import RETAINED, Leaf, everything_down, everything_up, parse, topic

DOWN = tuple(leaf for leaf in Leaf if leaf.startswith("down/"))
UP = tuple(leaf for leaf in Leaf if leaf.startswith("up/"))


class TheConsole(Struct, frozen=True):
    """Speaks down to every controller and hears all of them."""


class AController(Struct, frozen=True):
    """Speaks up as itself and hears what is meant for it."""

    id: ControllerId


Client = TheConsole | AController


class AccessRules(Struct, frozen=True):
    """The rules for all topics below `prefix`, and for those of the old web app's hardware.

    `old_prefixes` are what those begin with: the console may publish there, and nobody hears it.
    """

    prefix: str
    old_prefixes: tuple[str, ...] = ()

    def may_publish(self, client: Client, name: str) -> bool:
        """Whether `client` may publish to the topic `name`; the same rule holds for its will."""
        found = parse(self.prefix, name)
        match client:
            case TheConsole():
                if not name.startswith(f"{self.prefix}/"):
                    return name.startswith(self.old_prefixes)
                return found is not None and found.leaf in DOWN
            case AController(controller):
                return found is not None and found.leaf in UP and found.controller == controller

    def may_receive(self, client: Client, name: str) -> bool:
        """Whether a message on the topic `name` may be handed to `client`, live or retained."""
        found = parse(self.prefix, name)
        match client:
            case TheConsole():
                return found is not None and found.leaf in UP
            case AController(controller):
                return found is not None and found.leaf in DOWN and found.controller == controller

    def may_subscribe(self, client: Client, name_filter: str) -> bool:
        """Whether `client` may subscribe to the topic or filter `name_filter`."""
        return name_filter in self._wildcards(client) or self.may_receive(client, name_filter)

    def keeps(self, name: str) -> bool:
        """Whether the last message on the topic `name` may be retained."""
        found = parse(self.prefix, name)
        return found is not None and found.leaf in RETAINED

    def publishes(self, client: Client) -> Iterator[str]:
        """Every topic that `client` may publish to, `+` for any controller, `#` for the rest."""
        match client:
            case TheConsole():
                yield from (topic(self.prefix, _ANY, leaf) for leaf in DOWN)
                yield from sorted({_below(beginning) for beginning in self.old_prefixes})
            case AController(controller):
                yield from (topic(self.prefix, controller, leaf) for leaf in UP)

    def receives(self, client: Client) -> Iterator[str]:
        """Every topic that `client` may hear, `+` for any controller."""
        match client:
            case TheConsole():
                yield from (topic(self.prefix, _ANY, leaf) for leaf in UP)
            case AController(controller):
                yield from (topic(self.prefix, controller, leaf) for leaf in DOWN)

    def _wildcards(self, client: Client) -> tuple[str, ...]:
        match client:
            case TheConsole():
                return (everything_up(self.prefix),)
            case AController(controller):
                branch = everything_down(self.prefix, controller)
                return (branch, branch.removesuffix("#") + "+")


_ANY = ControllerId("+")
"""MQTT's wildcard for one level. Never a controller's name: those have no `+`."""


def old_prefixes(mqtt: MqttSettings) -> tuple[str, ...]:
    """What the topics of the old web app's doors, tools and label printer begin with."""
    return (mqtt.legacy_door_prefix, f"{mqtt.legacy_tool_prefix}/", f"{mqtt.legacy_label_prefix}/")


def _below(beginning: str) -> str:
    """The narrowest filter for all topics that begin so; filters know whole levels only."""
    return f"{beginning.rpartition('/')[0]}/#" if "/" in beginning else "#"
