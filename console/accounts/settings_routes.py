"""`/me/account`: what somebody says of herself, her password, and where she is logged in.

Decides that another e-mail address needs the password: whoever finds a browser open could else have
a new password sent to an address of her own.
"""

from math import ceil

from aiohttp import web

from console.accounts import admission, new_password
from console.accounts import settings_queries as queries
from console.accounts.account import Profile
from console.accounts.admission import Admitted
from console.accounts.new_password import Changed, Refused
from console.accounts.profile import NOT_HERS, Mistakes, mistakes_with, store
from console.accounts.throttle import Wait
from console.web import session
from console.web.keys import DATABASE
from console.web.render import page
from console.web.requests import form
from console.web.routing import Route, Who
from console.web.session import visitor
from console.words import Text

PATH = "/me/account"
SAVED = {"profile": Text("Saved."), "password": Text("The new password counts from now on.")}


def routes() -> list[Route]:
    """All below /me/account."""
    return [
        Route("GET", PATH, Who.MEMBER, account_page),
        Route("POST", f"{PATH}/profile", Who.MEMBER, save_profile),
        Route("POST", f"{PATH}/password", Who.MEMBER, save_password),
        Route("POST", f"{PATH}/sessions/{{session:[0-9a-f]{{1,16}}}}/end", Who.MEMBER, end_session),
        Route("POST", f"{PATH}/sessions/others/end", Who.MEMBER, end_others),
    ]


async def account_page(request: web.Request) -> web.StreamResponse:
    """The three forms."""
    return await _answer(request, {}, saved=SAVED.get(request.query.get("saved", "")))


async def save_profile(request: web.Request) -> web.StreamResponse:
    """Stores name, e-mail address and phone, unless somebody changed them meanwhile."""
    fields = await form(request)
    typed = Profile(
        username=visitor(request).username,
        name=fields.get("name", "").strip(),
        email=fields.get("email", "").strip(),
        phone=fields.get("phone", "").strip(),
    )
    version, password = fields.get("version", ""), fields.get("password", "")
    mistakes = await _proven(request, typed, version=version, password=password)
    if mistakes is None or isinstance(mistakes, Admitted):
        mistakes = await store(
            request,
            typed,
            account_id=visitor(request).account_id,
            version=version,
            proven=mistakes,
        )
    if mistakes:
        # With a stale form the newest values are shown, else what was typed.
        return await _answer(request, mistakes, typed=None if "form" in mistakes else typed)
    raise web.HTTPSeeOther(f"{PATH}?saved=profile")


async def save_password(request: web.Request) -> web.StreamResponse:
    """Changes the password; all sessions elsewhere end."""
    fields = await form(request)
    outcome = await new_password.change(
        request, visitor(request), old=fields.get("old", ""), new=fields.get("new", "")
    )
    match outcome:
        case Wait():
            return await _answer(request, {"old": _wait(outcome)}, status=429)
        case Refused(words):
            if words == new_password.WRONG:
                return await _answer(request, {"old": NOT_HERS})
            return await _answer(request, {"new": words})
        case Changed(token):
            response = web.Response(status=303, headers={"Location": f"{PATH}?saved=password"})
            session.set_cookie(request, response, token)
            return response


async def end_session(request: web.Request) -> web.StreamResponse:
    """Logs out one browser."""
    async with request.app[DATABASE].writing(by=session.author(request)) as conn:
        await queries.end_session(
            conn,
            account_id=visitor(request).account_id,
            session_id=request.match_info["session"],
        )
    raise web.HTTPSeeOther(f"{PATH}#sessions")


async def end_others(request: web.Request) -> web.StreamResponse:
    """Logs out every browser but this one, also those that the old web app let in."""
    async with request.app[DATABASE].writing(by=session.author(request)) as conn:
        account_id = visitor(request).account_id
        await queries.add_session_end(conn, account_id=account_id, browsers="others")
        token = await session.begin_alone(request, conn, account_id=account_id)
    response = web.Response(status=303, headers={"Location": f"{PATH}#sessions"})
    session.set_cookie(request, response, token)
    return response


async def _proven(
    request: web.Request, typed: Profile, *, version: str, password: str
) -> Admitted | Mistakes | None:
    """Who she is, for another e-mail address; None where that stays. Raises: HTTPNotFound."""
    me = visitor(request)
    async with request.app[DATABASE].reading() as conn:
        known = await queries.profile(conn, account_id=me.account_id)
        if known is None:
            raise web.HTTPNotFound
        found = await mistakes_with(conn, known, typed, account_id=me.account_id, version=version)
    if found:
        return found
    if known.email == typed.email:
        return None
    if not password:
        return {"password": Text("Another e-mail address needs your password.")}
    outcome = await admission.check(request, me.username, password)
    if isinstance(outcome, Wait):
        return {"password": _wait(outcome)}
    if outcome is None or outcome.account_id != me.account_id:
        return {"password": NOT_HERS}
    return outcome


async def _answer(
    request: web.Request,
    mistakes: Mistakes,
    *,
    status: int = 422,
    typed: Profile | None = None,
    saved: str | None = None,
) -> web.StreamResponse:
    account_id = visitor(request).account_id
    async with request.app[DATABASE].reading() as conn:
        known = await queries.profile(conn, account_id=account_id)
        if known is None:
            raise web.HTTPNotFound
        sessions = await queries.own_sessions(
            conn, account_id=account_id, token_digest=session.digest_of(request)
        )
    return page(
        request,
        "accounts/settings.html",
        status=status if mistakes else 200,
        profile=typed or known,
        version=known.version,
        sessions=sessions,
        mistakes=mistakes,
        saved=saved,
    )


def _wait(wait: Wait) -> Text:
    return Text(
        "Too many wrong tries. Wait {seconds} s, then try again.", seconds=ceil(wait.seconds)
    )
