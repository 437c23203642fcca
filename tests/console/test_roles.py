"""Circles that give a role."""

from console.settings import RoleSettings
from console.web.roles import circles_for, roles_of
from console.web.routing import Who

SETTINGS = RoleSettings("admin", front_desk_circle="desk", treasurer_circle="money")


def test_whoever_is_logged_in_is_a_member_and_no_more():
    assert roles_of({"members", "door"}, SETTINGS) == {Who.ANYONE, Who.MEMBER}


def test_a_circle_gives_its_own_role_alone():
    assert roles_of({"desk"}, SETTINGS) - roles_of(set(), SETTINGS) == {Who.FRONT_DESK}
    assert roles_of({"money"}, SETTINGS) - roles_of(set(), SETTINGS) == {Who.TREASURER}
    assert roles_of({"despot"}, SETTINGS) - roles_of(set(), SETTINGS) == {
        Who.COMPANIES,
        Who.DESPOT,
    }


def test_an_admin_may_do_all_but_what_the_old_web_app_gives_to_despots():
    assert roles_of({"admin"}, SETTINGS) == set(Who) - {Who.DESPOT}


def test_a_role_that_no_circle_was_named_for_is_the_admins():
    settings = RoleSettings("board")
    for who in (Who.FRONT_DESK, Who.TREASURER, Who.ADMIN):
        assert circles_for(who, settings) == ("board",)
        assert who not in roles_of({"admin", "front desk", "treasurer"}, settings)
