//! The future: a `concurrent.futures.Future` whose state lives here.
//!
//! `antspy.Future` inherits from this class and from the standard one. The standard class's functions
//! (`wait`, `as_completed`, `asyncio.wrap_future`) reach for its private attributes; those are answered
//! from here (`future_compat.rs`). A `threading.Condition` is only made for whoever asks for it: most
//! futures never have one.

use std::{
    mem,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
};

use pyo3::{
    exceptions::{PyBaseException, PyRuntimeError},
    ffi,
    prelude::*,
    types::{PyList, PyString, PyTuple, PyType},
};

use super::{
    errors, fork, host::Host, interpreter, once::Once, parker::Parker, pool::Core, task::Call,
};
use crate::core::{Ending, Host as _, Verdict, Waiter, sync::Mutex};

/// What a pool's future holds until a worker takes it.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) call: Call,
    /// Told if the task ends before a worker takes it: its place is free then.
    pub(super) pool: Arc<Core>,
}

impl Work {
    /// Whether its deadline has passed: it is about to be cancelled.
    pub(super) fn is_late(&self) -> bool {
        let deadline = self.call.extras.as_ref().and_then(|it| it.deadline);
        deadline.is_some_and(|deadline| deadline <= self.pool.host().now())
    }
}

/// How far it is.
#[derive(Debug)]
pub(super) enum State {
    /// Not started. `None`: somebody else's, made by `Future()`.
    Pending(Option<Work>),
    Running,
    /// Cancelled, and those in `wait()` have not been told.
    Cancelled,
    CancelledAndNotified,
    Returned(Py<PyAny>),
    /// A pool's task raised it, and nobody has looked.
    Unseen(Box<Unseen>),
    Raised(Py<PyBaseException>),
}

/// An exception that goes to the pool's handler if the future ends before anybody has looked at it.
#[derive(Debug)]
pub(super) struct Unseen {
    pub(super) error: Py<PyBaseException>,
    pub(super) handler: Option<Py<PyAny>>,
    /// Whether the pool wants to be told.
    reported: bool,
}

impl Unseen {
    pub(super) fn new(py: Python<'_>, error: Py<PyBaseException>, host: &Host) -> Self {
        let hooks = host.hooks();
        let handler = hooks.exception_handler.as_ref();
        Self {
            error,
            handler: handler.map(|it| it.clone_ref(py)),
            reported: hooks.reports_unseen(),
        }
    }
}

impl State {
    pub(super) fn is_done(&self) -> bool {
        !matches!(self, Self::Pending(_) | Self::Running)
    }

    pub(super) fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled | Self::CancelledAndNotified)
    }
}

/// What most futures never have: those who wait for it, and a few rare things.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    pub(super) callbacks: Vec<Py<PyAny>>,
    /// Threads in `result()` or `exception()`, and coroutines.
    pub(super) blocked: Vec<Arc<Waiter<Parker>>>,
    /// `_condition`, once somebody has asked for it.
    pub(super) condition: Option<Py<PyAny>>,
    /// `_waiters`: the standard library's.
    pub(super) waiters: Option<Py<PyList>>,
    /// What its submitter called it.
    pub(super) name: Option<Py<PyString>>,
    /// What to raise in the task when it goes on: see `interrupt.rs`.
    pub(super) postponed: Option<Py<PyType>>,
    /// The pool that runs it, or has, if that has no workers.
    pub(super) alone: Weak<Core>,
}

/// Those who are told of its end.
struct Told {
    callbacks: Vec<Py<PyAny>>,
    blocked: Vec<Arc<Waiter<Parker>>>,
}

impl Hooks {
    fn told(&mut self) -> Told {
        Told {
            callbacks: mem::take(&mut self.callbacks),
            blocked: mem::take(&mut self.blocked),
        }
    }
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) state: State,
    pub(super) hooks: Option<Box<Hooks>>,
}

impl Inner {
    /// The pool, if it has no workers, and nobody has started the task.
    pub(super) fn alone(&self) -> Option<Arc<Core>> {
        match &self.state {
            State::Pending(Some(work)) if !work.pool.has_workers() => Some(work.pool.clone()),
            _ => None,
        }
    }

    pub(super) fn name(&self, py: Python<'_>) -> Option<Py<PyString>> {
        let name = self.hooks.as_ref()?.name.as_ref()?;
        Some(name.clone_ref(py))
    }
}

