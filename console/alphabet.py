"""The order of names in lists: … x, y, z, æ, ø, å, as `access.alphabetic` has it in SQL. Pure."""

import unicodedata

_AFTER_Z = str.maketrans("æÆäÄøØöÖåÅ", "{{{{||||}}")
"""NS 4551, the Norwegian ASCII, had the three letters in these places."""
_APOSTROPHES = dict.fromkeys(map(ord, "'`´‘’ʼ′"))
_PLAIN = str.maketrans(
    dict(zip("øØðÐđĐłŁı", "ooddddlli", strict=True))
    | dict.fromkeys("æÆ", "ae")
    | dict.fromkeys("þÞ", "th")
    | dict.fromkeys("ßẞ", "ss")
)
"""As `access.folded`."""
_ACCENTS = range(0x300, 0x370)


def alphabetic(words: str) -> str:
    """What to sort names by: small letters without accents and apostrophes."""
    words = words.translate(_APOSTROPHES)
    if not words.isascii():
        words = unicodedata.normalize("NFC", words).translate(_AFTER_Z)
        apart = unicodedata.normalize("NFKD", words)
        words = "".join(letter for letter in apart if ord(letter) not in _ACCENTS).translate(_PLAIN)
    return words.lower()
