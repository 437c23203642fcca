"""Words that are English to whoever knows nothing of languages, and can be said in others."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.errors import BadRequest
from console.web.phrasebooks import read_phrasebooks
from console.words import IN_ENGLISH, Language, Phrasebook, Text, all_of, any_of, decimal

NORWEGIAN = {
    "Paid until {day}": "Betalt til {day}",
    "{day} {month}": "{day}. {month}",
    "May": "mai",
    "{first} or {next}": "{first} eller {next}",
    "{first} and {next}": "{first} og {next}",
    "{whole}.{tenth}": "{whole},{tenth}",
    "one card": "ett kort",
    "{n} cards": "{n} kort",
    "in circle {circle}": "i sirkelen {circle}",
}


def norwegian() -> Phrasebook:
    def several(one: str, many: str, n: int) -> str:
        return NORWEGIAN[one if n == 1 else many]

    return Phrasebook(Language.NORWEGIAN, lambda each: NORWEGIAN.get(each, each), several)


values = st.one_of(st.integers(), st.text())


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), values))
def test_a_text_is_its_english_words(given_values: dict[str, int | str]) -> None:
    message = "; ".join(f"{name}: {{{name}}}" for name in given_values)
    text = Text(message, **given_values)
    english = message.format(**given_values)
    assert text == english
    assert str(text) == english
    assert hash(text) == hash(english)
    assert json.dumps([text]) == json.dumps([english])
    assert IN_ENGLISH.say(text) == english
    assert copy.deepcopy({"words": text})["words"].message == message


def test_values_are_said_in_the_language_of_the_whole() -> None:
    text = Text("Paid until {day}", day=Text("{day} {month}", day=3, month=Text("May")))
    assert text == "Paid until 3 May"
    assert norwegian().say(text) == "Betalt til 3. mai"


def test_what_stands_in_a_value_is_never_a_message() -> None:
    text = Text("in circle {circle}", circle="May {day}")
    assert text == "in circle May {day}"
    assert norwegian().say(text) == "i sirkelen May {day}"


def test_other_words_are_left_as_they_are() -> None:
    assert norwegian().say("May") == "May"
    assert norwegian().say(Text("Nobody said this")) == "Nobody said this"
    assert norwegian().say(Text("")) == ""


def test_a_number_chooses_the_form() -> None:
    one, two = (Text.plural("one card", "{n} cards", n) for n in (1, 2))
    assert [one, two] == ["one card", "2 cards"]
    assert [norwegian().say(each) for each in (one, two)] == ["ett kort", "2 kort"]


def test_words_begin_a_sentence_in_each_language() -> None:
    text = Text("in circle {circle}", circle="door").capital()
    assert text == "In circle door"
    assert norwegian().say(text) == "I sirkelen door"


def test_sentences_and_lists_are_put_together() -> None:
    assert any_of([]) == ""
    assert any_of(["a"]) == "a"
    assert any_of(["a", "b", "c"]) == "a, b or c"
    assert norwegian().say(any_of(["a", "b", "c"])) == "a, b eller c"
    assert norwegian().say(all_of(["a", "b"])) == "a og b"
    joined = Text.joined([Text("May"), "{b}"])
    assert joined == "May {b}"
    assert norwegian().say(joined) == "mai {b}"


def test_a_decimal_has_the_sign_of_the_language() -> None:
    assert decimal(0.84) == "0.8"
    assert decimal(9.96) == "10.0"
    assert norwegian().say(decimal(1.25)) == "1,2"


def test_a_place_without_a_value_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Text("Paid until {day}")


def test_an_error_keeps_what_can_be_said_in_another_language() -> None:
    error = BadRequest(Text("Paid until {day}", day="noon"))
    assert str(error) == "Paid until noon"
    assert norwegian().say(error.words) == "Betalt til noon"
    assert BadRequest("plain").words == "plain"


def test_without_compiled_words_everything_is_english(tmp_path: Path) -> None:
    broken = tmp_path / "nb" / "LC_MESSAGES"
    for content in (None, b"", b"\xde\x12\x04\x95\xff"):
        if content is not None:
            broken.mkdir(parents=True, exist_ok=True)
            (broken / "console.mo").write_bytes(content)
        books = read_phrasebooks(tmp_path)
        assert books[Language.NORWEGIAN].language is Language.NORWEGIAN
        for book in books.values():
            assert book.say(Text("Log in")) == "Log in"
            assert book.say(Text.plural("{n} member", "{n} members", 2)) == "2 members"
