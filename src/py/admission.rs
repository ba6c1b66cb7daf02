//! The admission of a task that a coroutine submits: it stands in line without blocking the coroutine's thread.

use std::{mem, sync::Arc, time::Instant};

use pyo3::{PyTraverseError, PyVisit, exceptions::PyRuntimeError, prelude::*};

use super::{
    errors, fork,
    future::{Future, Work},
    host::Host,
    mailbox::{Bell, Mailbox, Wait},
    order::Order,
    parker::Parker,
    pool::{self, Core},
    subpool::Quota,
    task::{Call, Task},
};
use crate::core::{Candidate, Cut, Entrance, Host as _, Terms, Turn, Verdict, Waiter, sync::Mutex};

/// In which line it stands.
enum Stage {
    /// That of a sub-pool.
    SubPool { call: Call, quota: Arc<Quota> },
    /// That of the pool.
    Pool {
        candidate: Arc<Candidate<Host>>,
        future: Py<Future>,
    },
    /// In none any more.
    Over,
}

/// A task on its way into a pool, handed in by a coroutine. In Python: `asubmit` waits for it and goes on.
#[pyclass(frozen, name = "_Admission", module = "antspy._antspy")]
pub(super) struct Admission {
    core: Arc<Core>,
    terms: Terms,
    waiter: Arc<Waiter<Parker>>,
    /// Taken out by whoever ends the wait; nothing of Python is called or dropped under the lock.
    stage: Mutex<Stage>,
    /// In which process it was made: see `fork.rs`.
    forks: u32,
}

impl Admission {
    /// Hands in a call. Returns its future, or an admission if it has to wait for a place.
    pub(super) fn begin<'py>(
        py: Python<'py>,
        core: &Arc<Core>,
        mut call: Call,
        order: Option<&Order>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(order) = order else {
            return Self::submit(py, core, Terms::default(), None, call);
        };
        let terms = order.apply(py, &mut call.extras, core.host().now());
        let Some(quota) = order.quota(core) else {
            return Self::submit(py, core, terms, None, call);
        };
        let waiter = Bell::silent().into_waiter();
        match core.begin_enter(&quota, &terms, &waiter, py) {
            Ok(Turn::Decided(entrance)) => Self::submit(py, core, terms, Some(entrance), call),
            Ok(Turn::InLine(())) => {
                let stage = Stage::SubPool { call, quota };
                Self::in_line(py, core, terms, waiter, stage)
            }
            Err(why) => Err(pool::not_entered(py, core, &quota, why)),
        }
    }

    /// Goes on to the pool, once it is past the entrance of a sub-pool.
    fn submit<'py>(
        py: Python<'py>,
        core: &Arc<Core>,
        terms: Terms,
        entrance: Option<Entrance<Host>>,
        call: Call,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut made = None;
        let task = pool::enter(py, core, entrance, call, |call| {
            let pool = core.clone();
            let future = Future::pending(py, Work { call, pool })?;
            let task = Task::Submit(future.clone().unbind());
            made = Some(future);
            Ok(task)
        })?;
        let future = made.ok_or_else(|| PyRuntimeError::new_err("a task without a future"))?;
        let Some(task) = task else {
            return Ok(future.into_any());
        };
        let waiter = || Bell::silent().into_waiter();
        match core.begin_submit(task, &terms, waiter, py) {
            Ok(Turn::Decided(())) => Ok(future.into_any()),
            Ok(Turn::InLine(candidate)) => {
                let waiter = candidate.waiter().clone();
                let future = future.unbind();
                let stage = Stage::Pool { candidate, future };
                Self::in_line(py, core, terms, waiter, stage)
            }
            Err(refused) => Err(pool::not_accepted(py, core, *refused)),
        }
    }

    fn in_line<'py>(
        py: Python<'py>,
        core: &Arc<Core>,
        terms: Terms,
        waiter: Arc<Waiter<Parker>>,
        stage: Stage,
    ) -> PyResult<Bound<'py, PyAny>> {
        let admission = Self {
            core: core.clone(),
            terms,
            waiter,
            stage: Mutex::new(stage),
            forks: fork::forks(),
        };
        Ok(Bound::new(py, admission)?.into_any())
    }

    /// Out of its line, for whoever ends the wait: nobody is told any more.
    fn take(&self) -> Stage {
        if let Some(bell) = self.waiter.parker().bell() {
            bell.forget();
        }
        mem::replace(&mut *self.stage.lock(), Stage::Over)
    }

    /// The wait is over: it has been told, or its time is up. Returns the future, or an admission that stands in the
    /// next line.
    fn end<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if self.is_inherited() {
            return Err(errors::inherited(py));
        }
        match self.take() {
            Stage::Over => Err(PyRuntimeError::new_err("the admission is over")),
            Stage::SubPool { call, quota } => {
                let outcome = match self.waiter.verdict() {
                    Verdict::None => Err(Cut::TimedOut),
                    told => Ok(told),
                };
                let entered = self.core.end_enter(&quota, &self.waiter, outcome);
                let entrance =
                    entered.map_err(|why| pool::not_entered(py, &self.core, &quota, why))?;
                Self::submit(py, &self.core, self.terms, Some(entrance), call)
            }
            Stage::Pool { candidate, future } => {
                let ended = self.core.end_submit(&candidate, Cut::TimedOut);
                ended.map_err(|refused| pool::not_accepted(py, &self.core, *refused))?;
                Ok(future.into_bound(py).into_any())
            }
        }
    }

    pub(super) fn waiter(&self) -> &Arc<Waiter<Parker>> {
        &self.waiter
    }

    /// Nobody waits any more: the task is not accepted; or cancelled, if it has gone in meanwhile.
    pub(super) fn leave(&self, py: Python<'_>) {
        if self.is_inherited() {
            return;
        }
        let cut = Cut::Interrupted(errors::cancelled(py));
        match self.take() {
            Stage::Over => {}
            Stage::SubPool { call, quota } => {
                drop(self.core.end_enter(&quota, &self.waiter, Err(cut)));
                self.core.count_refusal();
                drop(call);
            }
            Stage::Pool { candidate, future } => match self.core.end_submit(&candidate, cut) {
                Ok(()) => drop(Future::cancel(future.bind(py))),
                Err(refused) => drop(refused),
            },
        }
    }

    /// Whether this is a forked child: it stands in a line of the parent's.
    fn is_inherited(&self) -> bool {
        self.forks != fork::forks()
    }
}

