"""The catalogue: every message of templates and code, each said in Norwegian."""

import ast
import re
from collections import Counter
from gettext import GNUTranslations
from pathlib import Path

import pytest

from tests import words
from tests.words import CATALOGUE, CONSOLE, Entry, entries, extracted

LINK = re.compile(r"</?\w+[^>]*>")
PLACE = re.compile(r"%\(\w+\)s|\{\w*\}|%%|[%{}]")


def test_the_catalogue_holds_exactly_the_messages_of_templates_and_code() -> None:
    kept = {entry.forms for entry in entries()}
    found = set(extracted())
    assert found - kept == set(), "run `make words`, and translate what is new"
    assert kept - found == set(), "run `make words`: these are gone"


def test_the_catalogue_is_written_as_make_words_writes_it() -> None:
    assert CATALOGUE.read_text() == words.written(extracted(), entries())


def test_no_message_is_both_one_form_and_the_first_of_two() -> None:
    """A catalogue could hold one of them only."""
    often = Counter(forms[0] for forms in extracted())
    assert [message for message, times in often.items() if times > 1] == []


def test_every_message_is_translated() -> None:
    assert [entry.forms[0] for entry in entries() if not entry.is_said] == []


def test_a_translation_has_the_places_and_the_tags_of_its_message() -> None:
    wrong = [entry for entry in entries() if entry.is_said and not _fits(entry)]
    assert wrong == []


def test_the_compiled_words_are_those_of_the_catalogue() -> None:
    compiled = CATALOGUE.with_suffix(".mo")
    assert compiled.exists(), "run `make setup`"
    with compiled.open("rb") as file:
        found = GNUTranslations(file)
    for entry in entries():
        match entry.forms:
            case (one, many):
                said = tuple(found.ngettext(one, many, n) for n in (1, 2))
            case _:
                said = (found.gettext(entry.forms[0]),)
        assert said == entry.said, "run `make setup`"


@pytest.mark.parametrize(
    "path", sorted(CONSOLE.rglob("*.py")), ids=lambda path: str(path.relative_to(CONSOLE))
)
def test_a_message_is_written_where_it_is_made(path: Path) -> None:
    """Else `make words` would not find it."""
    if path == CONSOLE / "words.py":
        return
    for call in ast.walk(ast.parse(path.read_text())):
        if not isinstance(call, ast.Call):
            continue
        match call.func:
            case ast.Name(id="Text" | "unfilled"):
                messages = call.args[:1]
            case ast.Attribute(value=ast.Name(id="Text"), attr="plural"):
                messages = call.args[:2]
            case _:
                continue
        for message in messages:
            assert isinstance(message, ast.Constant), f"line {call.lineno}: {ast.unparse(call)}"


def _fits(entry: Entry) -> bool:
    pairs = list(zip(entry.forms, entry.said, strict=True))
    if len(pairs) == 2:  # either form may leave the number out
        return all(_parts(said) <= _parts(entry.forms[1]) for said in entry.said)
    return all(_parts(said) == _parts(form) for form, said in pairs)


def _parts(text: str) -> Counter[str]:
    return Counter([*PLACE.findall(text), *LINK.findall(text)])
