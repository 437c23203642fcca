"""Every reader's protocol against millions of frames: sound, damaged, and drowned in garbage.

For each: nothing raises, memory is bounded, chunks make no difference, sound frames are all read,
and after garbage the next frames are. A frame with one damaged byte is never another card. That
last is claimed only of protocols with a checksum: a plain line's digit may become another digit
that looks as good, and of a Wiegand line two wrong bits pass the parity; there, only the form of
what comes out is checked. A failure is reduced to the fewest pieces that still fail.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from random import Random

from edge.readers.frames import Frame, Reading
from edge.readers.rdm6300 import Rdm6300Parser
from tests.prove.fuzz_subjects import SUBJECTS, Piece, Subject, kept_bytes, rdm6300
from tests.prove.progress import counted

Figures = dict[str, int | float | str]

QUICK_FRAMES, LONG_FRAMES = 200_000, 10_000_000
BATCH_FRAMES = 1_000
KEPT_BYTES_MAX = 300

Check = Callable[[Subject, Sequence[Piece]], str | None]
"""What is wrong with the way in which a subject reads these pieces; None: nothing."""


def prove(*, is_long: bool, seed: int) -> Figures:
    """Raises: AssertionError with the seed and the smallest case that fails."""
    frames = LONG_FRAMES if is_long else QUICK_FRAMES
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        jobs = [workers.submit(_fuzz_named, name, seed, frames) for name in SUBJECTS]
        escaping = workers.submit(two_bit_escapes, seed, frames)
        for job in jobs:
            job.result()
        escapes = escaping.result()
    return {
        "protocols": len(SUBJECTS),
        "frames_each": frames,
        "exceptions": 0,
        "wrong_cards_from_one_damaged_byte": 0,
        "kept_bytes_max": KEPT_BYTES_MAX,
        "xor_escapes_of_two_bit_flips_percent": round(100 * escapes / frames, 2),
    }


def fuzz(subject: Subject, seed: int, frames: int) -> None:
    """Fuzzes one protocol with so many frames. Raises: AssertionError."""
    chance = Random(f"{seed} {subject.name}")
    for number in counted(frames // BATCH_FRAMES, f"batches of {subject.name}"):
        pieces = subject.pieces(chance, BATCH_FRAMES)
        match number % 5:
            case 0:
                _try(all_are_read, subject, pieces, seed)
            case 1 if subject.is_stream:
                _try(chunks_make_no_difference, subject, drowned(pieces, chance), seed)
            case 2:
                for piece in pieces:
                    _try(card_is_read_again, subject, drowned([piece], chance), seed)
            case _:
                _try(none_is_another_card, subject, damaged(pieces, chance), seed)


def _fuzz_named(name: str, seed: int, frames: int) -> None:
    fuzz(SUBJECTS[name], seed, frames)


def all_are_read(subject: Subject, pieces: Sequence[Piece]) -> str | None:
    """Each frame gives its card, in order, and nothing else comes out."""
    feed = subject.feed()
    found = [reading for piece in pieces for reading in feed(piece.data)]
    return None if found == [piece.card for piece in pieces] else "not every card was read"


def none_is_another_card(subject: Subject, pieces: Sequence[Piece]) -> str | None:
    """Whatever comes out is one of the cards that went in, or at least of their form."""
    feed = subject.feed()
    found = [reading for piece in pieces for reading in feed(piece.data)]
    kept = kept_bytes(feed)
    if kept > KEPT_BYTES_MAX:
        return f"{kept} bytes are kept"
    if subject.finds_one_damaged_byte:
        cards = {piece.card for piece in pieces}
        return None if _cards(found) <= cards else "another card was read"
    forms = {_form(card) for card in _cards(found)}
    return None if forms <= subject.forms else "a card of another form was read"


def chunks_make_no_difference(subject: Subject, pieces: Sequence[Piece]) -> str | None:
    """All at once, piece by piece, and in small pieces that have nothing to do with the frames."""
    feeds, found = [subject.feed() for _ in range(3)], list[list[Reading]]()
    stream = b"".join(piece.data for piece in pieces)
    small = [stream[start : start + 7] for start in range(0, len(stream), 7)]
    for feed, chunks in zip(feeds, ([stream], [p.data for p in pieces], small), strict=True):
        found.append([reading for chunk in chunks for reading in feed(chunk)])
        if found[0] != found[-1]:
            return "the same bytes in other chunks gave something else"
        if kept_bytes(feed) > KEPT_BYTES_MAX:
            return f"{kept_bytes(feed)} bytes are kept"
    return None


def card_is_read_again(subject: Subject, pieces: Sequence[Piece]) -> str | None:
    """After all of this, a frame that was among it is recognised soon."""
    feed = subject.feed()
    for piece in pieces:
        feed(piece.data)
    sound = next((piece for piece in pieces if piece.card is not None), None)
    if sound is None:
        return None
    found = feed(sound.data * (subject.lost_frames_max + 1))
    return None if found[-1:] == [sound.card] else "no card was read after the garbage"


def damaged(pieces: Iterable[Piece], chance: Random) -> list[Piece]:
    """The same frames, each with one byte changed."""
    found: list[Piece] = []
    for piece in pieces:
        data = bytearray(piece.data)
        data[int(chance.random() * len(data))] ^= 1 + int(chance.random() * 255)
        found.append(Piece(bytes(data), piece.card))
    return found


def drowned(pieces: Iterable[Piece], chance: Random) -> list[Piece]:
    """The same frames with garbage between them: noise, and what frames are made of."""
    found: list[Piece] = []
    for piece in pieces:
        size = int(chance.random() * 40)
        start = int(chance.random() * len(piece.data))
        garbage = chance.randbytes(size) if size % 2 else piece.data[start : start + size]
        found += [Piece(garbage, None), piece]
    found.append(Piece(found[0].data, None))
    return found


def two_bit_escapes(seed: int, frames: int) -> int:
    """How many RDM6300 frames with two flipped bits pass as other cards: what XOR can't find."""
    chance, escapes = Random(f"{seed} two bits"), 0
    parser = Rdm6300Parser()
    for _ in range(frames // BATCH_FRAMES):
        for piece in rdm6300(chance, BATCH_FRAMES):
            size = 8 * len(piece.data)
            first = int(chance.random() * size)
            second = (first + 1 + int(chance.random() * (size - 1))) % size
            bits = int.from_bytes(piece.data, "big") ^ 1 << first ^ 1 << second
            found = parser.feed(bits.to_bytes(len(piece.data), "big"))
            escapes += bool(_cards(found) - {piece.card})
            parser.reset()
    return escapes


def _cards(found: Iterable[Reading]) -> set[Frame | None]:
    return {reading for reading in found if isinstance(reading, Frame)}


def _form(card: Frame | None) -> tuple[str, int]:
    assert card is not None
    return card.credential_type, len(card.data)


def _failure(check: Check, subject: Subject, pieces: Sequence[Piece]) -> str | None:
    try:
        return check(subject, pieces)
    except Exception as error:  # noqa: BLE001 a parser never raises: this is what is looked for
        return f"it raised {error!r}"


def _try(check: Check, subject: Subject, pieces: Sequence[Piece], seed: int) -> None:
    """Raises: AssertionError, after leaving out of the pieces whatever can be left out."""
    if _failure(check, subject, pieces) is None:
        return
    smallest, size = list(pieces), len(pieces)
    while size:
        start = 0
        while start < len(smallest):
            without = smallest[:start] + smallest[start + size :]
            if without and _failure(check, subject, without) is not None:
                smallest = without
            else:
                start += size
        size //= 2
    words = _failure(check, subject, smallest)
    sent = " | ".join(piece.data.hex(" ") for piece in smallest)
    raise AssertionError(f"seed {seed}, {subject.name}: {words}: {sent}")
