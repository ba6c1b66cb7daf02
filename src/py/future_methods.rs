//! The future's public methods, and what the garbage collector asks of it.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64},
    },
    time::{Duration, Instant},
};

use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyBaseException, PyException, PyRuntimeError, PyTimeoutError},
    ffi,
    prelude::*,
    types::{PyString, PyTuple, PyType},
};

use super::{
    arguments, errors, fork,
    future::{Future, Inner, State},
    host::{Host, LOOK_AGAIN},
    interrupt,
    mailbox::{Mailbox, Wait},
    parker::Parker,
    pool::Core,
    stack,
    task::Task,
};
use crate::core::{Cut, Waiter, sync::Mutex};

/// What somebody who would wait for a future finds.
enum Line {
    /// It has ended.
    Ended,
    /// Others end it, and tell.
    Stands,
    /// Only this thread could: by this pool's tasks, if at all.
    Alone(Arc<Core>),
}

/// Waiting for a future.
impl Future {
    /// The pool, if this thread is one of its workers, and nobody has started the task.
    fn may_help(&self) -> Option<Arc<Core>> {
        match &self.inner.lock().state {
            State::Pending(Some(work)) if work.pool.has_this_worker() && !work.is_late() => {
                Some(work.pool.clone())
            }
            _ => None,
        }
    }

    /// Has the task run, or ended, before somebody waits for it who cannot run it: the standard library, or a
    /// coroutine.
    pub(super) fn run_alone(&self, py: Python<'_>) -> PyResult<()> {
        let alone = || self.inner.lock().alone();
        let Some(pool) = alone() else { return Ok(()) };
        pool.step_until(|| alone().is_none(), true, py).map(drop)
    }

    /// A worker of the same pool runs a task that it would wait for, and that nobody has started. Where it is
    /// `reluctant`, only if nobody else can; then this returns whether to look again: nobody tells a worker that waits
    /// that the last of the others waits, too.
    #[cold]
    fn help(slf: &Bound<'_, Self>, reluctant: impl FnOnce(&Core) -> bool) -> PyResult<bool> {
        let Some(pool) = slf.get().may_help() else {
            return Ok(false);
        };
        if reluctant(&pool) && pool.has_others() {
            return Ok(true);
        }
        if stack::is_low() {
            return Err(errors::too_deep());
        }
        pool.run_waited(Task::Submit(slf.clone().unbind()), slf.py());
        Ok(false)
    }

    /// Sleeps until it is done; an error if that takes longer than `timeout`.
    fn join(slf: &Bound<'_, Self>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let (future, py) = (slf.get(), slf.py());
        if future.inner.lock().state.is_done() {
            return Ok(());
        }
        future.settle_inherited(py);
        let timeout = arguments::lenient_timeout(timeout)?;
        let deadline = timeout.deadline();
        loop {
            // The standard library's tasks never run in the midst of others: see `ThreadPoolExecutor`.
            let again = timeout.0 != Some(Duration::ZERO)
                && Self::help(slf, |pool| pool.host().hooks().stands_in)?;
            let look = again.then(|| Instant::now() + LOOK_AGAIN);
            let until = look.into_iter().chain(deadline).min();
            let waiter = Arc::new(Waiter::default());
            let told = match future.line_up(waiter.clone()) {
                Line::Ended => return Ok(()),
                Line::Stands => waiter.wait::<Host>(py, until),
                Line::Alone(pool) => pool.wait_with(&waiter, py, until),
            };
            let Err(cut) = told else {
                return Ok(());
            };
            let done = future.leave(&waiter);
            match cut {
                Cut::Interrupted(error) => return Err(error),
                Cut::TimedOut if done => return Ok(()),
                Cut::TimedOut if until == deadline => return Err(PyTimeoutError::new_err(())),
                Cut::TimedOut => {}
            }
        }
    }

    /// Has `waiter` told of the end, unless that was before.
    fn line_up(&self, waiter: Arc<Waiter<Parker>>) -> Line {
        let mut inner = self.inner.lock();
        if inner.state.is_done() {
            return Line::Ended;
        }
        let inner = &mut *inner;
        let hooks = inner.hooks.get_or_insert_default();
        hooks.blocked.push(waiter);
        let alone = match &inner.state {
            // It runs further up on this thread's stack: it does not end before this wait.
            State::Running if self.is_open_here() => hooks.alone.upgrade(),
            _ => inner.alone(),
        };
        alone.map_or(Line::Stands, Line::Alone)
    }

