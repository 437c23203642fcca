"""Who may say and hear what: the whole table, for both kinds of clients."""

import itertools

import pytest

from console.link.broker_access import AccessRules, AController, Client, TheConsole, old_prefixes
from sync.ids import ControllerId
from sync.topics import Leaf, topic
from tests.support.brokers import mqtt_settings

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


OLD_RULES = AccessRules("p2k16", old_prefixes(mqtt_settings()))
OLD_TOPICS = [
    "public/p2k16-dev/gate/open",
    "public/p2k16-dev/tool/lathe/lock",
    "/public/p2k16-dev/label/print_box",
]


def test_the_console_alone_speaks_to_hardware_of_the_old_web_app_and_nobody_hears_it() -> None:
    for name in OLD_TOPICS:
        assert OLD_RULES.may_publish(TheConsole(), name)
        assert not RULES.may_publish(TheConsole(), name)
        assert not OLD_RULES.may_publish(AController(FRONT), name)
        assert not OLD_RULES.keeps(name)
        for client in (TheConsole(), AController(FRONT)):
            assert not OLD_RULES.may_receive(client, name)
            assert not OLD_RULES.may_subscribe(client, name)
    for name in ("public/else", "public/p2k16-dev", "/public/p2k16-dev/labels", "$SYS/x", "#"):
        assert not OLD_RULES.may_publish(TheConsole(), name)


def test_old_topics_among_ours_give_the_console_nothing_new_there() -> None:
    rules = AccessRules("p2k16", ("p2k16/", "p2k"))
    assert rules.may_publish(TheConsole(), "p2k-gate")
    for name in EVERY_TOPIC:
        assert rules.may_publish(TheConsole(), name) is RULES.may_publish(TheConsole(), name)


@pytest.mark.parametrize(
    ("beginning", "name_filter"),
    [("public/dev/", "public/dev/#"), ("public/dev/door-", "public/dev/#"), ("/x", "/#"),
     ("door-", "#")],
)  # fmt: skip
def test_a_filter_for_mosquitto_covers_what_begins_so(beginning: str, name_filter: str) -> None:
    rules = AccessRules("p2k16", (beginning,))
    assert name_filter in list(rules.publishes(TheConsole()))
    assert name_filter not in list(rules.publishes(AController(FRONT)))
    assert name_filter not in list(rules.receives(TheConsole()))
