"""The console's own scripts, styles and pictures, under addresses that never change their content.

The address holds a hash of the content, so a browser may keep a file for ever and still gets a new
one at once. All files are read when the console starts.
"""

import gzip
import hashlib
import re
from pathlib import Path

from aiohttp import web
from msgspec import Struct

from console.errors import ConsoleError
from console.web.routing import Route, Who

FOLDER = Path(__file__).parent / "static"
NEEDED = ("console.css", "console.js", "icon.svg", "vendor/htmx.min.js")

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"
_BLANKS = re.compile(
    rb'(?P<said>"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)'
    rb"| ?(?P<sign>[=<>&|?:{}(),;]+) ?(?:(?<=[{(,;])\n)?"
)
"""Those around the signs of a script; strings stay as they are."""


class FilesMissing(ConsoleError):
    """Scripts of others aren't there. The remedy: `make setup` copies them."""


class Asset(Struct, frozen=True):
    """A file as it is served."""

    address: str
    content_type: str
    body: bytes
    gzipped: bytes


class StaticFiles:
    """The files by name and by address."""

    def __init__(self, assets: dict[str, Asset]) -> None:
        """`assets`: by the name that templates use, such as `console.css`."""
        self._by_name = assets
        self._by_address = {asset.address: asset for asset in assets.values()}

    def address(self, name: str) -> str:
        """Where a browser gets a file; templates write `"console.css"|static`."""
        return self._by_name[name].address

    def routes(self) -> list[Route]:
        """One route for all files."""
        return [Route("GET", "/static/{digest:[0-9a-f]{16}}/{name:.+}", Who.ANYONE, self._serve)]

    async def _serve(self, request: web.Request) -> web.Response:
        asset = self._by_address.get(request.path)
        if asset is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
        body = asset.body
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = asset.gzipped
        return web.Response(
            body=body, content_type=asset.content_type, charset="utf-8", headers=headers
        )


def read_static_files(folder: Path = FOLDER) -> StaticFiles:
    """Reads every file of a known kind. Raises: FilesMissing."""
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise FilesMissing(f"missing in {folder}: {', '.join(missing)}; `make setup` brings them")
    return StaticFiles(
        {
            path.relative_to(folder).as_posix(): _asset(folder, path)
            for path in sorted(folder.rglob("*"))
            if path.suffix in _TYPES
        }
    )


def dense(body: bytes, suffix: str) -> bytes:
    """A style sheet or script of ours without comments and indentation.

    It knows our own way of writing only: no string holds a comment or `;}`, none of a style sheet
    a sign that loses its blanks here; a comment of a script has a line of its own, and each
    statement something to do.
    """
    match suffix:
        case ".css":
            body = re.sub(rb"/\*.*?\*/", b"", body, flags=re.DOTALL)
            body = re.sub(rb"\s+", b" ", body)
            body = re.sub(rb" ?([{};,>]) ?", rb"\1", body).strip()
            return re.sub(rb"(?<=[\w-]): ", b":", body).replace(b";}", b"}")
        case ".js":
            body = re.sub(rb"^[ \t]*(?://[^\n]*)?\n?", b"", body, flags=re.MULTILINE)
            body = _BLANKS.sub(lambda found: found["said"] or found["sign"], body)
            return body.replace(b";}", b"}")
        case _:
            return body


def _asset(folder: Path, path: Path) -> Asset:
    body = path.read_bytes()
    if path.parent == folder:
        body = dense(body, path.suffix)
    digest = hashlib.sha256(body).hexdigest()[:16]
    return Asset(
        address=f"/static/{digest}/{path.relative_to(folder).as_posix()}",
        content_type=_TYPES[path.suffix],
        body=body,
        gzipped=gzip.compress(body, mtime=0),
    )
