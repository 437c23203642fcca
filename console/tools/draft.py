"""A tool as it stands in a form, and what is meant by it. Pure."""

from collections.abc import Mapping
from typing import Self

from msgspec import Struct, field

from console.rights.demands_form import DemandsDraft
from console.rights.facts import NOTHING_SPECIAL, Demands
from console.tools.tool import NAME_CHARACTERS_MAX, is_name
from console.web.mistakes import Mistakes
from console.web.numbers import read_id
from console.web.versions import version_of
from console.words import Text
from sync.errors import WireError
from sync.ids import ControllerId, PointKey, controller_id, point_key

DESCRIPTION_CHARACTERS_MAX = 1000


class Power(Struct, frozen=True):
    """Which controller powers a tool, by which key, and what that demands."""

    key: PointKey
    controller: ControllerId
    demands: Demands


class Meant(Struct, frozen=True):
    """What holds for a tool. `circle` None: it serves nobody. `power` None: no controller does."""

    name: str
    description: str
    circle: int | None
    power: Power | None

    @property
    def version(self) -> str:
        """For a form that changes it."""
        power = self.power
        if power is None:
            return version_of(self.name, self.description, self.circle)
        return version_of(
            *(self.name, self.description, self.circle, power.key, power.controller),
            *(power.demands.soft_seconds, power.demands.hard_seconds),
            *(power.demands.requires_fresh, int(power.demands.min_assurance)),
        )


class ToolDraft(Struct, frozen=True):
    """The fields as they were typed."""

    name: str = ""
    description: str = ""
    circle: str = ""
    key: str = ""
    controller: str = ""
    demands: DemandsDraft = field(default_factory=DemandsDraft)

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> Self:
        """From a posted form."""
        return cls(
            name=fields.get("name", "").strip(),
            description=fields.get("description", "").replace("\r\n", "\n").strip(),
            circle=fields.get("circle", ""),
            key=fields.get("key", "").strip(),
            controller=fields.get("controller", "").strip(),
            demands=DemandsDraft.read(fields),
        )

    @classmethod
    def of(cls, tool: Meant) -> Self:
        """As it is now."""
        power = tool.power
        return cls(
            name=tool.name,
            description=tool.description,
            circle="" if tool.circle is None else str(tool.circle),
            key="" if power is None else power.key,
            controller="" if power is None else power.controller,
            demands=DemandsDraft() if power is None else DemandsDraft.of(power.demands),
        )

    def meant(self, was: Meant | None = None) -> Meant | Mistakes:
        """What is meant, or what is wrong. `was` None: it is a new tool.

        What only a controller needs counts for nothing without one: its key is free then.
        """
        wrong: dict[str, Text] = {}
        # The old web app took any name: one that a tool has already is no mistake.
        if not self.name or not (is_name(self.name) or (was is not None and self.name == was.name)):
            wrong["name"] = Text("1 to {n} characters without + and #", n=NAME_CHARACTERS_MAX)
        if len(self.description) > DESCRIPTION_CHARACTERS_MAX:
            wrong["description"] = Text("At most {n} characters", n=DESCRIPTION_CHARACTERS_MAX)
        circle = read_id(self.circle)
        if circle is None:
            wrong["circle"] = Text("Choose the circle whose members may use it.")
        power: Power | Mistakes | None = None
        if self.controller:
            power = self._power(None if was is None else was.power)
        if power is not None and not isinstance(power, Power):
            return {name: words.capital() for name, words in {**wrong, **power}.items()}
        if wrong:
            return {name: words.capital() for name, words in wrong.items()}
        return Meant(self.name, self.description, circle, power)

    def _power(self, was: Power | None) -> Power | Mistakes:
        wrong: dict[str, Text] = {}
        for name, check, text in (
            ("key", point_key, self.key),
            ("controller", controller_id, self.controller),
        ):
            try:
                check(text)
            except WireError:
                wrong[name] = Text("1 to 32 of a-z, 0-9 and -")
        if not self.key:
            wrong["key"] = Text("A tool that a controller powers needs one.")
        demands = self.demands.meant(NOTHING_SPECIAL if was is None else was.demands)
        if not isinstance(demands, Demands):
            return {**wrong, **demands}
        return wrong or Power(PointKey(self.key), ControllerId(self.controller), demands)