/// The base of `antspy.Future`.
#[pyclass(frozen, subclass, name = "_Future", module = "antspy._antspy")]
#[derive(Debug)]
pub(super) struct Future {
    /// No Python runs under it: what is taken out is dropped or called after it is released.
    pub(super) inner: Mutex<Inner>,
    /// Whether the garbage collector sees it. Set once, by whoever is first to give it something that may
    /// lead back to it; `Relaxed`, for it orders nothing but itself. See [`Future::track`].
    pub(super) tracked: AtomicBool,
    /// Whether it may hold an exception that nobody has looked at: so that the end of most futures takes no lock.
    /// Set before such an exception is put in, by whoever does; `Relaxed`, for it is read by whoever has the last
    /// reference, or by the collector.
    pub(super) raised: AtomicBool,
    /// In which process it was made: see `fork.rs`. Written when it is made, and by the only thread of a child.
    pub(super) forks: AtomicU32,
    /// Its task, while it runs: see `interrupt.rs`.
    pub(super) running: AtomicU64,
}

/// A future is about to end: an exception that nobody has looked at goes to the pool's handler.
///
/// As the class's `tp_finalize`, which the garbage collector calls for everything in a cycle before it takes
/// anything apart. From `tp_clear`, or when the future is dropped, this would come too late:
///
/// 1. A cycle leads from a future through its exception and the handler's closure back to the future.
/// 2. The collector clears the handler's closure, or the function's own globals.
/// 3. It clears the future, which calls the handler: a `NameError`, or a null pointer.
unsafe extern "C" fn finalize(future: *mut ffi::PyObject) {
    // SAFETY: called by the interpreter on an attached thread, with an instance of the registered class.
    let (py, future) = unsafe {
        let py = Python::assume_attached();
        let future = Borrowed::from_ptr(py, future).cast_unchecked::<Future>();
        (py, future)
    };
    if future.get().raised.load(Ordering::Relaxed) {
        future.get().report_unseen(py);
    }
}

/// `antspy.Future`.
static CLASS: Once<Py<PyType>> = Once::new();
static EMPTY: Once<Py<PyTuple>> = Once::new();

/// Says which class futures are made of. Called once, when the package is imported.
#[pyfunction]
pub(super) fn _register_future(py: Python<'_>, class: Bound<'_, PyType>) -> PyResult<()> {
    if !class.is_subclass_of::<Future>()? {
        let message = format!("class must be a subclass of _Future, not {class:?}");
        return Err(pyo3::exceptions::PyTypeError::new_err(message));
    }
    // SAFETY: attached, and the type has no instance yet.
    unsafe { (*class.as_type_ptr()).tp_finalize = Some(finalize) };
    CLASS.set(py, class.unbind());
    errors::exception_handler(py)?;
    Ok(())
}

