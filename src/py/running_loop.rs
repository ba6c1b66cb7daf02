//! A task that runs in the midst of an event loop's thread does not see the loop: `python/antspy/running_loop.py`.

use pyo3::prelude::*;

use super::{errors, once::Once};

/// Runs `body`, which is a task, out of sight of the loop that this thread may run.
pub(super) fn out_of_sight<R>(py: Python<'_>, body: impl FnOnce() -> R) -> R {
    let left = leave(py).unwrap_or_else(|error| {
        errors::report(py, Err(error));
        None
    });
    let result = body();
    if let Some(left) = left {
        errors::report(py, enter(py, left));
    }
    result
}

fn leave(py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
    static LEAVE: Once<Py<PyAny>> = Once::new();
    let find = || PyResult::Ok(module(py)?.getattr("leave")?.unbind());
    let left = LEAVE.get_or_try_init(py, find)?.call0(py)?;
    Ok((!left.is_none(py)).then_some(left))
}

fn enter(py: Python<'_>, left: Py<PyAny>) -> PyResult<()> {
    module(py)?.getattr("enter")?.call1((left,)).map(drop)
}

fn module(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("antspy.running_loop")
}
