"""`antspy.prometheus`: what a Prometheus server is told of pools."""

import doctest
import gc
import math
import threading
import urllib.request
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from antspy import Pool
from metrics_support import KINDS, give_ten, hard_day
from support import LIMIT, Gate, eventually, library

library("prometheus_client")

import prometheus_client  # noqa: E402
from antspy import prometheus  # noqa: E402
from antspy.prometheus import PoolCollector  # noqa: E402
from prometheus_client import CollectorRegistry  # noqa: E402
from prometheus_client.openmetrics import parser as openmetrics  # noqa: E402
from prometheus_client.parser import text_string_to_metric_families  # noqa: E402

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
Labels = frozenset[tuple[str, str]]
Samples = dict[tuple[str, Labels], float]


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def address(registry: CollectorRegistry) -> Iterator[str]:
    """Where the registry is served."""
    server, thread = prometheus_client.start_http_server(0, addr="127.0.0.1", registry=registry)
    yield f"http://127.0.0.1:{server.server_port}/metrics"
    server.shutdown()
    server.server_close()
    thread.join(LIMIT)


def scrape(address: str, accept: str = "text/plain") -> tuple[dict[str, str], Samples]:
    """Return the types of the metrics by name, and all samples."""
    request = urllib.request.Request(address, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=LIMIT) as answer:
        text = answer.read().decode()
        is_open = "openmetrics" in answer.headers["Content-Type"]
    assert is_open == (accept == OPENMETRICS)
    parse: Callable[[str], Any] = (
        openmetrics.text_string_to_metric_families if is_open else text_string_to_metric_families
    )
    families = list(parse(text))
    samples = [
        ((sample.name, frozenset(sample.labels.items())), sample.value)
        for family in families
        for sample in family.samples
    ]
    assert len(samples) == len(dict(samples)), "a series is there twice"
    return {family.name: family.type for family in families}, dict(samples)


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def assert_accounted(samples: Samples, pool: str) -> None:
    ended = [
        value(samples, "antspy_tasks_ended_total", pool=pool, outcome=outcome)
        for outcome in ("completed", "failed", "cancelled")
    ]
    now = [value(samples, f"antspy_tasks_{state}", pool=pool) for state in ("queued", "running")]
    assert value(samples, "antspy_tasks_submitted_total", pool=pool) == sum(ended) + sum(now)


@pytest.mark.parametrize("accept", ["text/plain", OPENMETRICS])
def test_a_scrape_has_all_numbers(accept: str, registry: CollectorRegistry, address: str, gate: Gate) -> None:
    with hard_day(gate) as pool:
        PoolCollector(fetchers=pool, registry=registry)
        kinds, samples = scrape(address, accept)
        assert_accounted(samples, "fetchers")
        for name, labels, expected in [
            ("antspy_tasks_submitted_total", {}, 8),
            ("antspy_tasks_ended_total", {"outcome": "completed"}, 1),
            ("antspy_tasks_ended_total", {"outcome": "failed"}, 1),
            ("antspy_tasks_ended_total", {"outcome": "cancelled"}, 1),
            ("antspy_tasks_refused_total", {"reason": "rejected"}, 1),
            ("antspy_tasks_refused_total", {"reason": "discarded"}, 0),
            ("antspy_tasks_queued", {}, 3),
            ("antspy_tasks_running", {}, 2),
            ("antspy_capacity", {}, 2),
            ("antspy_workers", {"state": "busy"}, 2),
            ("antspy_workers", {"state": "idle"}, 0),
            ("antspy_submitters_waiting", {}, 0),
            ("antspy_workers_started_total", {}, 2),
            ("antspy_workers_expired_total", {}, 0),
            ("antspy_task_queue_seconds_count", {}, 4),
            ("antspy_task_run_seconds_count", {}, 2),
        ]:
            assert value(samples, name, pool="fetchers", **labels) == expected, name
        assert kinds["antspy_tasks_ended"] == "counter"
        assert (kinds["antspy_capacity"], kinds["antspy_task_run_seconds"]) == ("gauge", "histogram")
        gate.open()


