"""Calls that type checkers must refuse.

Each comment is a promise that there is an error of that kind: mypy and pyright report one that is not needed.
"""

import antspy
from antspy import Future, MultiPool, Pool, PoolWithFunc, SubPool, ThreadPoolExecutor, WaitGroup
from functions import greet, work


def check_arguments(pool: Pool) -> None:
    pool.submit(greet)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pool.submit(greet, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pool.submit(work, "ant")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pool.submit(greet, "ant", loud=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pool.submit(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
    pool.submit(fn=greet, name="ant")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pool.go(greet, "ant", quiet=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pool.map(3, ["a"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pool.map(greet, ["a"], progress=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    antspy.progress(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    antspy.progress(pool.subpool(1))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def check_arguments_elsewhere(pool: Pool, part: SubPool, multi: MultiPool) -> None:
    pool.options().submit(greet)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    part.submit(greet, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    multi.submit(greet, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    multi.options().go(greet)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pool.group().submit(greet)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    WaitGroup().go(greet)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    antspy.submit(greet)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    antspy.go(greet, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def check_arguments_in_a_coroutine(pool: Pool) -> None:
    await pool.arun(greet)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await pool.asubmit(greet, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def check_the_executors_map(executor: ThreadPoolExecutor) -> None:
    executor.map(greet, ["a"], progress=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def check_results(pool: Pool, one: PoolWithFunc[str]) -> None:
    future: Future[int] = pool.submit(greet, "ant")  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
    result: int = one.submit("ant").result()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    pool.go(greet, "ant").result()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    del future, result


def check_settings(pool: Pool) -> None:
    Pool()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Pool("3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Pool(3, 4)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Pool(3, overflow="drop")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Pool(3, max_workers=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    PoolWithFunc(greet, 3, max_workers=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    MultiPool(2, 3, "random")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pool.options(priority="urgent")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pool.options(retries=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pool.capacity = 3  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
