"""The 26 bits of a Wiegand card: 24 bits of its own between two parity bits.

The first bit makes the first 13 even, the last one makes the last 13 odd. That finds one wrong bit
and no more. The pulses themselves never reach the controller: a bridge or reader makes lines of
them. Source: SIA AC-01, "26-bit Wiegand reader interface".
"""

BITS = 26
CARD_BYTES = 3

_HALF = 13


def card_of_bits(bits: int) -> bytes | None:
    """The card's 3 bytes; the first bit sent is the highest of 26. None: the parity is wrong."""
    first, last = bits >> _HALF, bits & ((1 << _HALF) - 1)
    if bits >> BITS or first.bit_count() % 2 or not last.bit_count() % 2:
        return None
    return (bits >> 1 & 0xFFFFFF).to_bytes(CARD_BYTES, "big")
