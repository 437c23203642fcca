"""Reads the words of other languages: `console/locale/nb/LC_MESSAGES/console.mo`.

`make setup` compiles that file from the catalogue beside it. Without it everything is English.
"""

import struct
from collections.abc import Mapping
from gettext import GNUTranslations
from pathlib import Path
from types import MappingProxyType

import structlog

from console.words import IN_ENGLISH, Language, Phrasebook

log = structlog.get_logger()

FOLDER = Path(__file__).parent.parent / "locale"

Phrasebooks = Mapping[Language, Phrasebook]


def read_phrasebooks(folder: Path = FOLDER) -> Phrasebooks:
    """One for each language."""
    return MappingProxyType({language: _read(folder, language) for language in Language})


def _read(folder: Path, language: Language) -> Phrasebook:
    if language is Language.ENGLISH:
        return IN_ENGLISH
    path = folder / language.value / "LC_MESSAGES" / "console.mo"
    try:
        with path.open("rb") as file:
            found = GNUTranslations(file)
    except (OSError, ValueError, struct.error) as error:
        log.warning("words.missing", file=str(path), reason=str(error), remedy="make setup")
        return Phrasebook(language, IN_ENGLISH.find, IN_ENGLISH.find_plural)
    return Phrasebook(language, found.gettext, found.ngettext)
