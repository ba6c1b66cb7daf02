//! How a coroutine waits: an event loop's mailbox, and the bell that is rung for one of the loop's coroutines.
//!
//! A coroutine stands in the same lines as a thread: of submitters, of those who wait for a future, a group, a
//! pool. Where a thread sleeps, it awaits a future of its event loop. To ring its [`Bell`] is to post that future to
//! the loop's mailbox. The first letter in an empty mailbox has the loop come for it, by `call_soon_threadsafe`,
//! which writes to a pipe; all that are posted until it comes share that one wake-up.

use std::{fmt, mem, sync::Arc};

use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyException, PyKeyboardInterrupt, PyRuntimeError},
    intern,
    prelude::*,
    types::{PyTuple, PyWeakrefMethods, PyWeakrefReference},
};

use super::{errors, interpreter, parker::Parker, task::pass_on_interrupt};
use crate::core::{Waiter, sync::Mutex};

/// What an event loop's mailbox holds.
struct Letters {
    /// Futures of the loop, of those whose turn it is.
    futures: Vec<Py<PyAny>>,
    /// Whether the loop has been asked to come.
    called: bool,
}

struct Shared {
    /// The loop, weakly: its mailbox is kept as long as the loop is, and no longer.
    event_loop: Py<PyWeakrefReference>,
    /// Guards the letters for a few steps; nothing of Python is called or dropped under it.
    letters: Mutex<Letters>,
}

/// The future of an event loop that one coroutine awaits, and where to post it.
struct Letter {
    mailbox: Arc<Shared>,
    future: Py<PyAny>,
}

impl Letter {
    fn post(self, py: Python<'_>) {
        let Self { mailbox, future } = self;
        let mut letters = mailbox.letters.lock();
        letters.futures.push(future);
        let called = mem::replace(&mut letters.called, true);
        drop(letters);
        if !called {
            mailbox.call(py);
        }
    }
}

impl Shared {
    /// Asks the loop to come. One that is closed or gone has nobody left to wake.
    fn call(self: &Arc<Self>, py: Python<'_>) {
        let Err(error) = self.try_call(py) else {
            return;
        };
        if error.is_instance_of::<PyKeyboardInterrupt>(py) {
            // Ctrl-C in this thread came in the midst of it. It is passed on; the letters come first.
            errors::report(py, self.try_call(py));
            pass_on_interrupt(py, &error);
            return;
        }
        let undeliverable = mem::take(&mut self.letters.lock().futures);
        drop(undeliverable);
        if !error.is_instance_of::<PyRuntimeError>(py) {
            errors::report(py, Err(error));
        }
    }

    fn try_call(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let Some(event_loop) = self.event_loop.bind(py).upgrade() else {
            return Err(PyRuntimeError::new_err("the event loop is gone"));
        };
        let call = event_loop.getattr(intern!(py, "call_soon_threadsafe"))?;
        let mailbox = Mailbox {
            shared: self.clone(),
        };
        let deliver = Py::new(py, mailbox)?.getattr(py, intern!(py, "deliver"))?;
        let args = PyTuple::new(py, [deliver])?;
        interpreter::call(py, &call.unbind(), &args, None).map(drop)
    }
}

/// An event loop's mailbox.
#[pyclass(frozen, name = "_Mailbox", module = "antspy._antspy")]
pub(super) struct Mailbox {
    shared: Arc<Shared>,
}

#[pymethods]
impl Mailbox {
    #[new]
    fn new(event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        let shared = Shared {
            event_loop: PyWeakrefReference::new(event_loop)?.unbind(),
            letters: Mutex::new(Letters {
                futures: Vec::new(),
                called: false,
            }),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// A wait of `future`, one of this loop's: its `_told()` is called when its turn has come.
    fn wait(&self, future: Py<PyAny>) -> Wait {
        let letter = Letter {
            mailbox: self.shared.clone(),
            future,
        };
        Wait(Bell::new(State::Listening(letter)).into_waiter())
    }

    /// Tells all whose turn it is. Called by the loop.
    fn deliver(&self, py: Python<'_>) -> PyResult<()> {
        let futures = {
            let mut letters = self.shared.letters.lock();
            letters.called = false;
            mem::take(&mut letters.futures)
        };
        let mut futures = futures.into_iter();
        while let Some(future) = futures.next() {
            match future.call_method0(py, intern!(py, "_told")) {
                Ok(_) => {}
                Err(error) if error.is_instance_of::<PyException>(py) => {
                    errors::report(py, Err(error));
                }
                // Ctrl-C ends the loop, or this turn of it. The others are told when it goes on.
                Err(error) => {
                    for future in futures {
                        let mailbox = self.shared.clone();
                        Letter { mailbox, future }.post(py);
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

/// One wait of a coroutine, for `_join` and `_leave` of whatever it waits for.
#[pyclass(frozen, name = "_Wait", module = "antspy._antspy")]
pub(super) struct Wait(Arc<Waiter<Parker>>);

impl Wait {
    pub(super) fn waiter(&self) -> &Arc<Waiter<Parker>> {
        &self.0
    }
}

enum State {
    /// Nobody listens yet.
    Silent,
    Listening(Letter),
    Rung,
}

/// What wakes a coroutine, once.
pub(super) struct Bell(Mutex<State>);

impl Bell {
    fn new(state: State) -> Self {
        Self(Mutex::new(state))
    }

    /// Of a coroutine that stands in line before it knows whether it will wait.
    pub(super) fn silent() -> Self {
        Self::new(State::Silent)
    }

    pub(super) fn into_waiter(self) -> Arc<Waiter<Parker>> {
        Arc::new(Waiter::new(Parker::Coroutine(self)))
    }

    /// Wakes whoever listens, or will. May be called by a thread that is not attached.
    pub(super) fn ring(&self) {
        let before = mem::replace(&mut *self.0.lock(), State::Rung);
        let mut before = Some(before);
        if let Some(State::Listening(_)) = before {
            interpreter::attach(|py| {
                if let Some(State::Listening(letter)) = before.take() {
                    letter.post(py);
                }
            });
            mem::forget(before); // the interpreter is gone, and its objects with it
        }
    }

    /// Listens as `other` does, which no longer does. `false`: this one has been rung.
    pub(super) fn listen_for(&self, other: &Self) -> bool {
        let listening = other.hush();
        let mut state = self.0.lock();
        if matches!(*state, State::Rung) {
            return false; // what listened is dropped after the lock
        }
        let before = mem::replace(&mut *state, listening);
        drop(state);
        drop(before);
        true
    }

    /// Nobody listens any more; returns who did.
    fn hush(&self) -> State {
        let mut state = self.0.lock();
        match *state {
            State::Rung => State::Silent,
            _ => mem::replace(&mut *state, State::Silent),
        }
    }

    /// The coroutine waits no more. To be called attached.
    pub(super) fn forget(&self) {
        drop(self.hush());
    }

    /// The collector must not wait; what it cannot see it takes for alive.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.0.try_lock().as_deref() {
            Some(State::Listening(letter)) => visit.call(&letter.future),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bell")
    }
}
