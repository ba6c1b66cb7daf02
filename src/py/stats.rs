//! A pool's numbers for Python.

use pyo3::{prelude::*, types::PyDict};

use super::pool::Core;

/// By the names of `antspy.Stats`, and its state; a histogram is a tuple of its counts and the sum in seconds.
pub(super) fn numbers<'py>(py: Python<'py>, core: &Core) -> PyResult<Bound<'py, PyDict>> {
    let (now, tally) = core.stats_and_tally();
    let numbers = PyDict::new(py);
    numbers.set_item("capacity", now.capacity)?;
    numbers.set_item("busy", now.running - now.idle)?;
    numbers.set_item("idle", now.idle)?;
    numbers.set_item("queued", now.queued)?;
    numbers.set_item("waiting", now.waiting)?;
    numbers.set_item("submitted", tally.submitted)?;
    numbers.set_item("started", tally.started)?;
    numbers.set_item("completed", tally.completed)?;
    numbers.set_item("failed", tally.failed)?;
    numbers.set_item("cancelled", tally.cancelled)?;
    numbers.set_item("discarded", tally.discarded)?;
    numbers.set_item("rejected", tally.rejected)?;
    numbers.set_item("closed", now.closed)?;
    numbers.set_item("paused", now.paused)?;
    numbers.set_item("workers_started", now.started)?;
    numbers.set_item("workers_expired", tally.expired)?;
    for (name, histogram) in [
        ("queue_time", &tally.queue_time),
        ("run_time", &tally.run_time),
    ] {
        #[allow(
            clippy::cast_precision_loss,
            reason = "a mean needs no more than 52 bits"
        )]
        let seconds = histogram.total as f64 / 1e9;
        numbers.set_item(name, (histogram.counts, seconds))?;
    }
    Ok(numbers)
}
