"""The embedded broker leaks nothing, whatever a client does.

Tests that ask for `either_broker` run on amqtt as it comes, too, where they must find the leak.
"""

import asyncio

import pytest

from console.link.amqtt_plugins import CONSOLE_USER
from tests.support.broker_site import BACK, FRONT, BrokerSite, heard_something
from tests.support.brokers import PASSWORD
from tests.support.raw_mqtt import RawMqtt, Will
from tests.support.waiting import eventually

# --- what is retained goes only to those who subscribed to it


async def test_a_client_without_a_subscription_hears_nothing(either_broker: BrokerSite) -> None:
    front = await either_broker.controller("front")
    await front.subscribe(f"{FRONT}/down/#")
    await (await either_broker.console()).publish(f"{FRONT}/down/snapshot", b"rights", retain=True)
    back = await either_broker.controller("back")
    await either_broker.must_hear_nothing(back)


async def test_a_client_with_a_refused_subscription_hears_nothing(
    either_broker: BrokerSite,
) -> None:
    front = await either_broker.controller("front")
    await front.subscribe(f"{FRONT}/down/#")
    await (await either_broker.console()).publish(f"{FRONT}/down/snapshot", b"rights", retain=True)
    back = await either_broker.controller("back")
    assert await back.subscribe(f"{FRONT}/down/#", f"{FRONT}/down/snapshot") == [0x80, 0x80]
    await either_broker.must_hear_nothing(back)


async def test_fifty_that_connect_at_once_hear_their_own_messages_only(
    either_broker: BrokerSite,
) -> None:
    console = await either_broker.console()
    names = [f"c{number}" for number in range(50)]
    for name in names:
        await console.publish(f"p2k16/v1/{name}/down/snapshot", name.encode(), retain=True)

    async def connect_and_listen(name: str) -> set[bytes]:
        client = await either_broker.controller(name)
        assert await client.subscribe(f"p2k16/v1/{name}/down/#") == [1]
        await eventually(lambda: heard_something(client))
        return {message.payload for message in client.heard}

    # Two waves, so that there are subscriptions of others when the second one connects.
    heard = await asyncio.gather(*(connect_and_listen(name) for name in names[:25]))
    heard += await asyncio.gather(*(connect_and_listen(name) for name in names[25:]))
    either_broker.must_not(heard != [{name.encode()} for name in names])


async def test_a_subscriber_gets_what_is_retained_for_it_once(broker_site: BrokerSite) -> None:
    console = await broker_site.console()
    await console.publish(f"{FRONT}/down/snapshot", b"old", retain=True)
    await console.publish(f"{FRONT}/down/snapshot", b"new", retain=True)
    front = await broker_site.controller("front")
    assert await front.subscribe(f"{FRONT}/down/#") == [1]
    await console.publish(f"{FRONT}/down/beacon", b"live")
    await front.ping()
    assert [(m.topic, m.payload, m.retained) for m in front.heard] == [
        (f"{FRONT}/down/snapshot", b"new", True),
        (f"{FRONT}/down/beacon", b"live", False),
    ]


async def test_an_empty_retained_message_clears_the_topic(broker_site: BrokerSite) -> None:
    console = await broker_site.console()
    await console.publish(f"{FRONT}/down/snapshot", b"rights", retain=True)
    await console.publish(f"{FRONT}/down/snapshot", b"", retain=True)
    front = await broker_site.controller("front")
    await front.subscribe(f"{FRONT}/down/#")
    await broker_site.must_hear_nothing(front)


async def test_only_the_three_retained_leaves_are_kept(either_broker: BrokerSite) -> None:
    front = await either_broker.controller("front")
    await front.publish(f"{FRONT}/up/events", b"a batch", retain=True)
    await front.publish(f"{FRONT}/up/presence", b"online", retain=True)
    console = await either_broker.console()
    await console.subscribe("p2k16/v1/+/up/#")
    await eventually(lambda: heard_something(console))
    either_broker.must_not({m.payload for m in console.heard} != {b"online"})


# --- nobody publishes or subscribes beyond the access rules


