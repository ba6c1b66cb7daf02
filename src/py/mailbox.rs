//! How a coroutine waits: an event loop's mailbox, and the bell that is rung for one of the loop's coroutines.
//!
//! A coroutine stands in the same lines as a thread: of submitters, of those who wait for a future, a group, a
//! pool. Where a thread sleeps, it awaits a future of its event loop. To ring its [`Bell`] is to post that future to
//! the loop's mailbox. The first letter in an empty mailbox has the loop come for it, by `call_soon_threadsafe`,
//! which writes to a pipe; all that are posted until it comes share that one wake-up.
//!
//! The loop holds its mailbox, and the mailbox the loop only weakly: a loop that is dropped with letters in it is
//! garbage with all of them.

use std::{
    fmt, mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyException, PyKeyboardInterrupt, PyRuntimeError},
    prelude::*,
    types::{PyString, PyTuple, PyWeakrefMethods, PyWeakrefReference},
};

use super::{admission::Admission, ctrl_c, errors, interpreter, once::Once, parker::Parker};
use crate::core::{Waiter, sync::Mutex};

static IS_CLOSED: Once<Py<PyString>> = Once::new();
static CALL_SOON: Once<Py<PyString>> = Once::new();
static TOLD: Once<Py<PyString>> = Once::new();

/// To a coroutine: it is your turn.
struct Letter {
    /// What it awaits, a future of its loop.
    future: Py<PyAny>,
    /// That of a task that stood in line for a place.
    admission: Option<Py<Admission>>,
}

/// Who comes for the letters.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Comes {
    #[default]
    Nobody,
    /// The loop, which has been asked to.
    Loop,
    /// Whoever throws them away, for the loop is closed.
    Dustman,
}

/// What an event loop's mailbox holds.
#[derive(Default)]
struct Letters {
    posted: Vec<Letter>,
    comes: Comes,
}

/// An event loop's mailbox.
#[pyclass(frozen, name = "_Mailbox", module = "antspy._antspy")]
pub(super) struct Mailbox {
    event_loop: Py<PyWeakrefReference>,
    /// Nothing of Python is called or dropped under its lock.
    letters: Mutex<Letters>,
}

impl Mailbox {
    fn post(slf: &Bound<'_, Self>, letter: Letter) {
        let mut letters = slf.get().letters.lock();
        letters.posted.push(letter);
        let comes = letters.comes;
        if comes == Comes::Nobody {
            letters.comes = Comes::Loop;
        }
        drop(letters);
        match comes {
            Comes::Nobody => Self::call(slf),
            // It may have been closed since it was asked.
            Comes::Loop if slf.get().is_closed(slf.py()) => slf.get().throw_away(slf.py()),
            Comes::Loop | Comes::Dustman => {}
        }
    }

    /// Asks the loop to come. One that is closed or gone has nobody left to wake.
    fn call(slf: &Bound<'_, Self>) {
        let py = slf.py();
        let mut interrupted = false;
        // One for all attempts: an attempt that is given up must not drop it.
        let called = Errand::new(slf).and_then(|errand| {
            loop {
                match Self::try_call(slf, &errand) {
                    // Ctrl-C in this thread came in the midst of it. The letters come first.
                    Err(error) if error.is_instance_of::<PyKeyboardInterrupt>(py) => {
                        interrupted = true;
                    }
                    called => break called,
                }
            }
        });
        if let Err(error) = called {
            slf.get().throw_away(py);
            if !error.is_instance_of::<PyRuntimeError>(py) {
                errors::report(py, Err(error));
            }
        }
        if interrupted {
            ctrl_c::again(py);
        }
    }

    fn is_closed(&self, py: Python<'_>) -> bool {
        self.event_loop.bind(py).upgrade().is_none_or(|it| {
            let closed = it.call_method0(IS_CLOSED.name(py, "is_closed"));
            closed.and_then(|it| it.is_truthy()).unwrap_or(false)
        })
    }

