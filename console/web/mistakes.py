"""What is wrong with a form, for beside its fields. Pure."""

from collections.abc import Mapping

from msgspec import Struct

from console.words import Text

Mistakes = Mapping[str, Text]
"""By field; `form`: with all of it, as when it was stale."""


class Mistaken(Struct, frozen=True):
    """Why nothing was saved."""

    mistakes: Mistakes