#[pymethods]
impl Admission {
    /// Has the coroutine told when it is its turn, by `told`, a future of its loop. `None`: it is.
    fn _join(slf: &Bound<'_, Self>, mailbox: &Bound<'_, Mailbox>, told: Py<PyAny>) -> Option<Wait> {
        Wait::of(slf, mailbox, told)
    }

    /// The coroutine is not to be told any more; the task still stands in line.
    #[allow(clippy::unused_self, reason = "the wait is its own")]
    fn _leave(&self, wait: &Bound<'_, Wait>) {
        wait.get().forget();
    }

    /// The task leaves the line: it is not accepted.
    fn abandon(&self, py: Python<'_>) {
        self.leave(py);
    }

    /// Seconds that it may stand in line; `None`: as long as it takes.
    #[getter]
    fn seconds(&self) -> Option<f64> {
        let until = self.terms.place_by(self.core.host())?;
        let left = until.saturating_duration_since(Instant::now());
        Some(left.as_secs_f64())
    }

    /// Whether its turn has come.
    #[getter]
    fn ready(&self) -> bool {
        self.waiter.verdict() != Verdict::None
    }

    /// Its turn has come, or its time is up. Returns the future, or an admission that stands in the next line.
    fn proceed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.end(py)
    }

    /// The bell is none of the collector's business: who stands in line is alive, and who leaves it is forgotten there.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // The collector must not wait; what it cannot see it takes for alive.
        match self.stage.try_lock().as_deref() {
            Some(Stage::SubPool { call, .. }) => call.traverse(visit),
            Some(Stage::Pool { future, .. }) => visit.call(future),
            _ => Ok(()),
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.is_inherited() {
            // What it holds is the parent's, and left alone.
            mem::forget(mem::replace(self.stage.get_mut(), Stage::Over));
            return;
        }
        // SAFETY: a Python object's end comes on a thread that is attached.
        let py = unsafe { Python::assume_attached() };
        errors::undisturbed(py, || self.leave(py));
    }
}
