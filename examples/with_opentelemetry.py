"""OpenTelemetry: a span for each task, a child of that in which it is submitted; and pools' numbers."""

import antspy
from antspy.opentelemetry import instrument, traced
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, Sum
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
spans = TracerProvider(shutdown_on_exit=False)
spans.add_span_processor(SimpleSpanProcessor(exporter))
meters = MeterProvider(metric_readers=[reader], shutdown_on_exit=False)
tracer = spans.get_tracer("ants")


def work(name: str) -> None:
    with tracer.start_as_current_span(name):
        pass


with antspy.Pool(4) as plain, antspy.Pool(4) as pool:
    instrument(ants=pool, meter_provider=meters)
    traces = traced(pool, spans)
    with tracer.start_as_current_span("request") as request:
        plain.submit(work, "plain").result()  # the task has no span of its own
        traces.submit(work, "traced").result()  # it has: "work"
        traces.options(name="job").go(work, "named")
        list(traces.map(work, ["map"]))
        pool.wait()
    numbers = reader.get_metrics_data()

names = {span.context.span_id: span.name for span in exporter.get_finished_spans()}
parents = {
    span.name: names.get(span.parent.span_id) if span.parent else None
    for span in exporter.get_finished_spans()
}
print(parents)
assert parents == {
    "request": None,
    **{"plain": "request", "traced": "work", "work": "request"},
    **{"named": "job", "job": "request", "map": "work"},
}
assert numbers is not None
for metric in numbers.resource_metrics[0].scope_metrics[0].metrics:
    assert isinstance(metric.data, Sum)
    print(metric.name, *(f"{point.value:g} {metric.unit}" for point in metric.data.data_points))
