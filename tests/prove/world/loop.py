"""An asyncio event loop on virtual time: one for each start of the daemon.

It never waits: whoever drives it (world/world.py) asks when it next has something to do, and has
one callback run at a time, so that a power cut can fall between any two. What the daemon gives to
threads is done by a `Crew`, whose threads take virtual time.
"""

# What every loop does with the handles that asyncio gives it.
# pyright: reportPrivateUsage=false

import asyncio
import heapq
import math
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any, cast
from weakref import WeakSet

from tests.prove.world.timeline import NS, Timeline

LIMBO_ROUNDS_MAX = 50


@dataclass(frozen=True, slots=True)
class Effort:
    """How a thread does one job. `is_done_first`: its effect comes at once, the answer later."""

    seconds: float
    is_done_first: bool


@dataclass(slots=True)
class Job:
    """What a thread is to do."""

    work: Callable[[], object]
    future: asyncio.Future[Any]


@dataclass(slots=True)
class Crew:
    """The threads of one executor: first come, first served."""

    loop: "VirtualLoop"
    threads: int
    effort: Callable[[], Effort]
    waiting: deque[Job] = field(default_factory=deque[Job])
    busy: int = 0

    def take(self, job: Job) -> None:
        self.waiting.append(job)
        self._begin()

    def _begin(self) -> None:
        while self.waiting and self.busy < self.threads and not self.loop.is_dead:
            job = self.waiting.popleft()
            if job.future.cancelled():
                continue
            self.busy += 1
            effort = self.effort()
            outcome = _done(job) if effort.is_done_first else None
            self.loop.timeline.after(effort.seconds, lambda job=job, o=outcome: self._end(job, o))

    def _end(self, job: Job, outcome: Callable[[], None] | None) -> None:
        if self.loop.is_dead:
            return
        self.busy -= 1
        self.loop.call_soon(outcome or _done(job))
        self._begin()


def _done(job: Job) -> Callable[[], None]:
    """Does the job now; returns how to tell what came of it."""
    try:
        result = job.work()
    except BaseException as error:  # noqa: BLE001  # as a thread's future does
        failure = error
        return lambda: None if job.future.cancelled() else job.future.set_exception(failure)
    return lambda: None if job.future.cancelled() else job.future.set_result(result)


class VirtualLoop(asyncio.AbstractEventLoop):
    """The parts of an event loop that a controller uses; anything else is an error."""

    def __init__(
        self,
        timeline: Timeline,
        *,
        mono_ns: Callable[[], int],
        late_ns: Callable[[], int],
        effort: Callable[[Executor], Callable[[], Effort]],
        instead: Callable[[Callable[..., Any]], Callable[..., Any]],
        mishaps: list[str],
    ) -> None:
        """`late_ns`: by how much the next timer is late. `effort`: what an executor's jobs take.
        `instead`: what a thread does when it is told to do something.
        `mishaps`: where errors are told that nobody else tells.
        """
        self.timeline = timeline
        self.is_dead = False
        self.stalled_until_ns = 0
        self._mishaps = mishaps
        self._mono_ns = mono_ns
        self._late_ns = late_ns
        self._effort = effort
        self._instead = instead
        self._ready = deque[asyncio.Handle]()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._number = 0
        self._time = 0.0  # never before a timer that has fired, whatever floats make of it
        self._late = late_ns()
        self._tasks = WeakSet[asyncio.Task[Any]]()
        self._crews: dict[Executor, Crew] = {}
        self._readers: dict[int, Callable[[], object]] = {}

    # What whoever drives it asks.

    def next_ns(self) -> int | None:
        """When it has something to do; None: never, as things are."""
        if self._ready:
            return max(self.timeline.now_ns, self.stalled_until_ns)
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            return None
        due_ns = self.timeline.now_ns - self._mono_ns() + math.ceil(self._timers[0][0] * NS)
        return max(due_ns + self._late, self.timeline.now_ns, self.stalled_until_ns)

    def wake(self) -> None:
        """Makes ready what is due."""
        self._late = self._late_ns()
        now = self._mono_ns() / NS
        while self._timers and (
            self._timers[0][0] <= now or math.ceil(self._timers[0][0] * NS) <= self._mono_ns()
        ):
            when, _, handle = heapq.heappop(self._timers)
            self._time = max(self._time, when)
            if not handle.cancelled():
                self._ready.append(handle)

    @property
    def has_ready(self) -> bool:
        return bool(self._ready)

    def step(self) -> None:
        """Runs one callback."""
        handle = self._ready.popleft()
        if not handle.cancelled():
            with self.running():
                handle._run()

    @contextmanager
    def running(self) -> Generator[None]:
        """Inside, this is the running loop."""
        events._set_running_loop(self)
        try:
            yield
        finally:
            events._set_running_loop(None)

    def readable(self, fd: int) -> None:
        """There is something to read on a descriptor."""
        if fd in self._readers:
            self.call_soon(self._read, fd)

    def die(self) -> None:
        """Nothing of this loop reaches anything any more; what is left of its tasks is ended."""
        self.is_dead = True
        for _ in range(LIMBO_ROUNDS_MAX):
            left = [task for task in self._tasks if not task.done()]
            if not left:
                return
            for task in left:
                task.cancel()
            while self._ready:
                self.step()
        self._timers.clear()

    def _read(self, fd: int) -> None:
        reader = self._readers.get(fd)
        if reader is not None:
            reader()

    # What asyncio asks.

    def time(self) -> float:
        return max(self._time, self._mono_ns() / NS) if not self.is_dead else self._time

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._number += 1
        heapq.heappush(self._timers, (when, self._number, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        pass

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        work = cast("Coroutine[Any, Any, Any]", coro)
        task = asyncio.Task(work, loop=self, name=name, context=context)
        self._tasks.add(task)
        return task

    def run_in_executor(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        future = self.create_future()
        assert isinstance(executor, ThreadPoolExecutor), "every executor has its purpose"
        if self.is_dead:
            future.set_exception(OSError("the machine is off"))
            return future
        crew = self._crews.get(executor)
        if crew is None:
            crew = Crew(self, executor._max_workers, self._effort(executor))
            self._crews[executor] = crew
        crew.take(Job(lambda: self._instead(func)(*args), future))
        return future

    def add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        self._readers[cast("int", fd)] = lambda: callback(*args)

    def remove_reader(self, fd: Any) -> bool:
        return self._readers.pop(cast("int", fd), None) is not None

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self.is_dead:
            self._mishaps.append(f"{context.get('message')}: {context.get('exception')!r}")
