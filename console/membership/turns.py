"""One payment matter at a time for each account: two presses on a button are one."""

import asyncio
from weakref import WeakValueDictionary


class Turns:
    """Locks by account, which are forgotten when nobody holds or waits for one."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def of(self, account_id: int) -> asyncio.Lock:
        """The account's turn."""
        lock = self._locks.get(account_id)
        if lock is None:
            lock = self._locks[account_id] = asyncio.Lock()
        return lock
