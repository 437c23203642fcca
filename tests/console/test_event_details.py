"""What controllers say of an event is said in the words of a page."""

import pytest

from console.events.details import in_words
from console.words import Text
from edge.post import Hold
from edge.readers.trouble import WORDS, ReaderState, Trouble
from edge.tool import ENDINGS
from sync.rights import Staleness


def spoken() -> list[str]:
    """By the controller's own code, where it has a list or can be asked."""
    trouble = Trouble()
    trouble.note(60, 0.0)
    garbled = trouble.news(ReaderState.OPEN, 0.0)
    trouble.stood_still(5.2)
    still = trouble.news(ReaderState.OPEN, 100.0)
    levels = [f"{Staleness.FRESH} to {level}" for level in Staleness]
    return [*ENDINGS.values(), *Hold, *WORDS.values(), *garbled, *still, *levels]


@pytest.mark.parametrize("detail", spoken())
def test_every_sentence_of_a_controller_has_words_that_can_be_translated(detail: str) -> None:
    assert isinstance(in_words(detail), Text)


def test_numbers_stay_and_what_is_new_is_shown_as_it_came() -> None:
    assert in_words("60 bad frames") == "60 times it sent what is no card."
    assert in_words("something newer") == "Something newer."
    assert in_words(" ") == ""
