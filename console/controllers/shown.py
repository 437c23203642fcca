"""How a state stands on a page: words with an icon and a tone."""

from msgspec import Struct


class Shown(Struct, frozen=True):
    """Words with an icon; `tone` is one of good, warn, bad, or empty for neither."""

    words: str
    icon: str
    tone: str = ""
