"""What there is to do about a membership, and how a failed payment is told."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from console.membership.standing import Facts, Step, paid_time, standing

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
FAILED = NOW - timedelta(hours=5)


def ends(days: float, *, renews: bool | None = None, failed: bool = False) -> Facts:
    return Facts(NOW + timedelta(days=days), (), FAILED if failed else None, renews)


def test_who_has_no_membership_chooses_one() -> None:
    assert standing(Facts(None, ()), NOW).step is Step.CHOOSE
    assert standing(ends(-2), NOW).step is Step.CHOOSE


def test_a_failed_payment_is_to_be_fixed_and_says_how_long_doors_work() -> None:
    found = standing(ends(2, failed=True), NOW)
    assert found.sentence == "Payment failed 1 December; doors work until 4 December 12:00"
    assert (found.is_active, found.step) == (True, Step.FIX)


def test_after_the_slack_a_failed_payment_has_ended_the_membership() -> None:
    found = standing(ends(-1.5, failed=True), NOW)
    assert found.sentence == "Payment failed 1 December; membership ended 30 November"
    assert (found.is_active, found.step) == (False, Step.FIX)


def test_who_is_employed_keeps_her_doors_though_a_payment_failed() -> None:
    found = standing(Facts(NOW, ("Acme",), FAILED), NOW)
    assert found.sentence == "Employed by Acme; payment failed 1 December"
    assert (found.is_active, found.step) == (True, Step.FIX)
    assert standing(Facts(None, ("Acme",)), NOW).step is Step.NOTHING


def test_within_a_week_of_the_end_it_is_worth_a_look_unless_it_goes_on_by_itself() -> None:
    assert standing(ends(8), NOW).step is Step.NOTHING
    assert standing(ends(6.9), NOW).step is Step.LOOK
    assert standing(ends(-0.5), NOW).step is Step.LOOK
    assert standing(ends(6.9, renews=True), NOW).step is Step.NOTHING
    assert standing(ends(6.9, renews=False), NOW).step is Step.LOOK


def test_what_was_cancelled_says_that_it_ends() -> None:
    assert standing(ends(40, renews=False), NOW).sentence == (
        "Paid until 10 January 2027, and then it ends"
    )


def test_what_is_paid_for_from_a_later_day_on_is_said_and_nothing_is_to_be_done() -> None:
    later = NOW + timedelta(days=5)
    for facts, words in (
        (Facts(None, (), paid_from=later), "Paid from 6 December; doors work from then on"),
        (replace(ends(-40), paid_from=later), "Paid from 6 December; doors work from then on"),
        (replace(ends(2), paid_from=later), "Paid until 3 December, and again from 6 December"),
    ):
        found = standing(facts, NOW)
        assert (found.sentence, found.step) == (words, Step.NOTHING)
    assert not standing(Facts(None, (), paid_from=later), NOW).is_active
    in_slack = standing(replace(ends(-0.5), paid_from=later), NOW)
    assert in_slack.sentence == (
        "Payment ended 1 December; doors work until 2 December 00:00; paid again from 6 December"
    )
    assert standing(Facts(None, ("Acme",), paid_from=later), NOW).sentence == (
        "Employed by Acme; paid from 6 December"
    )


def test_payments_that_follow_one_another_without_a_gap_are_one_time() -> None:
    def days(*numbers: float) -> list[datetime]:
        return [NOW + timedelta(days=number) for number in numbers]

    one, two, five, nine, ten, twenty = days(1, 2, 5, 9, 10, 20)

    def paid(until: datetime | None, *later: tuple[datetime, datetime]) -> object:
        return paid_time(until, [begins for begins, _ in later], [ends for _, ends in later])

    assert paid(None) == (None, None)
    assert paid(five) == (five, None)
    assert paid(five, (two, nine)) == (nine, None), "they overlap"
    assert paid(five, (five + timedelta(hours=24), nine)) == (nine, None), "within the slack"
    assert paid(five, (one, two)) == (five, None), "inside the first"
    assert paid(one, (two, five), (nine, ten)) == (five, nine)
    assert paid(None, (nine, ten), (ten, twenty)) == (None, nine)


def test_whose_company_is_not_active_any_more_is_told_so() -> None:
    found = standing(Facts(None, (), idle_companies=("Acme", "Bolt")), NOW)
    assert found.sentence == "No membership: Acme and Bolt aren’t active any more"
    assert (found.is_active, found.step) == (False, Step.CHOOSE)
    assert standing(Facts(None, ("Bolt",), idle_companies=("Acme",)), NOW).sentence == (
        "Employed by Bolt"
    )
