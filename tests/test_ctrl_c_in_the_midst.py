"""Ctrl-C while a task runs in the midst of other code, and while a coroutine is being waked."""

import asyncio
import signal
import threading
from typing import Any

import pytest
from antspy import Pool, WaitGroup
from support import LIMIT, Gate, Thread


def press() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("method", ["submit", "go"])
def test_in_a_task_that_its_submitter_runs_it_reaches_the_submitter(method: str, gate: Gate) -> None:
    seen: list[BaseException] = []
    with Pool(1, overflow="caller_runs", exception_handler=seen.append) as pool:
        pool.go(gate)
        gate.wait_entered()
        with pytest.raises(KeyboardInterrupt):
            getattr(pool, method)(press)
        gate.open()


def test_in_a_task_in_the_midst_of_a_coroutine_it_leaves_the_loop_as_it_was(gate: Gate) -> None:
    async def main(pool: Pool) -> bool:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        with pytest.raises(KeyboardInterrupt):
            pool.submit(press)
        return asyncio.get_running_loop() is loop and asyncio.current_task() is task

    before = signal.getsignal(signal.SIGINT)
    with Pool(1, overflow="caller_runs") as pool:
        pool.go(gate)
        gate.wait_entered()
        loop = asyncio.new_event_loop()  # `asyncio.run` has a handler of its own for the signal
        assert loop.run_until_complete(main(pool))
        loop.close()
        gate.open()
    assert signal.getsignal(signal.SIGINT) is before


def test_while_a_loop_is_called_the_loop_is_called_all_the_same() -> None:
    class Loop(asyncio.SelectorEventLoop):
        presses = 1

        def call_soon_threadsafe(self, callback: Any, *args: Any, **rest: Any) -> Any:  # type: ignore[override]
            if self.presses and threading.current_thread() is threading.main_thread():
                self.presses -= 1
                press()
            return super().call_soon_threadsafe(callback, *args, **rest)

    group, waits = WaitGroup(), threading.Event()
    group.add()

    def run() -> bool:
        loop = Loop()

        async def main() -> bool:
            loop.call_soon(waits.set)
            await group
            return True

        result = loop.run_until_complete(main())
        loop.close()
        return result

    thread = Thread(run)
    assert waits.wait(LIMIT)
    with pytest.raises(KeyboardInterrupt):
        group.done()
    assert thread.result()
