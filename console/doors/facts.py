"""What a door may be called, for how long it may be unlocked, and what may move it. Pure."""

from collections.abc import Mapping

from console.doors.driver import Driver
from console.words import Text
from sync.errors import WireError
from sync.ids import controller_id, point_key

OPEN_SECONDS_MAX = 300
NAME_CHARACTERS_MAX = 100
TOPIC_CHARACTERS_MAX = 100
ID_WORDS = Text("1 to 32 of a-z, 0-9 and -")


def door_mistakes(
    *,
    key: str,
    name: str,
    open_seconds: int,
    driver: str,
    controller: str | None,
    topic: str | None,
) -> Mapping[str, Text]:
    """What is wrong, for each of these fields; as far as can be told without a database."""
    wrong: dict[str, Text] = {}
    if not is_key(key):
        wrong["key"] = ID_WORDS
    if not is_name(name):
        wrong["name"] = Text("1 to {n} characters", n=NAME_CHARACTERS_MAX)
    if not 1 <= open_seconds <= OPEN_SECONDS_MAX:
        wrong["open_seconds"] = Text("{least} to {most}", least=1, most=OPEN_SECONDS_MAX)
    if driver not in set(Driver):
        return {**wrong, "driver": Text("one of {drivers}", drivers=", ".join(Driver))}
    return {**wrong, **_driver_mistakes(Driver(driver), controller, topic)}


def _driver_mistakes(
    driver: Driver, controller: str | None, topic: str | None
) -> Mapping[str, Text]:
    wrong: dict[str, Text] = {}
    if driver is not Driver.CONTROLLER:
        if controller is not None:
            wrong["controller"] = Text("only for a door that a controller moves")
    elif controller is None:
        wrong["controller"] = Text("a door that a controller moves needs one")
    elif not _is_controller(controller):
        wrong["controller"] = ID_WORDS
    if driver is not Driver.MQTT:
        if topic is not None:
            wrong["topic"] = Text("only for a door that is moved by MQTT")
    elif topic is None:
        wrong["topic"] = Text("a door that is moved by MQTT needs one")
    elif not is_topic(topic):
        wrong["topic"] = Text("1 to {n} characters without + and #", n=TOPIC_CHARACTERS_MAX)
    return wrong


def is_name(text: str) -> bool:
    """Whether a door may be called so."""
    return 1 <= len(text.strip()) <= NAME_CHARACTERS_MAX and text.isprintable()


def is_key(text: str) -> bool:
    """Whether a door or a tool may have this key."""
    try:
        point_key(text)
    except WireError:
        return False
    return True


def is_topic(text: str) -> bool:
    """Whether it can stand at the end of an MQTT topic."""
    return (
        1 <= len(text) <= TOPIC_CHARACTERS_MAX
        and text.isprintable()
        and not any(wildcard in text for wildcard in "+#")
    )


def _is_controller(text: str) -> bool:
    try:
        controller_id(text)
    except WireError:
        return False
    return True
