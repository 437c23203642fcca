"""What can befall the world, by name: each deed of a scenario is one of these."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sync.commands import Operation
from tests.prove.world.cast import CARDS, TOOL
from tests.prove.world.oracle import CardRule, PointRule
from tests.prove.world.reader import frame

if TYPE_CHECKING:
    from tests.prove.world.world import World


def tap(world: "World", *, point: str, card: str, seconds: float) -> None:
    world.readers[point].hold(card, seconds)


def pair(world: "World", *, point: str, first: str, second: str) -> None:
    """Two cards, one right after the other."""
    tap(world, point=point, card=first, seconds=0)
    tap(world, point=point, card=second, seconds=0)


def tap_and_death(
    world: "World", *, point: str, card: str, seconds: float, how: str, steps: int
) -> None:
    """The daemon dies in the middle of a tap: so many callbacks after the frame has begun."""
    tap(world, point=point, card=card, seconds=seconds)
    world.timeline.after(0.0146, lambda: death(world, how=how, steps=steps, seconds=2))


def death(world: "World", *, how: str, steps: int, seconds: float) -> None:
    if world.machine.boot is not None:
        world.fatal = (steps, how, seconds)
    elif how == "power":
        die(world, how, seconds)


def dark(world: "World", *, how: str, steps: int, seconds: float) -> None:
    """Without power for so long that what the controller knows gets old."""
    death(world, how=how, steps=steps, seconds=seconds)


def die(world: "World", how: str, seconds: float) -> None:
    world.facts.trouble("power", world.timeline.now_ns, seconds)
    if how == "power":
        world.machine.lose_power(seconds)
    else:
        world.machine.kill()


def noise(world: "World", *, point: str, kind: int) -> None:
    """Bytes that are no card, or hardly."""
    whole = frame(CARDS[0])
    reader = world.readers[point]
    dirt = bytes(range(0, 256, 7))
    first, second = frame(CARDS[1]), frame(CARDS[2])
    interleaved = bytes(byte for pair in zip(first, second, strict=True) for byte in pair)
    sent = [
        dirt,
        whole[5:],
        whole[:8],
        whole.lower(),
        interleaved,
        whole[:6] + bytes([whole[6] ^ 1]) + whole[7:],
        b"\x00" * 40 + whole + dirt,
    ]
    reader.send(sent[kind])


def unplug(world: "World", *, point: str, seconds: float) -> None:
    world.facts.trouble("reader", world.timeline.now_ns, seconds)
    world.readers[point].unplug()
    world.timeline.after(seconds, world.readers[point].plug_in)


def rights(world: "World", *, changes: list[list[Any]]) -> None:
    """Cards get other rights, or lose them (None)."""
    for card, rule in changes:
        if rule is None:
            world.console.cards.pop(card, None)
        else:
            world.console.cards[card] = card_rule(rule)
    world.console.publish_rights()


def card_rule(rule: dict[str, Any]) -> CardRule:
    hours = rule.get("hours")
    return CardRule(
        points=frozenset(rule["points"]),
        not_before_ms=rule.get("not_before_ms"),
        not_after_ms=rule.get("not_after_ms"),
        hours=None if hours is None else tuple((start, end) for start, end in hours),
        is_break_glass=rule.get("is_break_glass", False),
    )


def points(world: "World", *, point: str, rule: dict[str, Any] | None) -> None:
    """A point gets another rule, or is gone from the rights."""
    if rule is None:
        world.console.points.pop(point, None)
    else:
        hours = tuple((start, end) for start, end in rule.get("open_hours", ()))
        kind = "tool" if point == TOOL else "door"
        rest = {name: value for name, value in rule.items() if name != "open_hours"}
        world.console.points[point] = PointRule(open_hours=hours, kind=kind, **rest)
    world.console.publish_rights()


def rotate(world: "World") -> None:
    world.console.rotate_keys()


def order(
    world: "World", *, point: str, operation: str = "open", seconds: int | None = None
) -> None:
    world.console.order(Operation(operation), point, seconds=seconds)


def walk(world: "World", *, card: str, after: float, seconds: float) -> None:
    """A card at the front door, and somebody who goes through a little later."""
    tap(world, point="front", card=card, seconds=0.2)
    world.timeline.after(after, lambda: leaf(world, seconds=seconds))


def leaf(world: "World", *, seconds: float) -> None:
    """The leaf of the front door is opened, whoever does it, and falls shut."""
    world.circuits.bounce("front", "contact", is_closed=False)
    world.timeline.after(
        seconds + 0.05, lambda: world.circuits.bounce("front", "contact", is_closed=True)
    )


def leave(world: "World", *, seconds: float) -> None:
    """The exit button, then the leaf."""
    world.circuits.move("front", "exit", is_closed=True)
    world.timeline.after(0.4, lambda: world.circuits.move("front", "exit", is_closed=False))
    world.timeline.after(0.6, lambda: leaf(world, seconds=seconds))


def tamper(world: "World", *, seconds: float) -> None:
    """A housing of the front door is open for so long."""
    world.circuits.move("front", "tamper", is_closed=False)
    world.timeline.after(seconds, lambda: world.circuits.move("front", "tamper", is_closed=True))


def use(world: "World", *, card: str, seconds: float, after: float, runs: float) -> None:
    """A card lies at the tool for so long; later its switch is turned on, for so long."""
    tap(world, point=TOOL, card=card, seconds=seconds)
    if runs:
        world.timeline.after(after, lambda: _switch(world, is_on=True))
        world.timeline.after(after + runs, lambda: _switch(world, is_on=False))


def _switch(world: "World", *, is_on: bool) -> None:
    if is_on:
        world.circuits.switched_on.add(TOOL)
    else:
        world.circuits.switched_on.discard(TOOL)
    world.circuits.follow(TOOL)


def emergency(world: "World", *, seconds: float) -> None:
    """The tool's emergency stop is pressed, and released later."""
    world.circuits.move(TOOL, "stop", is_closed=False)
    world.timeline.after(seconds, lambda: world.circuits.move(TOOL, "stop", is_closed=True))


