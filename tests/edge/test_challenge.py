"""A nonce proves freshness: for 20 s, and for one beacon."""

import pytest

from edge.challenge import NONCES_MAX, RENEW_MS, VALID_MS, Challenges
from sync.errors import Stale
from sync.ids import Nonce


def nonce(number: int) -> Nonce:
    return Nonce(f"{number:032x}")


def test_only_the_first_beacon_that_echoes_a_nonce_counts() -> None:
    challenges = Challenges(nonce(1), 0)
    assert challenges.spend_on_beacon(nonce(1), 5)
    assert not challenges.spend_on_beacon(nonce(1), 6)
    challenges.renew(nonce(2), 7)
    assert challenges.spend_on_beacon(nonce(2), 8)
    assert not challenges.spend_on_beacon(nonce(1), 9)


def test_a_beacon_that_echoes_a_strange_or_an_old_nonce_is_stale() -> None:
    challenges = Challenges(nonce(1), 0)
    with pytest.raises(Stale, match="no recent nonce"):
        challenges.spend_on_beacon(nonce(2), 5)
    assert challenges.spend_on_beacon(nonce(1), VALID_MS)
    with pytest.raises(Stale, match="no recent nonce"):
        challenges.spend_on_beacon(nonce(1), VALID_MS + 1)


def test_the_nonce_before_stays_good_after_a_renewal() -> None:
    challenges = Challenges(nonce(1), 0)
    challenges.renew(nonce(2), RENEW_MS)
    assert challenges.current == nonce(2)
    assert challenges.is_fresh(nonce(1), VALID_MS)
    assert not challenges.is_fresh(nonce(1), VALID_MS + 1)
    assert challenges.is_fresh(nonce(2), VALID_MS + 1)
    assert challenges.next_renewal_ms() == 2 * RENEW_MS


def test_however_many_are_drawn_only_a_few_are_kept() -> None:
    challenges = Challenges(nonce(0), 0)
    for number in range(1, 1_000):
        challenges.renew(nonce(number), 1)
    kept = [number for number in range(1_000) if challenges.is_fresh(nonce(number), 1)]
    assert kept == list(range(1_000 - NONCES_MAX, 1_000))
