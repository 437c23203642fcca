"""What a browser calls itself, in two words. Pure."""

from console.words import Text

BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))
SYSTEMS = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows")),
    *(("Mac OS X", "Mac"), ("Linux", "Linux")),
)


def browser_name(user_agent: str | None) -> str:
    """`Firefox on Linux`; what isn't known is cut to 40 characters."""
    text = user_agent or ""
    browser = next((name for mark, name in BROWSERS if mark in text), None)
    if browser is None and "Safari/" in text:
        browser = "Safari"
    system = next((name for mark, name in SYSTEMS if mark in text), None)
    if browser is None:
        return text[:40] or Text("a browser that says no name")
    return Text("{browser} on {system}", browser=browser, system=system) if system else browser