impl Future {
    /// A future for `work`. Made by the class's `tp_new`, without a Python-level call.
    pub(super) fn pending(py: Python<'_>, work: Work) -> PyResult<Bound<'_, Self>> {
        let class = CLASS
            .get()
            .ok_or_else(|| PyRuntimeError::new_err("antspy has not been imported"))?
            .bind(py);
        let empty = EMPTY.get_or_init(py, || PyTuple::empty(py).unbind());
        let type_object = class.as_type_ptr();
        // SAFETY: a type object that is ready; a class that derives from `Future` has a `tp_new`, and
        // returns a new instance of itself or an error. So the cast holds.
        let future = unsafe {
            let new = (*type_object).tp_new.unwrap_unchecked();
            let future = new(type_object, empty.as_ptr(), std::ptr::null_mut());
            Bound::from_owned_ptr_or_err(py, future)?.cast_into_unchecked::<Self>()
        };
        let mut inner = future.get().inner.lock();
        if let Some(name) = work.call.extras.as_ref().and_then(|it| it.name()) {
            inner.hooks.get_or_insert_default().name = Some(name.clone_ref(py));
        }
        inner.state = State::Pending(Some(work));
        drop(inner);
        future.get().tracked.store(false, Ordering::Relaxed);
        // SAFETY: an object of a type with garbage collection, just made.
        unsafe { ffi::PyObject_GC_UnTrack(future.as_ptr().cast()) };
        Ok(future)
    }

    /// Shows the future to the garbage collector, if it has been hidden.
    ///
    /// A pool's future is hidden while the queue or a worker holds it, which keeps it alive in any case, and
    /// stays so if its result is nothing that a cycle can go through, such as a number or `None`. A list of
    /// 100,000 futures is then nothing to walk through again and again while it grows.
    pub(super) fn track(slf: &Bound<'_, Self>) {
        if !slf.get().tracked.swap(true, Ordering::Relaxed) {
            // SAFETY: attached; untracked by `pending`, and the flag lets one through.
            unsafe { ffi::PyObject_GC_Track(slf.as_ptr().cast()) };
        }
    }

    pub(super) fn track_for(slf: &Bound<'_, Self>, outcome: Option<&State>) {
        if let Some(State::Unseen(unseen)) = outcome
            && unseen.reported
        {
            slf.get().raised.store(true, Ordering::Relaxed);
        }
        let cyclic = match outcome {
            // SAFETY: attached, and the pointer is a live reference.
            Some(State::Returned(value)) => unsafe { ffi::PyObject_IS_GC(value.as_ptr()) != 0 },
            Some(State::Raised(_) | State::Unseen(_)) => true,
            _ => false,
        };
        if cyclic {
            Self::track(slf);
        }
    }

    /// A worker takes the call. `None`: the future has ended or been taken before.
    pub(super) fn claim(&self) -> Option<Call> {
        let mut inner = self.inner.lock();
        let State::Pending(work @ Some(_)) = &mut inner.state else {
            return None;
        };
        let work = work.take();
        inner.state = State::Running;
        drop(inner);
        work.map(|work| work.call)
    }

    /// In a forked child, a task of the parent's pool has no worker: its future fails here. What it holds is the
    /// parent's, and left alone.
    pub(super) fn settle_inherited(&self, py: Python<'_>) {
        let forks = fork::forks();
        if self.forks.load(Ordering::Relaxed) != forks {
            self.forks.store(forks, Ordering::Relaxed);
            let mut inner = self.inner.lock();
            if matches!(inner.state, State::Pending(Some(_)) | State::Running) {
                drop(inner);
                let error = errors::inherited(py).into_value(py);
                inner = self.inner.lock();
                mem::forget(mem::replace(&mut inner.state, State::Raised(error)));
            }
        }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        // Ended by `set_result`, or run by whoever waits for it, while it stood in the queue counts too: no
        // worker will take it.
        !matches!(self.inner.lock().state, State::Pending(Some(_)))
    }

    /// Whether telling the result takes no foreign code.
    pub(super) fn is_prompt(&self) -> bool {
        let inner = self.inner.lock();
        inner
            .hooks
            .as_ref()
            .is_none_or(|hooks| hooks.callbacks.is_empty() && hooks.condition.is_none())
    }

    /// The worker's end of it. `busy` is called before any foreign code runs.
    pub(super) fn finish(
        slf: &Bound<'_, Self>,
        result: Result<Py<PyAny>, Box<Unseen>>,
        busy: impl FnOnce(),
    ) {
        let mut busy = Some(busy);
        let mut outcome = Some(match result {
            Ok(value) => State::Returned(value),
            Err(unseen) => State::Unseen(unseen),
        });
        Self::track_for(slf, outcome.as_ref());
        let settled = Self::settle(slf, &mut busy, |state| {
            // A task that settles its own future wins.
            (!state.is_done()).then(|| mem::replace(state, outcome.take().expect("called once")))
        });
        // What was not used is dropped here, outside of the lock.
        drop((settled, outcome));
    }

    /// Ends a future whose task will never run. `false`: it had ended before.
    pub(super) fn discard(slf: &Bound<'_, Self>, host: &Host, why: &Ending) -> bool {
        let py = slf.py();
        let mut end = Some(match errors::ending(py, why) {
            None => State::CancelledAndNotified,
            Some(error) => State::Unseen(Box::new(Unseen::new(py, error.into_value(py), host))),
        });
        Self::track_for(slf, end.as_ref());
        let before = Self::settle(slf, &mut None::<fn()>, |state| {
            matches!(state, State::Pending(_))
                .then(|| mem::replace(state, end.take().expect("called once")))
        });
        before.is_some()
    }

    /// Changes the state by `change`, which returns the state before, or `None` to leave all as it is;
    /// then tells everybody. With a condition the change happens while it is held, as the standard
    /// library's functions expect.
    pub(super) fn settle(
        slf: &Bound<'_, Self>,
        busy: &mut Option<impl FnOnce()>,
        change: impl FnOnce(&mut State) -> Option<State>,
    ) -> Option<State> {
        let py = slf.py();
        let mut inner = slf.get().inner.lock();
        let condition = inner
            .hooks
            .as_ref()
            .and_then(|hooks| hooks.condition.as_ref().map(|it| it.clone_ref(py)));
        let Some(condition) = condition else {
            let before = change(&mut inner.state)?;
            let ended = inner.state.is_done();
            let told = inner.hooks.as_mut().filter(|_| ended).map(|it| it.told());
            drop(inner);
            if let Some(told) = told {
                Self::tell(slf, told, busy);
            }
            return Some(before);
        };
        drop(inner);
        if let Some(busy) = busy.take() {
            busy();
        }
        let held = condition.bind(py);
        errors::report(py, held.call_method0("acquire").map(drop));
        let mut inner = slf.get().inner.lock();
        let before = change(&mut inner.state);
        let ended = before.is_some() && inner.state.is_done();
        let hooks = inner.hooks.as_mut().filter(|_| ended);
        let waiters = hooks.as_ref().and_then(|it| it.waiters.as_ref());
        let waiters = waiters.map(|it| it.clone_ref(py));
        let told = hooks.map(|it| it.told());
        drop(inner);
        if told.is_some() {
            errors::report(py, Self::tell_condition(slf, held, waiters.as_ref()));
        }
        errors::report(py, held.call_method0("release").map(drop));
        if let Some(told) = told {
            Self::tell(slf, told, busy);
        }
        before
    }

    /// Tells the standard library's waiters. The condition is held.
    fn tell_condition(
        slf: &Bound<'_, Self>,
        condition: &Bound<'_, PyAny>,
        waiters: Option<&Py<PyList>>,
    ) -> PyResult<()> {
        let method = match slf.get().inner.lock().state {
            State::CancelledAndNotified => Some("add_cancelled"),
            State::Returned(_) => Some("add_result"),
            State::Raised(_) | State::Unseen(_) => Some("add_exception"),
            _ => None,
        };
        if let (Some(method), Some(waiters)) = (method, waiters) {
            for waiter in waiters.bind(slf.py()).iter() {
                waiter.call_method1(method, (slf,))?;
            }
        }
        condition.call_method0("notify_all").map(drop)
    }

    /// Wakes those who wait, then calls the callbacks.
    fn tell(slf: &Bound<'_, Self>, told: Told, busy: &mut Option<impl FnOnce()>) {
        for blocked in &told.blocked {
            blocked.decide(Verdict::Granted);
            blocked.wake();
        }
        if told.callbacks.is_empty() {
            return;
        }
        if let Some(busy) = busy.take() {
            busy();
        }
        for callback in told.callbacks {
            Self::call_back(slf, &callback);
        }
    }

    pub(super) fn call_back(slf: &Bound<'_, Self>, callback: &Py<PyAny>) {
        let py = slf.py();
        if let Err(error) = Self::call_with_itself(slf, callback) {
            errors::log_callback(py, slf.as_any(), error);
        }
    }

    pub(super) fn call_with_itself(slf: &Bound<'_, Self>, callback: &Py<PyAny>) -> PyResult<()> {
        let args = PyTuple::new(slf.py(), [slf])?;
        interpreter::call(slf.py(), callback, &args, None).map(drop)
    }

    /// What the task raised, for somebody who looks: it goes to no handler any more.
    pub(super) fn look(&self, py: Python<'_>) -> Option<Py<PyBaseException>> {
        let mut inner = self.inner.lock();
        match &inner.state {
            State::Raised(error) => Some(error.clone_ref(py)),
            State::Unseen(unseen) => {
                let seen = State::Raised(unseen.error.clone_ref(py));
                let before = mem::replace(&mut inner.state, seen);
                drop(inner);
                match before {
                    State::Unseen(unseen) => Some(unseen.error),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Ends a future from outside of the pool, by `outcome`.
    pub(super) fn set(slf: &Bound<'_, Self>, outcome: State) -> PyResult<()> {
        let mut outcome = Some(outcome);
        Self::track_for(slf, outcome.as_ref());
        let before = Self::settle(slf, &mut None::<fn()>, |state| {
            (!state.is_done()).then(|| mem::replace(state, outcome.take().expect("called once")))
        });
        drop(outcome);
        if let Some(before) = before {
            Self::give_back(slf.py(), before);
            return Ok(());
        }
        let state = super::future_compat::name(&slf.get().inner.lock().state);
        let message = format!("{state}: {}", slf.repr()?);
        Err(errors::invalid_state(slf.py(), message))
    }

    /// An exception that nobody has looked at goes to the pool's handler.
    fn report_unseen(&self, py: Python<'_>) {
        let mut inner = self.inner.lock();
        let State::Unseen(unseen) = &inner.state else {
            return;
        };
        // The handler may keep the exception, and its traceback may lead back here: the future stays whole.
        let seen = State::Raised(unseen.error.clone_ref(py));
        let before = mem::replace(&mut inner.state, seen);
        let name = inner.name(py);
        drop(inner);
        if let State::Unseen(unseen) = before {
            let Unseen { error, handler, .. } = *unseen;
            errors::undisturbed(py, || {
                errors::handle(py, handler.as_ref(), error, name.as_ref());
            });
        }
    }

    /// What was before its end was a place in a pool's queue: free now.
    pub(super) fn give_back(py: Python<'_>, before: State) {
        if let State::Pending(Some(Work { call, pool })) = before {
            drop(call);
            pool.cancelled(py);
        }
    }
}
