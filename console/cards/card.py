"""What a card's label may be, and what its kinds are called. Pure."""

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
    """One line without odd characters; too long a one is cut."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())[:LABEL_CHARACTERS_MAX]


def kind(credential_type: str | None) -> Text:
    """What people call a card of this type."""
    return KINDS.get(credential_type or "", Text("card"))
