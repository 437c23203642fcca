"""What a card's label may be, and what its kinds are called. Pure."""

from console.web.one_line import line_mistake
from console.words import Text

LABEL_CHARACTERS_MAX = 100

KINDS = {
    "em4100": Text("125 kHz card"),
    "iso14443a": Text("13.56 MHz card"),
    "w26": Text("Wiegand card"),
    "line": Text("card"),
    "osdp": Text("card"),
}


def clean_label(text: str) -> str:
    """One line without odd characters."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())


def label_mistake(label: str) -> Text | None:
    """What is wrong with a clean label; None: nothing."""
    return line_mistake(label, characters_max=LABEL_CHARACTERS_MAX, is_needed=False)


def kind(credential_type: str | None) -> Text:
    """What people call a card of this type."""
    return KINDS.get(credential_type or "", Text("card"))
