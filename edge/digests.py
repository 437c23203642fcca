"""From what a reader read to the card's site digest: slow for a new card, free for a recent one.

The digests are remembered in memory only, and only the most recent ones.
"""

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from sync.credential import Credential, site_digest
from sync.ids import SiteDigest

REMEMBERED_MAX = 1_024
"""Some 200 KB: more cards than a makerspace sees in a day."""


class Digests:
    """Site digests of the cards of one site."""

    def __init__(self, site_salt: bytes, worker: ThreadPoolExecutor) -> None:
        """`worker`: the thread that does the slow hashing; it doesn't hold up the event loop."""
        self._site_salt = site_salt
        self._worker = worker
        self._recent: OrderedDict[Credential, SiteDigest] = OrderedDict()

    async def of(self, credential: Credential) -> SiteDigest:
        """The site digest of a card."""
        digest = self._recent.get(credential)
        if digest is None:
            digest = await asyncio.get_running_loop().run_in_executor(
                self._worker, site_digest, credential, self._site_salt
            )
            self._recent[credential] = digest
        self._recent.move_to_end(credential)
        if len(self._recent) > REMEMBERED_MAX:
            self._recent.popitem(last=False)
        return digest
