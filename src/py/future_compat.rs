//! The private attributes of `concurrent.futures.Future` that the standard library's own functions, and
//! its tests, reach for.

use std::mem;

use pyo3::{
    exceptions::{PyBaseException, PyValueError},
    prelude::*,
    types::PyList,
};

use super::future::{Future, State};

/// The standard library's name for it.
pub(super) fn name(state: &State) -> &'static str {
    match state {
        State::Pending(_) => "PENDING",
        State::Running => "RUNNING",
        State::Cancelled => "CANCELLED",
        State::CancelledAndNotified => "CANCELLED_AND_NOTIFIED",
        State::Returned(_) | State::Raised(_) | State::Unseen(_) => "FINISHED",
    }
}

#[pymethods]
impl Future {
    /// The standard library's own reads `_exception`, and who reads that has looked at it.
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let py = slf.py();
        let inner = slf.get().inner.lock();
        let state = match &inner.state {
            State::Cancelled | State::CancelledAndNotified => "cancelled".into(),
            state => name(state).to_lowercase(),
        };
        let outcome = match &inner.state {
            State::Returned(value) => Some(("returned", value.bind(py).get_type())),
            State::Unseen(unseen) => Some(("raised", unseen.error.bind(py).get_type())),
            State::Raised(error) => Some(("raised", error.bind(py).get_type())),
            _ => None,
        };
        drop(inner);
        let outcome = match outcome {
            Some((how, class)) => format!(" {how} {}", class.name()?),
            None => String::new(),
        };
        let class = slf.get_type();
        let (class, address) = (class.name()?, slf.as_ptr().addr());
        Ok(format!("<{class} at {address:#x} state={state}{outcome}>"))
    }

    #[getter]
    fn _state(&self) -> &'static str {
        name(&self.inner.lock().state)
    }

    /// For the standard library's tests, which put futures into a state by hand.
    #[setter(_state)]
    fn put_state(&self, py: Python<'_>, state: &str) -> PyResult<()> {
        let state = match state {
            "PENDING" => State::Pending(None),
            "RUNNING" => State::Running,
            "CANCELLED" => State::Cancelled,
            "CANCELLED_AND_NOTIFIED" => State::CancelledAndNotified,
            "FINISHED" => State::Returned(py.None()),
            other => {
                let message = format!("_state must be a state of a future, not {other:?}");
                return Err(PyValueError::new_err(message));
            }
        };
        let before = mem::replace(&mut self.inner.lock().state, state);
        Self::give_back(py, before);
        Ok(())
    }

    #[getter]
    fn _result(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        match &self.inner.lock().state {
            State::Returned(value) => Some(value.clone_ref(py)),
            _ => None,
        }
    }

    #[setter(_result)]
    fn put_result(slf: &Bound<'_, Self>, value: Option<Py<PyAny>>) {
        if let Some(value) = value {
            Self::track(slf);
            let before = mem::replace(&mut slf.get().inner.lock().state, State::Returned(value));
            Self::give_back(slf.py(), before);
        }
    }

    #[getter]
    fn _exception(&self, py: Python<'_>) -> Option<Py<PyBaseException>> {
        self.look(py)
    }

    #[setter(_exception)]
    fn put_exception(slf: &Bound<'_, Self>, exception: Option<Py<PyBaseException>>) {
        if let Some(error) = exception {
            Self::track(slf);
            let before = mem::replace(&mut slf.get().inner.lock().state, State::Raised(error));
            Self::give_back(slf.py(), before);
        }
    }

    /// Made for the first who asks: its existence is what makes the future's end be told through it.
    #[getter]
    fn _condition(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.settle_inherited(py);
        let has = |future: &Self| {
            let inner = future.inner.lock();
            let hooks = inner.hooks.as_ref()?;
            hooks.condition.as_ref().map(|it| it.clone_ref(py))
        };
        if let Some(condition) = has(self) {
            return Ok(condition);
        }
        self.run_alone(py)?;
        let made = py.import("threading")?.call_method0("Condition")?.unbind();
        let mut inner = self.inner.lock();
        let hooks = inner.hooks.get_or_insert_default();
        // Somebody may have been faster; then theirs is the one, and ours is dropped after the lock.
        let condition = hooks
            .condition
            .get_or_insert_with(|| made.clone_ref(py))
            .clone_ref(py);
        drop(inner);
        drop(made);
        Ok(condition)
    }

    /// The standard library's waiters; it changes this list while it holds the condition.
    #[getter]
    fn _waiters(&self, py: Python<'_>) -> Py<PyList> {
        let made = PyList::empty(py).unbind();
        let mut inner = self.inner.lock();
        let hooks = inner.hooks.get_or_insert_default();
        let waiters = hooks
            .waiters
            .get_or_insert_with(|| made.clone_ref(py))
            .clone_ref(py);
        drop(inner);
        drop(made);
        waiters
    }

    /// `(done, cancelled, result, exception)`, read at one moment.
    fn _get_snapshot(
        &self,
        py: Python<'_>,
    ) -> (bool, bool, Option<Py<PyAny>>, Option<Py<PyBaseException>>) {
        if let Some(error) = self.look(py) {
            return (true, false, None, Some(error));
        }
        let inner = self.inner.lock();
        match &inner.state {
            State::Cancelled | State::CancelledAndNotified => (true, true, None, None),
            State::Returned(value) => (true, false, Some(value.clone_ref(py)), None),
            _ => (false, false, None, None),
        }
    }
}