    /// `waiter` waits no more. Returns whether the future has ended.
    fn leave(&self, waiter: &Arc<Waiter<Parker>>) -> bool {
        let mut inner = self.inner.lock();
        if let Some(hooks) = &mut inner.hooks {
            hooks.blocked.retain(|other| !Arc::ptr_eq(other, waiter));
        }
        inner.state.is_done()
    }
}

#[pymethods]
impl Future {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, pyo3::types::PyDict>>) -> Self {
        Self {
            inner: Mutex::new(Inner {
                state: State::Pending(None),
                hooks: None,
            }),
            tracked: AtomicBool::new(true),
            raised: AtomicBool::new(false),
            forks: AtomicU32::new(fork::forks()),
            running: AtomicU64::new(0),
        }
    }

    /// An attribute may lead back to the future.
    fn __setattr__(
        slf: &Bound<'_, Self>,
        name: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        Self::track(slf);
        // SAFETY: attached; what `object` itself does.
        let set =
            unsafe { ffi::PyObject_GenericSetAttr(slf.as_ptr(), name.as_ptr(), value.as_ptr()) };
        (set == 0)
            .then_some(())
            .ok_or_else(|| PyErr::fetch(slf.py()))
    }

    #[classmethod]
    fn __class_getitem__<'py>(
        class: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let types = class.py().import("types")?;
        types.getattr("GenericAlias")?.call1((class, item))
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyAny>) -> PyResult<()> {
        // SAFETY: attached; what `object` itself does.
        let set = unsafe {
            ffi::PyObject_GenericSetAttr(slf.as_ptr(), name.as_ptr(), std::ptr::null_mut())
        };
        (set == 0)
            .then_some(())
            .ok_or_else(|| PyErr::fetch(slf.py()))
    }

    #[doc = doc!("_Future.cancel")]
    pub(super) fn cancel(slf: &Bound<'_, Self>) -> bool {
        slf.get().settle_inherited(slf.py());
        // Those in `wait()` are told at once about a pool's task; a future of one's own tells them in
        // `set_running_or_notify_cancel`.
        let before = Self::settle(slf, &mut None::<fn()>, |state| match state {
            State::Pending(Some(_)) => Some(mem::replace(state, State::CancelledAndNotified)),
            State::Pending(None) => Some(mem::replace(state, State::Cancelled)),
            _ => None,
        });
        match before {
            Some(before) => {
                Self::give_back(slf.py(), before);
                true
            }
            None => slf.get().inner.lock().state.is_cancelled(),
        }
    }

    #[doc = doc!("_Future.cancelled")]
    fn cancelled(&self) -> bool {
        self.inner.lock().state.is_cancelled()
    }

    #[doc = doc!("_Future.running")]
    fn running(&self, py: Python<'_>) -> bool {
        self.settle_inherited(py);
        matches!(self.inner.lock().state, State::Running)
    }

    #[doc = doc!("_Future.done")]
    fn done(&self, py: Python<'_>) -> bool {
        self.settle_inherited(py);
        self.inner.lock().state.is_done()
    }

    #[doc = doc!("_Future.result")]
    #[pyo3(signature = (timeout = None))]
    fn result(slf: &Bound<'_, Self>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        Self::join(slf, timeout)?;
        let (future, py) = (slf.get(), slf.py());
        if let State::Returned(value) = &future.inner.lock().state {
            return Ok(value.clone_ref(py));
        }
        Err(future.look(py).map_or_else(
            || errors::cancelled(py),
            |error| PyErr::from_value(error.into_bound(py).into_any()),
        ))
    }

    #[doc = doc!("_Future.exception")]
    #[pyo3(signature = (timeout = None))]
    fn exception(
        slf: &Bound<'_, Self>,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<Py<PyBaseException>>> {
        Self::join(slf, timeout)?;
        let (future, py) = (slf.get(), slf.py());
        if matches!(future.inner.lock().state, State::Returned(_)) {
            return Ok(None);
        }
        match future.look(py) {
            Some(error) => Ok(Some(error)),
            None => Err(errors::cancelled(py)),
        }
    }

    #[doc = doc!("_Future.interrupt")]
    #[pyo3(signature = (exc = None))]
    fn interrupt(&self, py: Python<'_>, exc: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
        let class = interrupt::exception_class(py, exc)?;
        // In a forked child the ident may be that of another thread.
        self.settle_inherited(py);
        if self.inner.lock().state.is_done() {
            return Ok(false);
        }
        Ok(self.raise_in_task(&class))
    }

    /// Has a coroutine told of the future's end, by `told`, a future of its loop. `None`: it has ended.
    fn _join(&self, mailbox: &Bound<'_, Mailbox>, told: Py<PyAny>) -> PyResult<Option<Wait>> {
        self.run_alone(mailbox.py())?;
        if self.inner.lock().state.is_done() {
            return Ok(None);
        }
        self.settle_inherited(mailbox.py());
        let wait = Wait::new(mailbox, told, self.may_help().is_some());
        let line = self.line_up(wait.waiter().clone());
        Ok((!matches!(line, Line::Ended)).then_some(wait))
    }

    /// A coroutine waits no more.
    fn _leave(&self, wait: &Bound<'_, Wait>) {
        self.leave(wait.get().waiter());
        wait.get().forget();
    }

    /// In a loop that a worker runs there may be nobody else to run the task. Returns whether to look again.
    fn _help(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Self::help(slf, |_| true)
    }

    #[doc = doc!("_Future.name")]
    #[getter]
    fn name(&self, py: Python<'_>) -> Option<Py<PyString>> {
        self.inner.lock().name(py)
    }

    #[doc = doc!("_Future.add_done_callback")]
    fn add_done_callback(slf: &Bound<'_, Self>, r#fn: Bound<'_, PyAny>) -> PyResult<()> {
        let callback = r#fn.unbind();
        slf.get().settle_inherited(slf.py());
        let mut inner = slf.get().inner.lock();
        if !inner.state.is_done() {
            let hooks = inner.hooks.get_or_insert_default();
            hooks.callbacks.push(callback);
            return Ok(());
        }
        drop(inner);
        // In the caller's own thread: an exit or a Ctrl-C is the caller's.
        let py = slf.py();
        match Self::call_with_itself(slf, &callback) {
            Err(error) if error.is_instance_of::<PyException>(py) => {
                errors::log_callback(py, slf.as_any(), error);
                Ok(())
            }
            called => called,
        }
    }

    #[doc = doc!("_Future.set_running_or_notify_cancel")]
    fn set_running_or_notify_cancel(slf: &Bound<'_, Self>) -> PyResult<bool> {
        let mut misused = false;
        let before = Self::settle(slf, &mut None::<fn()>, |state| match state {
            State::Pending(_) => Some(mem::replace(state, State::Running)),
            State::Cancelled => Some(mem::replace(state, State::CancelledAndNotified)),
            _ => {
                misused = true;
                None
            }
        });
        if misused {
            let state = super::future_compat::name(&slf.get().inner.lock().state);
            errors::log_unexpected_state(slf.py(), slf.as_any(), state);
            return Err(PyRuntimeError::new_err("Future in unexpected state"));
        }
        let running = matches!(before, Some(State::Pending(_)));
        if let Some(before) = before {
            Self::give_back(slf.py(), before);
        }
        Ok(running)
    }

    #[doc = doc!("_Future.set_result")]
    fn set_result(slf: &Bound<'_, Self>, result: Py<PyAny>) -> PyResult<()> {
        Self::set(slf, State::Returned(result))
    }

    #[doc = doc!("_Future.set_exception")]
    fn set_exception(slf: &Bound<'_, Self>, exception: Bound<'_, PyAny>) -> PyResult<()> {
        // As in the standard library, `None` ends it without a result.
        if exception.is_none() {
            return Self::set(slf, State::Returned(exception.unbind()));
        }
        let error = PyErr::from_value(exception).into_value(slf.py());
        Self::set(slf, State::Raised(error))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // The collector must not wait; what it cannot see it takes for alive.
        let Some(inner) = self.inner.try_lock() else {
            return Ok(());
        };
        match &inner.state {
            State::Pending(Some(work)) => work.call.traverse(visit)?,
            State::Returned(value) => visit.call(value)?,
            State::Raised(error) => visit.call(error)?,
            State::Unseen(unseen) => {
                visit.call(&unseen.error)?;
                visit.call(&unseen.handler)?;
            }
            _ => {}
        }
        if let Some(hooks) = &inner.hooks {
            for callback in &hooks.callbacks {
                visit.call(callback)?;
            }
            for bell in hooks.blocked.iter().filter_map(|it| it.parker().bell()) {
                bell.traverse(&visit)?;
            }
            visit.call(&hooks.condition)?;
            visit.call(&hooks.waiters)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let Some(mut inner) = self.inner.try_lock() else {
            return;
        };
        let state = mem::replace(&mut inner.state, State::CancelledAndNotified);
        let hooks = inner.hooks.take();
        drop(inner);
        drop((state, hooks));
    }
}
