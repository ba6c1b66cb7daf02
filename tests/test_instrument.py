"""`antspy.opentelemetry.instrument`: pools' numbers on a meter."""

import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest
from antspy import Pool
from antspy.watched import Watched
from metrics_support import KINDS, give_ten, hard_day
from support import Gate, Thread, eventually, library, run_program

library("opentelemetry.sdk")

from antspy.opentelemetry import _Moment, instrument, traced  # noqa: E402
from opentelemetry.sdk.metrics import MeterProvider  # noqa: E402
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, Metric, Sum  # noqa: E402
from opentelemetry.sdk.metrics.view import DropAggregation, View  # noqa: E402

Read = dict[tuple[str, frozenset[tuple[str, Any]]], float]


class Meter:
    """A provider, and what is collected from it."""

    def __init__(self, *views: View) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider(metric_readers=[self._reader], views=views, shutdown_on_exit=False)

    def metrics(self) -> list[Metric]:
        data = self._reader.get_metrics_data()
        scopes = (
            [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        )
        return [metric for scope in scopes for metric in scope.metrics]

    def read(self) -> Read:
        found: Read = {}
        for metric in self.metrics():
            assert isinstance(metric.data, Sum)
            for point in metric.data.data_points:
                key = metric.name, frozenset((point.attributes or {}).items())
                assert key not in found
                found[key] = point.value
        return found


@pytest.fixture
def meter() -> Meter:
    return Meter()


def value(read: Read, name: str, pool: str, **attributes: str) -> float | None:
    more = {f"antspy.{key.replace('_', '.')}": it for key, it in attributes.items()}
    return read.get((f"antspy.pool.{name}", frozenset({"antspy.pool.name": pool, **more}.items())))


def accounted(read: Read, pool: str) -> bool:
    ways = [value(read, "task.ended", pool, task_outcome=it) for it in ("completed", "failed", "cancelled")]
    parts = [*ways, value(read, "task.queued", pool), value(read, "task.running", pool)]
    assert None not in parts
    return value(read, "task.submitted", pool) == sum(part for part in parts if part is not None)


def test_all_numbers_are_told(meter: Meter, gate: Gate) -> None:
    with hard_day(gate) as pool:
        instrument(fetchers=pool, meter_provider=meter.provider)
        read = meter.read()
        assert accounted(read, "fetchers")
        for name, attributes, expected in [
            ("task.submitted", {}, 8),
            ("task.ended", {"task_outcome": "completed"}, 1),
            ("task.ended", {"task_outcome": "failed"}, 1),
            ("task.ended", {"task_outcome": "cancelled"}, 1),
            ("task.refused", {"task_refusal": "rejected"}, 1),
            ("task.refused", {"task_refusal": "discarded"}, 0),
            ("task.queued", {}, 3),
            ("task.running", {}, 2),
            ("worker.limit", {}, 2),
            ("worker.count", {"worker_state": "busy"}, 2),
            ("worker.count", {"worker_state": "idle"}, 0),
            ("submitter.waiting", {}, 0),
            ("worker.started", {}, 2),
            ("worker.expired", {}, 0),
            ("task.queue_time", {}, pool.stats().queue_time.total),
            ("task.run_time", {}, pool.stats().run_time.total),
        ]:
            assert value(read, name, "fetchers", **attributes) == expected, name
        assert len(read) == 16
        gate.open()


def test_each_instrument_has_a_unit_and_a_text(meter: Meter) -> None:
    with Pool(1) as pool:
        instrument(pool, meter_provider=meter.provider)
        found = {metric.name: metric for metric in meter.metrics()}
    assert {metric.unit for metric in found.values()} == {"{worker}", "{task}", "{call}", "s"}
    assert {name for name, metric in found.items() if metric.unit == "s"} == {
        "antspy.pool.task.queue_time",
        "antspy.pool.task.run_time",
    }
    assert all(metric.description for metric in found.values())
    monotonic = {
        name for name, metric in found.items() if isinstance(metric.data, Sum) and metric.data.is_monotonic
    }
    assert len(monotonic) == 7


@pytest.mark.parametrize("make", [*KINDS, lambda: traced(KINDS[0]())])
def test_each_kind_of_pool_is_told_of_by_its_own_name(make: Callable[[], Any], meter: Meter) -> None:
    with make() as pool:
        instrument(pool, meter_provider=meter.provider)
        give_ten(pool)
        read = meter.read()
        assert value(read, "task.submitted", "own") == 10
        assert value(read, "worker.limit", "own") == pool.capacity


def test_without_a_limit_there_is_none(meter: Meter) -> None:
    with Pool(None) as pool:
        instrument(free=pool, meter_provider=meter.provider)
        read = meter.read()
        assert value(read, "worker.limit", "free") is None
        assert value(read, "task.submitted", "free") == 0


@pytest.mark.parametrize("dropped", [(), ("antspy.pool.worker.count",), ("antspy.pool.task.submitted",)])
def test_all_numbers_of_a_collection_are_of_one_moment(dropped: tuple[str, ...]) -> None:
    meter = Meter(*(View(instrument_name=name, aggregation=DropAggregation()) for name in dropped))
    over = threading.Event()

    def load(pool: Pool) -> None:
        while not over.is_set():
            pool.submit(abs, -1).cancel()

    with Pool(3, queue_size=100) as pool, Pool(2) as others:
        instrument(busy=pool, meter_provider=meter.provider)
        for _ in range(2):
            others.go(load, pool)
        last = -1.0
        for _ in range(50):
            read = meter.read()
            if "antspy.pool.task.submitted" not in dropped:
                assert accounted(read, "busy")
            ended = value(read, "task.ended", "busy", task_outcome="completed")
            assert ended is not None
            assert ended >= last
            last = ended
        eventually(lambda: value(meter.read(), "task.ended", "busy", task_outcome="completed") != last)
        over.set()


def test_it_can_be_undone(meter: Meter) -> None:
    with Pool(1) as one, Pool(1) as two:
        first = instrument(one=one, meter_provider=meter.provider)
        second = instrument(two=two, meter_provider=meter.provider)
        assert value(meter.read(), "worker.limit", "one") == value(meter.read(), "worker.limit", "two") == 1
        first.uninstrument()
        read = meter.read()
        assert value(read, "worker.limit", "one") is None
        assert value(read, "worker.limit", "two") == 1
        third = instrument(one=two, meter_provider=meter.provider)
        first.uninstrument()  # the name is another pool's now
        assert value(meter.read(), "worker.limit", "one") == 1
        second.uninstrument()
        third.uninstrument()
        assert meter.read() == {}


def test_a_dropped_pool_is_gone(meter: Meter) -> None:
    pool = Pool(1)
    instrument(one=pool, meter_provider=meter.provider)
    assert value(meter.read(), "worker.limit", "one") == 1
    del pool
    gc.collect()
    eventually(lambda: meter.read() == {})


def test_providers_do_not_mix(meter: Meter) -> None:
    other = Meter()
    with Pool(1) as pool:
        instrument(here=pool, meter_provider=meter.provider)
        instrument(there=pool, meter_provider=other.provider)
        assert value(meter.read(), "worker.limit", "there") is None
        assert value(other.read(), "worker.limit", "there") == 1


def test_what_is_no_pool_and_what_is_there_already_is_named(meter: Meter) -> None:
    with Pool(1) as pool:
        with pytest.raises(TypeError, match=r"pool must be a pool, with stats\(\), not <SubPool"):
            instrument(pool.subpool(1), meter_provider=meter.provider)  # type: ignore[arg-type]  # pyright: ignore
        instrument(one=pool, meter_provider=meter.provider)
        with pytest.raises(ValueError, match="there are two pools called 'one'"):
            instrument(one=pool, meter_provider=meter.provider)


@pytest.mark.parametrize("later", ["", "meter_provider=metrics.get_meter_provider(), "])
@pytest.mark.parametrize("sooner", ["", "meter_provider=metrics.get_meter_provider(), "])
def test_pools_from_before_and_after_the_programs_provider_is_set_are_told(sooner: str, later: str) -> None:
    program = f"""
        from antspy import Pool
        from antspy.opentelemetry import instrument
        from opentelemetry import metrics
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader

        def told():
            found = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
            (limits,) = [metric for metric in found if metric.name == "antspy.pool.worker.limit"]
            return {{point.attributes["antspy.pool.name"]: point.value for point in limits.data.data_points}}

        reader = InMemoryMetricReader()
        one, two, three = Pool(1), Pool(2), Pool(3)
        instrument({sooner}one=one)
        metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))
        instrument({later}two=two)
        instrument(three=three)
        assert told() == {{"one": 1, "two": 2, "three": 3}}
    """
    run_program(program)


def test_what_a_collection_reads_is_its_own_also_while_there_is_another() -> None:
    with Pool(1) as pool:
        watched = Watched()
        watched.add((pool,), {})
        moment = _Moment(watched)
        ours = moment.read("one")
        theirs = Thread(lambda: [moment.read("one"), moment.read("two")]).result()
        assert moment.read("two") is ours
        assert theirs[0] is theirs[1]
        assert theirs[0] is not ours
        assert moment.read("one") is not ours


def test_instruments_that_cannot_be_made_leave_nothing() -> None:
    class Failing(MeterProvider):
        broken = True

        def get_meter(self, *args: Any, **kwargs: Any) -> Any:
            if self.broken:
                raise OSError("no meter")
            return super().get_meter(*args, **kwargs)

    reader = InMemoryMetricReader()
    provider = Failing(metric_readers=[reader], shutdown_on_exit=False)
    with Pool(1) as pool:
        with pytest.raises(OSError, match="no meter"):
            instrument(one=pool, meter_provider=provider)
        provider.broken = False
        instrument(one=pool, meter_provider=provider)
        assert reader.get_metrics_data() is not None


def test_the_programs_own_provider_is_used_also_if_it_is_set_later() -> None:
    program = """
        from antspy import Pool
        from antspy.opentelemetry import instrument
        from opentelemetry import metrics
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader

        reader = InMemoryMetricReader()
        pool = Pool(1)
        instrumentation = instrument(early=pool)
        metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))
        found = reader.get_metrics_data().resource_metrics[0].scope_metrics[0]
        assert found.scope.name == "antspy"
        assert "antspy.pool.worker.limit" in {metric.name for metric in found.metrics}
        instrumentation.uninstrument()
        assert reader.get_metrics_data() is None
    """
    run_program(program)