    fn try_call(slf: &Bound<'_, Self>, errand: &Bound<'_, Errand>) -> PyResult<()> {
        let py = slf.py();
        let Some(event_loop) = slf.get().event_loop.bind(py).upgrade() else {
            return Err(PyRuntimeError::new_err("the event loop is gone"));
        };
        let call = event_loop.getattr(CALL_SOON.name(py, "call_soon_threadsafe"))?;
        let args = PyTuple::new(py, [errand])?;
        interpreter::call(py, &call.unbind(), &args, None).map(drop)
    }

    /// Nobody comes. A task that has come from a line has nobody to bring it in, nor to take its result: it is
    /// abandoned. That may make it the turn of the next in line, of the same loop. Its letter is then posted here, and
    /// thrown away after this one and not within it, however long the line is.
    fn throw_away(&self, py: Python<'_>) {
        loop {
            let mut letters = self.letters.lock();
            let posted = mem::take(&mut letters.posted);
            letters.comes = if posted.is_empty() {
                Comes::Nobody
            } else {
                Comes::Dustman
            };
            drop(letters);
            if posted.is_empty() {
                return;
            }
            for letter in posted {
                if let Some(admission) = &letter.admission {
                    admission.get().leave(py);
                }
            }
        }
    }

    /// Tells all whose turn it is. Called by the loop.
    fn deliver(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let mut posted = mem::take(&mut *slf.get().letters.lock()).posted.into_iter();
        while let Some(letter) = posted.next() {
            match letter.future.call_method0(py, TOLD.name(py, "_told")) {
                Ok(_) => {}
                Err(error) if error.is_instance_of::<PyException>(py) => {
                    errors::report(py, Err(error));
                }
                // Ctrl-C ends the loop, or this turn of it. The others are told when it goes on, and this one, too,
                // which may not have been: to be told twice is nothing.
                Err(error) => {
                    Self::post(slf, letter);
                    posted.for_each(|letter| Self::post(slf, letter));
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

#[pymethods]
impl Mailbox {
    #[new]
    fn new(event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            event_loop: PyWeakrefReference::new(event_loop)?.unbind(),
            letters: Mutex::new(Letters::default()),
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        // The collector must not wait; what it cannot see it takes for alive.
        if let Some(letters) = self.letters.try_lock() {
            for letter in &letters.posted {
                visit.call(&letter.future)?;
                visit.call(&letter.admission)?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        let letters = self.letters.try_lock().map(|mut it| mem::take(&mut *it));
        drop(letters);
    }
}

/// What the loop is asked to do: to come for the letters. A loop that is closed before it has come drops it, and
/// nobody else tells of that: the letters are thrown away then, and with them the places that they tell of.
#[pyclass(frozen, name = "_Errand", module = "antspy._antspy")]
pub(super) struct Errand {
    mailbox: Py<Mailbox>,
    /// Written once, by the loop; read by whoever drops it, which comes after.
    done: AtomicBool,
}

impl Errand {
    fn new<'py>(mailbox: &Bound<'py, Mailbox>) -> PyResult<Bound<'py, Self>> {
        let errand = Self {
            mailbox: mailbox.clone().unbind(),
            done: AtomicBool::new(false),
        };
        Bound::new(mailbox.py(), errand)
    }
}

#[pymethods]
impl Errand {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        self.done.store(true, Ordering::Relaxed);
        Mailbox::deliver(self.mailbox.bind(py))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.mailbox)
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        if *self.done.get_mut() {
            return;
        }
        // SAFETY: a Python object's end comes on a thread that is attached.
        let py = unsafe { Python::assume_attached() };
        errors::undisturbed(py, || self.mailbox.get().throw_away(py));
    }
}

/// One wait of a coroutine: what `_join` of whatever it waits for returns, for its `_leave`.
#[pyclass(frozen, name = "_Wait", module = "antspy._antspy")]
pub(super) struct Wait {
    waiter: Arc<Waiter<Parker>>,
    /// Whether what is waited for may have nobody else to do it: the loop runs in a worker of its pool.
    #[pyo3(get)]
    helps: bool,
}

impl Wait {
    /// A wait of `future`, one of the mailbox's loop: its `_told()` is called when its turn has come.
    pub(super) fn new(mailbox: &Bound<'_, Mailbox>, future: Py<PyAny>, helps: bool) -> Self {
        let waiter = Bell::silent().into_waiter();
        let wait = Self { waiter, helps };
        let admission = None;
        wait.listen(mailbox, Letter { future, admission });
        wait
    }

    /// The wait of a task that stands in line. `None`: it is its turn.
    pub(super) fn of(
        admission: &Bound<'_, Admission>,
        mailbox: &Bound<'_, Mailbox>,
        future: Py<PyAny>,
    ) -> Option<Self> {
        let wait = Self {
            waiter: admission.get().waiter().clone(),
            helps: false,
        };
        let admission = Some(admission.clone().unbind());
        let listens = wait.listen(mailbox, Letter { future, admission });
        listens.then_some(wait)
    }

    fn listen(&self, mailbox: &Bound<'_, Mailbox>, letter: Letter) -> bool {
        let bell = self.waiter.parker().bell();
        bell.is_some_and(|bell| bell.listen(mailbox.clone().unbind(), letter))
    }

    pub(super) fn waiter(&self) -> &Arc<Waiter<Parker>> {
        &self.waiter
    }

    /// The coroutine waits no more: its future is let go of.
    pub(super) fn forget(&self) {
        if let Some(bell) = self.waiter.parker().bell() {
            bell.forget();
        }
    }
}

enum State {
    /// Nobody listens yet, or any more.
    Silent,
    /// A letter is to be posted.
    Listening(Py<Mailbox>, Letter),
    Rung,
}

/// What wakes a coroutine, once.
pub(super) struct Bell(Mutex<State>);

impl Bell {
    /// Of a coroutine that stands in line before it knows whether it will wait.
    pub(super) fn silent() -> Self {
        Self(Mutex::new(State::Silent))
    }

    pub(super) fn into_waiter(self) -> Arc<Waiter<Parker>> {
        Arc::new(Waiter::new(Parker::Coroutine(self)))
    }

    /// Wakes whoever listens, or will. May be called by a thread that is not attached.
    pub(super) fn ring(&self) {
        let before = mem::replace(&mut *self.0.lock(), State::Rung);
        let mut before = Some(before);
        if let Some(State::Listening(..)) = before {
            interpreter::attach(|py| {
                if let Some(State::Listening(mailbox, letter)) = before.take() {
                    errors::undisturbed(py, || Mailbox::post(mailbox.bind(py), letter));
                }
            });
            mem::forget(before); // the interpreter is gone, and its objects with it
        }
    }

    /// Has `letter` posted when it is rung. `false`: it has been.
    fn listen(&self, mailbox: Py<Mailbox>, letter: Letter) -> bool {
        let mut state = self.0.lock();
        if matches!(*state, State::Rung) {
            return false; // the arguments are dropped after the lock
        }
        let before = mem::replace(&mut *state, State::Listening(mailbox, letter));
        drop(state);
        drop(before);
        true
    }

    /// Nobody listens any more. To be called attached.
    pub(super) fn forget(&self) {
        let mut state = self.0.lock();
        if matches!(*state, State::Rung) {
            return;
        }
        let before = mem::replace(&mut *state, State::Silent);
        drop(state);
        drop(before);
    }

    /// The collector must not wait; what it cannot see it takes for alive.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.0.try_lock().as_deref() {
            Some(State::Listening(mailbox, letter)) => {
                visit.call(mailbox)?;
                visit.call(&letter.future)?;
                visit.call(&letter.admission)
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bell")
    }
}
