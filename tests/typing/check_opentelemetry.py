"""What type checkers make of what is for OpenTelemetry and Prometheus."""

from collections.abc import AsyncGenerator, Iterator
from typing import assert_type

from antspy import Future, Group, LoopFuture, Pool
from antspy.opentelemetry import Instrumentation, TracedPool, instrument, traced
from antspy.prometheus import PoolCollector
from functions import greet, work


async def check_traced(pool: Pool) -> None:
    view = traced(pool)
    assert_type(view, TracedPool)
    assert_type(view.options(name="ant").subpool(2), TracedPool)
    assert_type(view.submit(greet, "ant", loud=True), Future[str])
    assert_type(await view.asubmit(greet, "ant"), Future[str])
    assert_type(view.arun(greet, "ant"), LoopFuture[str])
    assert_type(view.map(len, ["a"], timeout=1, chunksize=2, progress=True), Iterator[int])
    assert_type(view.amap(len, ["a"], buffersize=3), AsyncGenerator[int, None])
    assert_type(view.group(), Group)
    with view as same:
        same.go(work)


def check_metrics(pool: Pool) -> None:
    assert_type(instrument(pool, fetchers=pool.options()), Instrumentation)
    PoolCollector(pool, registry=None).add(writers=pool)
