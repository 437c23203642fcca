"""Circles by rule: who may change who is in them, which can be made, and which can go."""

import pytest

from console.circles.circle import (
    Circle,
    Hindrance,
    ManagementStyle,
    NoSuchCircle,
    Reason,
    Reference,
    Referrer,
    Refused,
    check_addition,
    check_end,
    check_removal,
    may_manage,
)
from console.circles.draft import Draft, Flaw, check_draft
from console.circles.wording import mistake

LASER, ADMINS = 7, 1


def circle(*, admin_circle: int | None = ADMINS, needs_comment: bool = False) -> Circle:
    return Circle(
        circle_id=LASER,
        name="laser",
        description=None,
        style=ManagementStyle.SELF_ADMIN if admin_circle is None else ManagementStyle.ADMIN_CIRCLE,
        admin_circle_id=admin_circle,
        admin_circle_name=None if admin_circle is None else "admin",
        needs_comment=needs_comment,
    )


OWN = circle(admin_circle=None)


def test_an_admin_circle_manages_and_the_members_themselves_do_not() -> None:
    assert may_manage(circle(), {ADMINS})
    assert not may_manage(circle(), {LASER})
    assert not may_manage(circle(), set())


def test_a_self_administrated_circle_is_managed_by_its_members() -> None:
    assert may_manage(OWN, {LASER})
    assert not may_manage(OWN, {ADMINS})


def test_who_may_not_manage_changes_nothing_whatever_else_is_wrong() -> None:
    asking = circle(needs_comment=True)
    added = check_addition(asking, actor_circles={LASER}, is_member=True, comment="")
    assert added is Reason.NOT_A_MANAGER
    removed = check_removal(circle(), actor_circles={LASER}, is_member=False, members=5)
    assert removed is Reason.NOT_A_MANAGER
    ended = check_end(circle(), actor_circles={LASER}, members=5, references=[])
    assert ended is Hindrance.NOT_A_MANAGER


def test_nobody_is_added_twice_or_removed_twice() -> None:
    added = check_addition(circle(), actor_circles={ADMINS}, is_member=True, comment="")
    assert added is Reason.ALREADY_IN
    removed = check_removal(circle(), actor_circles={ADMINS}, is_member=False, members=5)
    assert removed is Reason.NOT_IN


def test_a_required_comment_is_asked_for() -> None:
    asking = circle(needs_comment=True)
    without = check_addition(asking, actor_circles={ADMINS}, is_member=False, comment="")
    assert without is Reason.COMMENT_MISSING
    assert check_addition(asking, actor_circles={ADMINS}, is_member=False, comment="why") is None


def test_a_comment_has_500_characters_at_most() -> None:
    def added(characters: int) -> Reason | None:
        comment = "x" * characters
        return check_addition(circle(), actor_circles={ADMINS}, is_member=False, comment=comment)

    assert added(500) is None
    assert added(501) is Reason.COMMENT_TOO_LONG


@pytest.mark.parametrize("comment", ["\u202ebackwards", "a\x00b", "a\x1b[31m"])
def test_a_comment_has_only_characters_that_can_be_seen(comment: str) -> None:
    found = check_addition(circle(), actor_circles={ADMINS}, is_member=False, comment=comment)
    assert found is Reason.COMMENT_UNSEEN


def test_the_last_member_of_a_circle_that_is_its_own_admin_circle_stays() -> None:
    own = circle(admin_circle=LASER)
    last = check_removal(own, actor_circles={LASER}, is_member=True, members=1)
    assert last is Reason.LAST_MEMBER
    assert check_removal(own, actor_circles={LASER}, is_member=True, members=2) is None


def test_the_last_member_of_a_self_administrated_circle_stays() -> None:
    last = check_removal(OWN, actor_circles={LASER}, is_member=True, members=1)
    assert last is Reason.LAST_MEMBER
    assert check_removal(OWN, actor_circles={LASER}, is_member=True, members=2) is None
    assert check_removal(circle(), actor_circles={ADMINS}, is_member=True, members=1) is None