def test_the_buckets_are_cumulative_and_the_same_at_each_scrape(
    registry: CollectorRegistry, address: str
) -> None:
    with Pool(2) as pool:
        PoolCollector(one=pool, registry=registry)
        before = scrape(address)[1]
        for _ in range(20):
            pool.submit(abs, -1).result()
        pool.submit(threading.Event().wait, 0.005).result()
        pool.wait()
        after = scrape(address)[1]
        assert before.keys() == after.keys()
        run = {
            float(dict(labels)["le"]): count
            for (name, labels), count in after.items()
            if name == "antspy_task_run_seconds_bucket"
        }
        bounds = sorted(run)
        assert bounds[0] == 1.024e-06
        assert bounds[-1] == math.inf
        assert [high / low for low, high in pairwise(bounds[:-1])] == [4] * 15
        counts = [run[bound] for bound in bounds]
        assert counts == sorted(counts)
        times = pool.stats().run_time
        assert counts[-1] == times.count == 21
        assert value(after, "antspy_task_run_seconds_sum", pool="one") == pytest.approx(times.total)
        for bound in bounds[:-1]:  # as the pool's own histogram has it, of which each is a bound
            assert run[bound] == sum(count for upper, count in times if upper <= bound)


@pytest.mark.parametrize("make", KINDS)
def test_each_kind_of_pool_is_told_of_by_its_own_name(
    make: Callable[[], Any], registry: CollectorRegistry, address: str
) -> None:
    with make() as pool:
        PoolCollector(pool, registry=registry)
        give_ten(pool)
        samples = scrape(address)[1]
        assert_accounted(samples, "own")
        assert value(samples, "antspy_tasks_submitted_total", pool="own") == 10
        assert value(samples, "antspy_capacity", pool="own") == pool.capacity


def test_the_account_holds_at_each_scrape_while_tasks_come_and_go(
    registry: CollectorRegistry, address: str
) -> None:
    over = threading.Event()

    def load(pool: Pool) -> None:
        while not over.is_set():
            pool.submit(abs, -1).cancel()

    with Pool(3, queue_size=100) as pool, Pool(2) as others:
        PoolCollector(busy=pool, registry=registry)
        for _ in range(2):
            others.go(load, pool)
        for _ in range(50):
            assert_accounted(scrape(address)[1], "busy")
        over.set()


def test_no_limit_is_infinite(registry: CollectorRegistry, address: str) -> None:
    with Pool(None) as pool:
        PoolCollector(free=pool, registry=registry)
        assert value(scrape(address)[1], "antspy_capacity", pool="free") == math.inf
        assert value(scrape(address, OPENMETRICS)[1], "antspy_capacity", pool="free") == math.inf


def test_a_dropped_pool_is_gone_and_its_name_is_free(registry: CollectorRegistry) -> None:
    def told() -> float | None:
        gc.collect()
        return registry.get_sample_value("antspy_capacity", {"pool": "one"})

    collector = PoolCollector(registry=registry)
    pool = Pool(2)
    collector.add(one=pool.options(name="a view, which nobody holds"))
    assert told() == 2
    pool.release(LIMIT)
    assert told() == 2
    with pytest.raises(ValueError, match="there are two pools called 'one': name one by keyword"):
        collector.add(one=pool)
    del pool
    eventually(lambda: told() is None)
    with Pool(3) as other:
        collector.add(one=other)
        assert told() == 3


def test_what_is_no_pool_and_what_is_there_already_is_named(registry: CollectorRegistry) -> None:
    with Pool(1) as pool, Pool(1, thread_name_prefix="twin") as twin:
        collector = PoolCollector(twin, registry=registry)
        for bad in (3, None, Pool, pool.subpool(1), pool.subpool(1).options(name="a")):
            with pytest.raises(TypeError, match=r"pool must be a pool, with stats\(\), not"):
                collector.add(pool, bad)  # type: ignore[arg-type]  # pyright: ignore
        for pools, named in [((twin,), {}), ((pool, pool), {}), ((pool,), {"twin": pool})]:
            with pytest.raises(ValueError, match="there are two pools called"):
                collector.add(*pools, **named)
        assert [sample.labels["pool"] for sample in next(collector.collect()).samples] == ["twin"]
        with pytest.raises(ValueError, match="Duplicated timeseries"):
            PoolCollector(pool, registry=registry)


def test_it_is_in_the_default_registry_unless_told_otherwise() -> None:
    with Pool(1) as pool:
        collector = PoolCollector(everywhere=pool)
        try:
            assert prometheus_client.REGISTRY.get_sample_value("antspy_capacity", {"pool": "everywhere"}) == 1
        finally:
            prometheus_client.REGISTRY.unregister(collector)


def test_the_examples_in_its_docstrings_are_true() -> None:
    tests = doctest.testmod(prometheus)
    assert tests.attempted > 0
    assert tests.failed == 0
