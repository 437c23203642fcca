"""A door as it stands in a form, and what is meant by it. Pure."""

from collections.abc import Mapping
from typing import Self

from msgspec import Struct, field

from console.doors.driver import Driver
from console.doors.facts import OPEN_SECONDS_MAX, door_mistakes
from console.rights import weekly_hours
from console.rights.demands_form import NO_NUMBER, DemandsDraft, number
from console.rights.facts import NOTHING_SPECIAL, Demands, WeeklyHours
from console.web.mistakes import Mistakes
from console.web.versions import version_of
from console.words import Text
from sync.ids import ControllerId, PointKey

DRIVERS = (
    (Driver.CONTROLLER.value, Text("a controller")),
    (Driver.DLOCK.value, Text("the old door controller, by HTTP")),
    (Driver.MQTT.value, Text("MQTT")),
)


class Meant(Struct, frozen=True):
    """What holds for a door. `controller` and `topic` None: its driver has none."""

    key: PointKey
    name: str
    driver: Driver
    controller: ControllerId | None
    topic: str | None
    open_seconds: int
    demands: Demands
    hours: tuple[WeeklyHours, ...]

    @property
    def version(self) -> str:
        """For a form that changes it."""
        demands, draft = self.demands, DoorDraft.of(self)
        return version_of(
            *(draft.name, draft.driver, draft.controller, draft.topic),
            *(draft.open_seconds, draft.open_hours),
            *(demands.soft_seconds, demands.hard_seconds),
            *(demands.requires_fresh, int(demands.min_assurance)),
        )


class DoorDraft(Struct, frozen=True):
    """The fields as they were typed."""

    key: str = ""
    name: str = ""
    driver: str = Driver.CONTROLLER
    controller: str = ""
    topic: str = ""
    open_seconds: str = "5"
    open_hours: str = ""
    demands: DemandsDraft = field(default_factory=DemandsDraft)

    @classmethod
    def read(cls, fields: Mapping[str, str], *, key: str) -> Self:
        """From a posted form."""
        return cls(
            key=key,
            name=fields.get("name", "").strip(),
            driver=fields.get("driver", ""),
            controller=fields.get("controller", "").strip(),
            topic=fields.get("topic", "").strip(),
            open_seconds=fields.get("open_seconds", "").strip(),
            open_hours=fields.get("open_hours", "").strip(),
            demands=DemandsDraft.read(fields),
        )

    @classmethod
    def of(cls, door: Meant) -> Self:
        """As it is now."""
        return cls(
            key=door.key,
            name=door.name,
            driver=door.driver,
            controller=door.controller or "",
            topic=door.topic or "",
            open_seconds=str(door.open_seconds),
            open_hours=weekly_hours.words(*door.hours),
            demands=DemandsDraft.of(door.demands),
        )

    def meant(self, before: Demands = NOTHING_SPECIAL) -> Meant | Mistakes:
        """What is meant, or what is wrong. What only another driver needs counts for nothing."""
        is_controllers = self.driver == Driver.CONTROLLER
        controller = self.controller if is_controllers else ""
        topic = self.topic if self.driver == Driver.MQTT else ""
        seconds = number(self.open_seconds)
        wrong: dict[str, Text] = dict(
            door_mistakes(
                key=self.key,
                name=self.name,
                open_seconds=OPEN_SECONDS_MAX if seconds is None else seconds,
                driver=self.driver,
                controller=controller or None,
                topic=topic or None,
            )
        )
        if seconds is None:
            wrong["open_seconds"] = NO_NUMBER
        demands: Demands | Mistakes = NOTHING_SPECIAL
        hours: tuple[WeeklyHours, ...] | Text = ()
        if is_controllers:
            demands = self.demands.meant(before)
            hours = weekly_hours.read(self.open_hours) if self.open_hours else ()
        if isinstance(hours, Text):
            wrong["open_hours"] = hours.capital()
        if not isinstance(demands, Demands):
            wrong |= demands
        if wrong or seconds is None or isinstance(hours, Text) or not isinstance(demands, Demands):
            return {name: words.capital() for name, words in wrong.items()}
        return Meant(
            PointKey(self.key),
            self.name,
            Driver(self.driver),
            ControllerId(controller) if controller else None,
            topic or None,
            seconds,
            demands,
            hours,
        )