def weld(world: "World", *, point: str, seconds: float) -> None:
    """The relay's contacts stick together."""
    _break_relay(world, world.circuits.welded, point, seconds)


def stick(world: "World", *, point: str, seconds: float) -> None:
    """The relay's contacts don't close."""
    _break_relay(world, world.circuits.stuck, point, seconds)


def _break_relay(world: "World", broken: set[str], point: str, seconds: float) -> None:
    world.facts.trouble("relay", world.timeline.now_ns, seconds)
    broken.add(point)
    world.circuits.follow(point)

    def mend() -> None:
        broken.discard(point)
        world.circuits.follow(point)

    world.timeline.after(seconds, mend)


def replay(world: "World", *, which: float, is_kept: bool) -> None:
    """Whoever has the broker sends again what was said before."""
    heard = world.broker.heard_down
    if heard:
        topic, data = heard[int(which * len(heard))]
        world.broker.publish(topic, data, is_kept=is_kept)


def forge(world: "World", *, which: float, is_kept: bool) -> None:
    """Whoever has the broker sends what isn't for this controller, or not signed as it must be."""
    forged = [*world.console.for_another(), *world.console.by_the_wrong_key()]
    topic, data = forged[int(which * len(forged))]
    world.broker.publish(topic, data, is_kept=is_kept)


def damage(world: "World", *, which: float, bit: float) -> None:
    """One bit of something genuine is turned over."""
    heard = world.broker.heard_down
    if heard:
        topic, data = heard[int(which * len(heard))]
        changed = bytearray(data)
        position = int(bit * len(data) * 8)
        changed[position // 8] ^= 1 << position % 8
        world.broker.publish(topic, bytes(changed), is_kept=False)


def cut(world: "World", *, seconds: float) -> None:
    world.broker.cut(seconds)


def restart_broker(world: "World") -> None:
    world.broker.restart()


def stall_disk(world: "World", *, seconds: float) -> None:
    world.facts.trouble("disk", world.timeline.now_ns, seconds)
    world.card.stall(seconds)


def fail_disk(world: "World", *, kind: Any, seconds: float) -> None:
    world.facts.trouble("disk", world.timeline.now_ns, seconds)
    world.card.fail(kind)
    world.timeline.after(seconds, lambda: world.card.fail(None))


def fail_hash(world: "World", *, seconds: float) -> None:
    """There is no memory for the slow hash."""
    world.facts.trouble("hash", world.timeline.now_ns, seconds)
    world.machine.hash_failure = MemoryError

    def recover() -> None:
        world.machine.hash_failure = None

    world.timeline.after(seconds, recover)


def rot(world: "World", *, what: Any) -> None:
    """The power goes, and when it comes back, what was on the card is damaged."""
    world.facts.has_rotted = True
    world.facts.rights_lost_ns = world.timeline.now_ns
    die(world, "power", 1.5)
    world.timeline.after(0.5, lambda: world.card.rot(what))


def kill_guard(world: "World") -> None:
    world.facts.trouble("guard", world.timeline.now_ns, 0)
    if world.board.process is not None:
        world.board.process.end(-9)


def hang_guard(world: "World", *, seconds: float) -> None:
    world.facts.trouble("guard", world.timeline.now_ns, seconds)
    if world.board.process is not None:
        world.relays.hung_until_ns = world.timeline.now_ns + int((seconds + 0.1) * 1e9)
        world.board.process.hang(seconds)


def stop(world: "World") -> None:
    world.machine.stop()


def stall(world: "World", *, seconds: float) -> None:
    world.facts.trouble("stall", world.timeline.now_ns, seconds)
    world.machine.stall(seconds)


def sleep(world: "World", *, seconds: float) -> None:
    """The daemon stands still for hours or days, and then goes on."""
    stall(world, seconds=seconds)
    world.broker.detach()


def wall(world: "World", *, offset_ms: int) -> None:
    """Somebody, or NTP, sets the machine's clock."""
    world.machine.wall_offset_ns = offset_ms * 1_000_000


def console_clock(world: "World", *, offset_ms: int) -> None:
    world.console.offset_ms = offset_ms


def console_down(world: "World", *, seconds: float) -> None:
    world.console.is_up = False

    def come_back() -> None:
        world.console.is_up = True

    world.timeline.after(seconds, come_back)


def backlog(world: "World", *, seconds: float) -> None:
    """The console answers, but takes no events."""
    world.console.takes_events = False

    def take() -> None:
        world.console.takes_events = True

    world.timeline.after(seconds, take)


def restore(world: "World", *, lost: int) -> None:
    world.console.restore(lost)


DEEDS: Mapping[str, Callable[..., None]] = MappingProxyType(
    {
        deed.__name__: deed
        for deed in (
            tap,
            tap_and_death,
            death,
            dark,
            noise,
            unplug,
            rights,
            points,
            rotate,
            order,
            walk,
            leaf,
            leave,
            tamper,
            use,
            emergency,
            weld,
            stick,
            replay,
            forge,
            damage,
            cut,
            restart_broker,
            stall_disk,
            fail_disk,
            fail_hash,
            rot,
            kill_guard,
            hang_guard,
            stop,
            stall,
            sleep,
            wall,
            console_clock,
            console_down,
            restore,
            backlog,
            pair,
        )
    }
)
