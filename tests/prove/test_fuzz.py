"""The quick form of the fuzzing, and that it finds what it looks for."""

from collections.abc import Callable

import pytest

from edge.readers.frames import Frame, Reading
from edge.readers.rdm6300 import Rdm6300Parser
from sync.credential import CredentialType
from tests.prove.fuzz import fuzz, prove
from tests.prove.fuzz_subjects import SUBJECTS, Feed, Subject, rdm6300


def test_no_reader_is_fooled_by_one_damaged_byte_or_brought_down_by_any():
    figures = prove(is_long=False, seed=20260928)
    assert figures["frames_each"] == 200_000
    escapes = figures["xor_escapes_of_two_bit_flips_percent"]
    assert isinstance(escapes, float)
    assert 0.4 < escapes < 1, "what an XOR of 8 bits can't find"


class Sloppy:
    """Takes ten digits between STX and ETX for a card, and looks at no checksum."""

    def __init__(self) -> None:
        self._heard = b""

    def feed(self, data: bytes) -> list[Reading]:
        found: list[Reading] = []
        self._heard += data
        while (end := self._heard.find(b"\x03")) >= 0:
            frame, self._heard = self._heard[:end], self._heard[end + 1 :]
            digits = frame[frame.find(b"\x02") + 1 :][:10]
            found.append(Frame(CredentialType.EM4100, bytes.fromhex(digits.decode())))
        return found


class Hoarding:
    """Keeps all that it was ever fed."""

    def __init__(self) -> None:
        self._parser = Rdm6300Parser()
        self._all = b""

    def feed(self, data: bytes) -> list[Reading]:
        self._all += data
        return self._parser.feed(data)


class Hasty:
    """Takes each chunk for all there is."""

    def feed(self, data: bytes) -> list[Reading]:
        return Rdm6300Parser().feed(data)


class Deaf:
    """Hears nothing any more once it heard a byte that no frame has."""

    def __init__(self) -> None:
        self._parser = Rdm6300Parser()
        self._is_deaf = False

    def feed(self, data: bytes) -> list[Reading]:
        found: list[Reading] = []
        for byte in data:
            self._is_deaf = self._is_deaf or byte > 127
            found += [] if self._is_deaf else self._parser.feed(bytes([byte]))
        return found


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (Sloppy, "another card was read|it raised ValueError|it raised UnicodeDecodeError"),
        (Hoarding, "[0-9]+ bytes are kept"),
        (Hasty, "the same bytes in other chunks gave something else"),
        (Deaf, "no card was read after the garbage"),
    ],
)
def test_a_broken_parser_is_found_and_the_case_made_small(
    broken: Callable[[], Sloppy | Hoarding | Hasty | Deaf], words: str
):
    def feed() -> Feed:
        return broken().feed

    with pytest.raises(AssertionError, match=f"seed 7, broken: ({words})") as caught:
        fuzz(Subject("broken", feed, rdm6300), seed=7, frames=5_000)
    assert len(str(caught.value)) < 4_000, "a batch has 60,000"


def test_a_protocol_without_a_checksum_is_not_claimed_to_find_a_damaged_byte():
    plain = {name for name, subject in SUBJECTS.items() if not subject.finds_one_damaged_byte}
    assert plain == {"twn3", "twn4", "w26"}
