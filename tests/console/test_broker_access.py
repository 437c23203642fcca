"""Who may say and hear what: the whole table, for both kinds of clients."""

import itertools

from console.link.broker_access import AccessRules, AController, Client, TheConsole
from sync.ids import ControllerId
from sync.topics import Leaf, topic

RULES = AccessRules("p2k16")
FRONT, BACK = ControllerId("front"), ControllerId("back")
EVERY_TOPIC = [topic("p2k16", name, leaf) for name in (FRONT, BACK) for leaf in Leaf]


def test_a_controller_speaks_up_and_hears_down_in_its_own_branch_only() -> None:
    front = AController(FRONT)
    assert [name for name in EVERY_TOPIC if RULES.may_publish(front, name)] == [
        f"p2k16/v1/front/up/{leaf}" for leaf in ("hello", "events", "report", "request", "presence")
    ]
    assert [name for name in EVERY_TOPIC if RULES.may_receive(front, name)] == [
        f"p2k16/v1/front/down/{leaf}" for leaf in ("snapshot", "command", "beacon", "ack", "keys")
    ]


def test_the_console_speaks_down_and_hears_up_in_every_branch() -> None:
    console = TheConsole()
    for name in EVERY_TOPIC:
        assert RULES.may_publish(console, name) is ("/down/" in name)
        assert RULES.may_receive(console, name) is ("/up/" in name)


def test_a_topic_that_nobody_has_heard_of_is_nobodys() -> None:
    clients: list[Client] = [TheConsole(), AController(FRONT)]
    odd = ["", "/", "#", "+", "$SYS/x", "p2k16/v1/front/up", "p2k16/v1/front/up/", "p2k16"]
    odd += ["p2k16/v1/front/up/hello/x", "p2k16/v2/front/up/hello", "x/v1/front/up/hello"]
    odd += ["p2k16/v1/FRONT/up/hello", "p2k16/v1//up/hello", "p2k16/v1/+/up/hello"]
    for client, name in itertools.product(clients, odd):
        assert not RULES.may_publish(client, name)
        assert not RULES.may_receive(client, name)
        assert not RULES.keeps(name)


def test_snapshot_keys_and_presence_are_kept_and_nothing_else() -> None:
    kept = {name for name in EVERY_TOPIC if RULES.keeps(name)}
    assert {name.split("/")[-1] for name in kept} == {"snapshot", "keys", "presence"}


def test_the_lists_for_mosquitto_say_the_same_as_the_rules() -> None:
    front = AController(FRONT)
    assert list(RULES.publishes(front)) == [n for n in EVERY_TOPIC if RULES.may_publish(front, n)]
    assert list(RULES.receives(front)) == [n for n in EVERY_TOPIC if RULES.may_receive(front, n)]
    console = TheConsole()
    for name in RULES.publishes(console):
        assert RULES.may_publish(console, name.replace("+", "front"))
    for name in RULES.receives(console):
        assert RULES.may_receive(console, name.replace("+", "front"))
