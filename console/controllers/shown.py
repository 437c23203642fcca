"""How a state stands on a page: words with an icon and a tone."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shown:
    """Words with an icon; `tone` is one of good, warn, bad, or empty for neither."""

    words: str
    icon: str
    tone: str = ""
