"""What is wrong with a form, for beside its fields. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.words import Text

Mistakes = Mapping[str, Text]
"""By field; `form`: with all of it, as when it was stale."""


@dataclass(frozen=True, slots=True)
class Mistaken:
    """Why nothing was saved."""

    mistakes: Mistakes
