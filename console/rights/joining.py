"""Somebody comes to a circle or company, leaves it, or is put back: how she is asked about."""

from enum import StrEnum, auto

from console.words import Text


class Joining(StrEnum):
    """What is to be saved about one person and one circle or company."""

    ADDITION = auto()
    REMOVAL = auto()
    PUTTING_BACK = auto()
    """A removal is undone."""

    def question(self, name: str, group: str) -> Text:
        """Whether to save it. `group`: the name of the circle or company."""
        match self:
            case Joining.ADDITION:
                return Text("Add {name} to “{group}”?", name=name, group=group)
            case Joining.REMOVAL:
                return Text("Remove {name} from “{group}”?", name=name, group=group)
            case Joining.PUTTING_BACK:
                return Text("Put {name} back into “{group}”?", name=name, group=group)

    def button(self, name: str) -> Text:
        """Says yes to it."""
        match self:
            case Joining.ADDITION:
                return Text("Add {name}", name=name)
            case Joining.REMOVAL:
                return Text("Remove {name}", name=name)
            case Joining.PUTTING_BACK:
                return Text("Put {name} back", name=name)

    def done(self, name: str) -> Text:
        """That it is done."""
        match self:
            case Joining.ADDITION:
                return Text("{name} was added.", name=name)
            case Joining.REMOVAL:
                return Text("{name} was removed.", name=name)
            case Joining.PUTTING_BACK:
                return Text("{name} was put back.", name=name)
