"""Words for people that can be said in more than one language. Pure.

A `Text` is the English words: whatever knows nothing of languages (logs, commands, programs) uses
it as a str. It also keeps the message and the values that it was made of, so that a page can say
it in the visitor's language, with the messages that docs/decisions/0023-languages.md tells of.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Final, Self

from msgspec import Struct

Value = str | int
"""What stands in a place of a message. A `Text` is said in the language of the whole."""


class Language(Enum):
    """The languages that pages speak, by their tags. Source: BCP 47."""

    ENGLISH = "en"
    NORWEGIAN = "nb"

    @property
    def own_name(self) -> str:
        """What those who speak it call it."""
        return "Norsk" if self is Language.NORWEGIAN else "English"


class Text(str):
    """A message such as `Paid until {day}` with its values, filled in in English.

    The message is written where the Text is made, as a plain string: `make words` collects it. A
    brace that is meant as one is doubled.
    """

    __slots__ = ("_is_capital", "_many", "_message", "_n", "_values")
    _message: str
    _many: str | None
    _n: int
    _values: Mapping[str, Value]
    _is_capital: bool

    def __new__(cls, message: str, /, **values: Value) -> Self:
        """Raises: KeyError for a place without a value."""
        return cls._made(message, values)

    @classmethod
    def plural(cls, one: str, many: str, n: int, /, **values: Value) -> Self:
        """`one` or `many`, as the language asks for with the number `n`; both may have `{n}`."""
        return cls._made(one, {"n": n, **values}, many=many, n=n)

    @classmethod
    def filled(cls, message: str, values: Mapping[str, Value]) -> Self:
        """A message that `unfilled` marks, once there is something for its places."""
        return cls._made(message, values)

    @classmethod
    def joined(cls, parts: Iterable[str], by: str = " ") -> Self:
        """Whole sentences, or the like, one after the other."""
        values = {f"part{index}": part for index, part in enumerate(parts)}
        return cls._made(by.join(f"{{{name}}}" for name in values), values)

    @property
    def message(self) -> str:
        """What is looked up: English, with places for the values."""
        return self._message

    @property
    def values(self) -> Mapping[str, Value]:
        """What stands in the places."""
        return self._values

    def capital(self) -> Self:
        """The same, as the beginning of a sentence."""
        return self._made(self._message, self._values, many=self._many, n=self._n, is_capital=True)

    def said(self, phrasebook: "Phrasebook") -> str:
        """The words in the phrasebook's language."""
        message = (
            phrasebook.message(self._message)
            if self._many is None
            else phrasebook.plural(self._message, self._many, self._n)
        )
        values = {
            name: value.said(phrasebook) if isinstance(value, Text) else value
            for name, value in self._values.items()
        }
        return _filled(message, values, is_capital=self._is_capital)

    @classmethod
    def _made(
        cls,
        message: str,
        values: Mapping[str, Value],
        *,
        many: str | None = None,
        n: int = 1,
        is_capital: bool = False,
    ) -> Self:
        english = message if many is None or n == 1 else many
        made = super().__new__(cls, _filled(english, values, is_capital=is_capital))
        made._message, made._many, made._n = message, many, n
        made._values, made._is_capital = values, is_capital
        return made

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


def unfilled(message: str) -> str:
    """Marks a message in a table, for `Text.filled`: so that `make words` collects it."""
    return message


def any_of(names: Iterable[str]) -> str:
    """`a`, `a or b`, `a, b or c`; empty without names."""
    return _chain(names, lambda first, next_: Text("{first} or {next}", first=first, next=next_))


def all_of(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`; empty without names."""
    return _chain(names, lambda first, next_: Text("{first} and {next}", first=first, next=next_))


def quoted(name: str) -> Text:
    """A name that somebody else has chosen, in quotation marks."""
    return Text("“{name}”", name=name)


def capital(words: str) -> str:
    """The same, as the beginning of a sentence."""
    return words.capital() if isinstance(words, Text) else words[:1].upper() + words[1:]


def decimal(number: float) -> Text:
    """A number that is not negative, with one digit after the point, or what stands for it."""
    tenths = round(number * 10)
    return Text("{whole}.{tenth}", whole=tenths // 10, tenth=tenths % 10)


class Phrasebook(Struct, frozen=True):
    """How messages are said in a language; one that it doesn't know is said in English.

    `find`, `find_plural`: as `gettext` and `ngettext` of the standard library.
    """

    language: Language
    find: Callable[[str], str]
    find_plural: Callable[[str, str, int], str]

    def say(self, words: str) -> str:
        """A `Text` in this language; other words as they are."""
        return words.said(self) if isinstance(words, Text) else words

    def message(self, message: str) -> str:
        """With its places still empty."""
        return self.find(message) if message else ""

    def plural(self, one: str, many: str, n: int) -> str:
        """With its places still empty."""
        return self.find_plural(one, many, n)


def _english_plural(one: str, many: str, n: int) -> str:
    return one if n == 1 else many


IN_ENGLISH: Final = Phrasebook(Language.ENGLISH, str, _english_plural)
"""Says everything as it is written here."""


def _chain(names: Iterable[str], pair: Callable[[str, str], Text]) -> str:
    *others, last = [*names] or [""]
    chained = ""
    for name in others:
        chained = Text("{first}, {next}", first=chained, next=name) if chained else name
    return pair(chained, last) if chained else last


def _filled(message: str, values: Mapping[str, Value], *, is_capital: bool) -> str:
    text = message.format_map(values)
    return text[:1].upper() + text[1:] if is_capital else text
