"""OpenTelemetry: the span in which a task is submitted is the parent of the spans in the task."""

import antspy
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
provider = TracerProvider(shutdown_on_exit=False)
provider.add_span_processor(SimpleSpanProcessor(exporter))
tracer = provider.get_tracer("ants")


def work(name: str) -> None:
    with tracer.start_as_current_span(name):
        pass


with antspy.Pool(4) as pool, antspy.ThreadPoolExecutor(4) as executor:
    with tracer.start_as_current_span("request") as request:
        pool.go(work, "go")
        pool.submit(work, "submit")
        list(pool.map(work, ["map"]))
        executor.submit(work, "executor")
        pool.wait()
        executor.wait()
    pool.submit(work, "alone").result()
parents = {span.name: span.parent.span_id if span.parent else None for span in exporter.get_finished_spans()}
here = request.get_span_context().span_id
print(parents)
assert parents == dict.fromkeys(["go", "submit", "map", "executor"], here) | {"request": None, "alone": None}
