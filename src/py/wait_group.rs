//! The wait group as Python sees it: `antspy.WaitGroup` derives from this class.

use std::sync::Arc;

use pyo3::{
    prelude::*,
    types::{PyDict, PyTuple},
};

use super::{
    arguments::{self, Count, Timeout},
    errors,
    pool::Pool,
    task::{Call, Task, WaitGroup as Core},
};

/// The base of `antspy.WaitGroup`.
#[pyclass(frozen, subclass, name = "_WaitGroup", module = "antspy._antspy")]
#[derive(Debug)]
pub(super) struct WaitGroup {
    core: Arc<Core>,
}

impl WaitGroup {
    fn add_to(&self, n: i64) -> PyResult<()> {
        self.core.add(n).map_err(errors::out_of_range)
    }
}

#[pymethods]
impl WaitGroup {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self {
            core: Arc::new(Core::new()),
        }
    }

    #[pyo3(signature = (n = Count(1)), text_signature = "($self, n=1)")]
    fn add(&self, n: Count) -> PyResult<()> {
        self.add_to(n.0)
    }

    fn done(&self) -> PyResult<()> {
        self.add_to(-1)
    }

    #[pyo3(signature = (timeout = Timeout(None)), text_signature = "($self, timeout=None)")]
    fn wait(&self, py: Python<'_>, timeout: Timeout) -> PyResult<bool> {
        self.core.wait(py, timeout.deadline())
    }

    #[getter]
    fn count(&self) -> u64 {
        self.core.count()
    }

    /// `WaitGroup.go`, on the pool that the Python class found.
    #[pyo3(signature = (pool, r#fn, /, *args, **kwargs))]
    fn _go(
        &self,
        py: Python<'_>,
        pool: &Bound<'_, Pool>,
        r#fn: Bound<'_, PyAny>,
        args: Bound<'_, PyTuple>,
        kwargs: Option<Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        arguments::callable("fn", &r#fn)?;
        let call = Call::new(Some(r#fn.unbind()), args, kwargs)?;
        let group = Some(self.core.clone());
        self.add_to(1)?;
        let accepted = pool.get().accept(py, Task::Go { call, group });
        if accepted.is_err() {
            self.add_to(-1)?;
        }
        accepted
    }

    /// Calls `listener()` when the count reaches zero; at once if it is zero now.
    fn _listen(&self, py: Python<'_>, listener: Py<PyAny>) {
        let listener = Box::new(move || {
            // Whoever brings the count to zero calls `done` from Python, or runs a task: attached.
            Python::attach(|py| {
                errors::report(py, listener.call0(py).map(drop));
            });
        });
        if let Err(listener) = self.core.listen(listener) {
            let _ = py;
            listener();
        }
    }
}
