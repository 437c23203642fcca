"""Why a door or a tool can't have this key, or hang at this controller. Pure."""

from console.controllers.point_key_queries import Keyed
from console.words import Text

NO_CONTROLLER = Text("Choose a controller that is in use.")


def still_retired(controller: str) -> Text:
    """What is to come back needs its controller."""
    return Text("Its controller {name} is retired. Enrol that again first.", name=controller)


def key_taken(by: Keyed) -> Text:
    """Beside a key that something else has, which may be retired."""
    if by.is_retired:
        return Text(
            "“{name}”, which is retired, has this key. It can be brought back.", name=by.name
        )
    return Text("“{name}” has this key already.", name=by.name)