@pytest.mark.parametrize(
    "wide",
    [
        "#",
        "+/#",
        "p2k16/#",
        "p2k16/v1/#",
        "p2k16/v1/+/down/#",
        "p2k16/v1/+/down/snapshot",
        "p2k16/v1/+/up/#",
        "+/v1/front/down/snapshot",
        "p2k16/v1/front/#",
        "p2k16/v1/front/down/snapshot/#",
        "p2k16/v1/back/#",
        "p2k16/v1/back/+/+",
        "p2k16/v1/back/up/#",
        "p2k16/v1/back/up/hello",
        "other/v1/back/down/#",
        "$SYS/#",
        "$share/group/p2k16/v1/front/down/#",
        "/",
        "",
    ],
)
async def test_a_filter_wider_than_its_own_branch_is_refused(
    broker_site: BrokerSite, wide: str
) -> None:
    console = await broker_site.console()
    await console.publish(f"{FRONT}/down/snapshot", b"rights", retain=True)
    back = await broker_site.controller("back")
    assert await back.subscribe(wide) == [0x80]
    await console.publish(f"{FRONT}/down/beacon", b"live")
    await broker_site.must_hear_nothing(back)


async def test_a_controller_may_subscribe_to_each_way_of_naming_its_own_branch(
    broker_site: BrokerSite,
) -> None:
    back = await broker_site.controller("back")
    leaves = [f"{BACK}/down/{leaf}" for leaf in ("snapshot", "command", "beacon", "ack", "keys")]
    assert await back.subscribe(*leaves, f"{BACK}/down/+", f"{BACK}/down/#") == [1] * 7
    await (await broker_site.console()).publish(f"{BACK}/down/beacon", b"once")
    await back.ping()
    assert [m.payload for m in back.heard] == [b"once"]


async def test_the_console_may_subscribe_to_what_comes_up_and_to_nothing_else(
    broker_site: BrokerSite,
) -> None:
    console = await broker_site.console()
    assert await console.subscribe("p2k16/v1/+/up/#", "#", "p2k16/v1/+/down/#") == [1, 0x80, 0x80]


@pytest.mark.parametrize(
    "topic",
    [
        f"{FRONT}/up/events",
        f"{FRONT}/down/command",
        f"{BACK}/down/snapshot",
        f"{BACK}/up/unheard-of",
        f"{BACK}/up",
        "p2k16/v1/front",
        "$SYS/broker/uptime",
    ],
)
async def test_a_message_outside_its_own_up_branch_goes_nowhere(
    broker_site: BrokerSite, topic: str
) -> None:
    console, front, back = (
        await broker_site.console(),
        await broker_site.controller("front"),
        await broker_site.controller("back"),
    )
    await console.subscribe("p2k16/v1/+/up/#")
    await front.subscribe(f"{FRONT}/down/#")
    await back.subscribe(f"{BACK}/down/#")
    await back.publish(topic, b"forged", retain=True)
    for client in (console, front, back):
        await broker_site.must_hear_nothing(client)
    later = await broker_site.console("p2k16-console-2")
    await later.subscribe("p2k16/v1/+/up/#")
    await broker_site.must_hear_nothing(later)


async def test_a_will_for_somebody_elses_topic_is_never_published(
    either_broker: BrokerSite,
) -> None:
    front = await either_broker.controller("front")
    await front.subscribe(f"{FRONT}/down/#")
    back = await either_broker.stranger()
    code = await back.connect(
        client_id="back",
        user="back",
        password=PASSWORD,
        will=Will(f"{FRONT}/down/command", b"forged", retain=True),
    )
    back.drop()
    await either_broker.must_hear_nothing(front)
    either_broker.must_not(code == 0)


async def test_a_will_for_its_own_topic_is_published_unless_it_says_goodbye(
    broker_site: BrokerSite,
) -> None:
    console = await broker_site.console()
    await console.subscribe("p2k16/v1/+/up/#")
    will = Will(f"{FRONT}/up/presence", b"offline", retain=True)
    polite = await broker_site.controller("front", will=will)
    polite.goodbye()
    assert await polite.wait_closed()
    await broker_site.must_hear_nothing(console)
    (await broker_site.controller("front", will=will)).drop()
    await eventually(lambda: heard_something(console))
    assert [m.payload for m in console.heard] == [b"offline"]
    later = await broker_site.console("p2k16-console-2")
    await later.subscribe("p2k16/v1/+/up/#")
    await later.ping()
    assert [(m.payload, m.retained) for m in later.heard] == [(b"offline", True)]


# --- nobody is anybody else


@pytest.mark.parametrize(
    ("client_id", "user", "password"),
    [
        ("front", None, None),
        ("front", "front", None),
        ("front", "front", "wrong"),
        ("front", "front", ""),
        ("nobody", "nobody", PASSWORD),
        ("front", "back", PASSWORD),
        ("", "front", PASSWORD),
        ("FRONT", "FRONT", PASSWORD),
        ("+", "+", PASSWORD),
        ("front/../back", "front/../back", PASSWORD),
        ("p2k16-console-1", CONSOLE_USER, "guess"),
    ],
)
async def test_who_isnt_known_is_refused(
    broker_site: BrokerSite, client_id: str, user: str | None, password: str | None
) -> None:
    client = await broker_site.stranger()
    assert await client.connect(client_id=client_id, user=user, password=password) != 0
    assert await client.wait_closed()


