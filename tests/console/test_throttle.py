"""How often a password may be tried in vain."""

from hypothesis import given
from hypothesis import strategies as st

from console.accounts import throttle as module
from console.accounts.throttle import Attempt, Throttle, Wait


def failing(throttle: Throttle, *, account: str = "kari", address: str = "a", now: float) -> bool:
    return isinstance(throttle.attempt(account=account, address=address, now=now), Attempt)


def test_the_limit_is_reached_and_named_in_seconds() -> None:
    throttle = Throttle(failures_per_minute=3)
    assert [failing(throttle, now=float(n)) for n in range(4)] == [True, True, True, False]
    assert throttle.attempt(account="kari", address="a", now=10) == Wait(50)
    assert failing(throttle, now=60.0), "the first failure is a minute old"
    assert throttle.attempt(account="kari", address="a", now=60.5) == Wait(0.5)


def test_waiting_as_long_as_told_is_enough() -> None:
    throttle = Throttle(failures_per_minute=2)
    now = 5.3
    for _ in range(20):
        outcome = throttle.attempt(account="kari", address="a", now=now)
        if isinstance(outcome, Wait):
            now += outcome.seconds
            assert isinstance(throttle.attempt(account="kari", address="a", now=now), Attempt)


def test_account_and_address_are_limited_each() -> None:
    throttle = Throttle(failures_per_minute=2)
    assert failing(throttle, account="kari", address="a", now=0)
    assert failing(throttle, account="Kari", address="b", now=0)
    assert not failing(throttle, account="KARI", address="c", now=0), "one account, any address"
    assert failing(throttle, account="ola", address="a", now=0)
    assert not failing(throttle, account="anne", address="a", now=0), "one address, any account"


def test_a_success_is_not_counted() -> None:
    throttle = Throttle(failures_per_minute=1)
    for n in range(50):
        attempt = throttle.attempt(account="kari", address="a", now=float(n))
        assert isinstance(attempt, Attempt)
        throttle.succeeded(attempt)
    assert failing(throttle, now=50)
    assert not failing(throttle, now=50)


def test_attempts_that_are_still_being_checked_count() -> None:
    throttle = Throttle(failures_per_minute=5)
    let_through = [failing(throttle, now=0) for _ in range(1000)]
    assert sum(let_through) == 5


def test_what_is_remembered_is_bounded() -> None:
    throttle = Throttle(failures_per_minute=3)
    for n in range(module.KEYS_MAX + 1000):
        failing(throttle, account=f"guess-{n}", address=f"address-{n}", now=0.001 * n)
        logged_in(throttle, account=f"name-{n}", address=f"home-{n}", now=0.001 * n)
    assert len(throttle._failures) <= module.KEYS_MAX  # pyright: ignore[reportPrivateUsage]
    assert len(throttle._homes) <= module.KEYS_MAX  # pyright: ignore[reportPrivateUsage]


@given(
    limit=st.integers(1, 5),
    steps=st.lists(
        st.tuples(
            st.sampled_from(["kari", "ola"]),
            st.sampled_from(["a", "b"]),
            st.integers(0, 40),
            st.booleans(),
        ),
        max_size=60,
    ),
)
def test_never_more_failures_in_a_minute_than_the_limit(
    limit: int, steps: list[tuple[str, str, int, bool]]
) -> None:
    throttle = Throttle(failures_per_minute=limit)
    failures: list[tuple[str, str, bool, int]] = []
    homes = set[tuple[str, str]]()
    now = 0
    for account, address, pause, is_right in steps:
        now += pause
        recent = [each for each in failures if each[3] > now - 60]
        outcome = throttle.attempt(account=account, address=address, now=now)
        is_home = (account, address) in homes
        by_account = sum(
            1
            for each in recent
            if each[0] == account and each[2] == is_home and (each[1] == address or not is_home)
        )
        by_address = sum(1 for each in recent if each[1] == address)
        assert isinstance(outcome, Attempt) is (max(by_account, by_address) < limit)
        if isinstance(outcome, Wait):
            assert 0 < outcome.seconds <= 60
        elif is_right:
            throttle.succeeded(outcome)
            homes.add((account, address))
        else:
            failures.append((account, address, is_home, now))


def test_no_spelling_that_finds_the_account_gives_further_tries() -> None:
    throttle = Throttle(failures_per_minute=2)
    for username in ("kari", "KARI"):
        throttle.attempt(account=username, address=username, now=0.0)
    # PostgreSQL's lower() makes the first an i, Python's an i with a dot; then Kelvin.
    for username in ("KAR\u0130", "\u212aari"):
        assert isinstance(throttle.attempt(account=username, address=username, now=1.0), Wait)


def test_all_addresses_of_an_ipv6_network_are_one() -> None:
    throttle = Throttle(failures_per_minute=1)
    assert failing(throttle, account="kari", address="2001:db8::1", now=0)
    assert not failing(throttle, account="ola", address="2001:db8::ffff", now=0)
    assert failing(throttle, account="anne", address="2001:db8:0:1::1", now=0)


def logged_in(throttle: Throttle, *, account: str, address: str, now: float) -> None:
    attempt = throttle.attempt(account=account, address=address, now=now)
    assert isinstance(attempt, Attempt)
    throttle.succeeded(attempt)


def test_strangers_keep_nobody_out_where_she_has_logged_in_before() -> None:
    throttle = Throttle(failures_per_minute=2)
    logged_in(throttle, account="Anne", address="2001:db8::1", now=0)
    for address in ("b", "c"):
        assert failing(throttle, account="anne", address=address, now=1)
    assert not failing(throttle, account="anne", address="d", now=1)
    assert failing(throttle, account="ANNE", address="2001:db8::2", now=1), "her own network"
    assert failing(throttle, account="anne", address="2001:db8::1", now=1)
    assert not failing(throttle, account="anne", address="2001:db8::1", now=1), "but not for ever"


def test_a_name_can_not_be_typed_so_that_it_fills_the_count_of_somebody_at_home() -> None:
    throttle = Throttle(failures_per_minute=1)
    logged_in(throttle, account="anne", address="a", now=0)
    for name in ("anne a", "anne at a", "home anne a", "('home', 'anne', 'a')"):
        failing(throttle, account=name, address=f"from {name}", now=1)
    assert failing(throttle, account="anne", address="a", now=1)


def test_whoever_is_logged_in_is_counted_by_herself() -> None:
    throttle = Throttle(failures_per_minute=2)
    for address in ("a", "b"):
        assert failing(throttle, account="anne", address=address, now=0)
        assert failing(throttle, account=f"guess at {address}", address="her own", now=0)
    own = [
        throttle.attempt(account="anne", address="her own", now=1, is_own=True) for _ in range(3)
    ]
    assert [isinstance(each, Attempt) for each in own] == [True, True, False]


def test_what_nobody_could_look_at_makes_no_address_known() -> None:
    throttle = Throttle(failures_per_minute=1)
    attempt = throttle.attempt(account="anne", address="a", now=0)
    assert isinstance(attempt, Attempt)
    throttle.forgive(attempt)
    assert failing(throttle, account="anne", address="b", now=1)
    assert not failing(throttle, account="anne", address="a", now=1)