def test_a_circle_with_an_admin_circle_goes_only_when_it_is_empty() -> None:
    with_one = check_end(circle(), actor_circles={ADMINS}, members=1, references=[])
    assert with_one is Hindrance.HAS_MEMBERS
    assert check_end(circle(), actor_circles={ADMINS}, members=0, references=[]) is None


def test_a_self_administrated_circle_goes_only_with_its_last_member() -> None:
    with_two = check_end(OWN, actor_circles={LASER}, members=2, references=[])
    assert with_two is Hindrance.HAS_OTHERS
    assert check_end(OWN, actor_circles={LASER}, members=1, references=[]) is None


def test_a_circle_that_something_refers_to_stays() -> None:
    laser_tool = [Reference(Referrer.TOOL, "laser-tool")]
    for any_circle, mine, members in ((circle(), ADMINS, 0), (OWN, LASER, 1)):
        ended = check_end(any_circle, actor_circles={mine}, members=members, references=laser_tool)
        assert ended is Hindrance.REFERRED_TO


def draft(
    style: ManagementStyle,
    *,
    admin_circle: str | None = None,
    first_member: str | None = None,
    needs_comment: bool = False,
    comment: str = "",
) -> Draft:
    return Draft(
        name="brewers",
        description="",
        style=style,
        needs_comment=needs_comment,
        admin_circle=admin_circle,
        first_member=first_member,
        comment=comment,
    )


def flaw(of: Draft, *, admin_circle: int | None = None, member: int | None = None) -> Flaw | None:
    return check_draft(of, admin_circle_id=admin_circle, first_member_id=member)


def test_a_new_circle_is_managed_by_a_circle_that_exists() -> None:
    style = ManagementStyle.ADMIN_CIRCLE
    assert flaw(draft(style)) is Flaw.ADMIN_CIRCLE_MISSING
    assert flaw(draft(style, admin_circle="x")) is Flaw.ADMIN_CIRCLE_UNKNOWN
    assert flaw(draft(style, admin_circle="admin"), admin_circle=ADMINS) is None
    # It begins empty, so no comment is asked for.
    asking = draft(style, admin_circle="admin", needs_comment=True)
    assert flaw(asking, admin_circle=ADMINS) is None


def test_a_new_circle_that_manages_itself_begins_with_somebody() -> None:
    style = ManagementStyle.SELF_ADMIN
    assert flaw(draft(style)) is Flaw.FIRST_MEMBER_MISSING
    assert flaw(draft(style, first_member="x")) is Flaw.FIRST_MEMBER_UNKNOWN
    asking = draft(style, first_member="kari", needs_comment=True, comment="  ")
    assert flaw(asking, member=9) is Flaw.COMMENT_MISSING
    assert flaw(draft(style, first_member="kari"), member=9) is None


def words(reason: Reason, of: Circle) -> str:
    wrong = mistake(Refused(reason, of))
    assert wrong is not None
    return wrong.words


def test_pages_say_who_may_change_a_circle() -> None:
    assert "members of the circle “admin”" in words(Reason.NOT_A_MANAGER, circle())
    assert "its own members" in words(Reason.NOT_A_MANAGER, OWN)


def test_pages_say_beside_which_field_the_mistake_is() -> None:
    by_reason = {
        reason: wrong.field for reason in Reason if (wrong := mistake(Refused(reason, circle())))
    }
    assert {reason for reason, field in by_reason.items() if field == "comment"} == {
        Reason.COMMENT_MISSING,
        Reason.COMMENT_TOO_LONG,
        Reason.COMMENT_UNSEEN,
    }
    gone = mistake(NoSuchCircle())
    assert gone is not None
    assert gone.field == "circle"
    assert mistake(None) is None