async def test_the_consoles_login_is_of_no_use_at_the_controllers_listener(
    broker_site: BrokerSite,
) -> None:
    client = await broker_site.stranger()
    code = await client.connect(
        client_id="p2k16-console-1", user=CONSOLE_USER, password=broker_site.console_password
    )
    assert code != 0


async def test_a_controller_isnt_let_in_at_the_consoles_listener(broker_site: BrokerSite) -> None:
    client = await RawMqtt.open(broker_site.console_port)
    assert await client.connect(client_id="front", user="front", password=PASSWORD) != 0


async def test_a_stranger_with_a_controllers_client_id_doesnt_disturb_it(
    either_broker: BrokerSite,
) -> None:
    front = await either_broker.controller("front")
    await front.subscribe(f"{FRONT}/down/#")
    stranger = await either_broker.stranger()
    assert await stranger.connect(client_id="front", user="front", password="wrong") != 0
    await (await either_broker.console()).publish(f"{FRONT}/down/beacon", b"for front")
    still_there = await front.is_alive() and bool(front.heard)
    either_broker.must_not(not still_there)


async def test_another_controller_cant_take_a_client_id(broker_site: BrokerSite) -> None:
    front = await broker_site.controller("front")
    await front.subscribe(f"{FRONT}/down/#")
    thief = await broker_site.stranger()
    assert await thief.connect(client_id="front", user="back", password=PASSWORD) != 0
    await (await broker_site.console()).publish(f"{FRONT}/down/beacon", b"for front")
    await front.ping()
    assert [m.payload for m in front.heard] == [b"for front"]


async def test_of_ten_connections_of_one_controller_the_last_one_stays(
    broker_site: BrokerSite,
) -> None:
    console = await broker_site.console()
    await console.subscribe("p2k16/v1/+/up/#")
    clients = [await broker_site.stranger() for _ in range(10)]
    for client in clients:
        client.send_connect(client_id="front", user="front", password=PASSWORD)
    answered = [client for client in clients if await client.is_alive()]
    alive = [client for client in answered if await client.is_alive()]
    assert len(alive) == 1
    assert await alive[0].subscribe(f"{FRONT}/down/#") == [1]
    await console.publish(f"{FRONT}/down/beacon", b"for the last one")
    await alive[0].ping()
    assert [m.payload for m in alive[0].heard] == [b"for the last one"]


async def test_the_older_connections_will_comes_before_the_newer_ones_messages(
    broker_site: BrokerSite,
) -> None:
    console = await broker_site.console()
    await console.subscribe("p2k16/v1/+/up/#")
    will = Will(f"{FRONT}/up/presence", b"offline")
    await broker_site.controller("front", will=will)
    newer = await broker_site.controller("front", will=will)
    await newer.publish(f"{FRONT}/up/presence", b"online")
    await console.ping()
    assert [m.payload for m in console.heard] == [b"offline", b"online"]


# --- no message is lost on the way through


async def test_what_was_sent_just_before_goodbye_still_arrives(either_broker: BrokerSite) -> None:
    console = await either_broker.console()
    await console.subscribe("p2k16/v1/+/up/#")
    front = await either_broker.controller("front")
    for number in range(20):
        front.send_publish(f"{FRONT}/up/events", b"%d" % number)
    front.goodbye()
    await front.wait_closed()
    await console.ping()
    either_broker.must_not([m.payload for m in console.heard] != [b"%d" % n for n in range(20)])


async def _has_heard(client: RawMqtt, count: int) -> bool:
    await client.ping()
    return len(client.heard) >= count


async def test_messages_arrive_in_order_while_others_come_and_go(broker_site: BrokerSite) -> None:
    console = await broker_site.console()
    await console.subscribe("p2k16/v1/+/up/#")
    front = await broker_site.controller("front")

    async def come_and_go(name: str) -> None:
        for _ in range(5):
            client = await broker_site.controller(name)
            await client.subscribe(f"p2k16/v1/{name}/down/#")
            client.drop()

    async def speak() -> None:
        for number in range(200):
            await front.publish(f"{FRONT}/up/events", b"%d" % number)

    await asyncio.gather(speak(), *(come_and_go(f"c{number}") for number in range(10)))
    await eventually(lambda: _has_heard(console, 200))
    assert [m.payload for m in console.heard] == [b"%d" % number for number in range(200)]
