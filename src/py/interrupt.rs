//! Interrupting a running task: an exception raised in its Python code from another thread, and never in any
//! other code that the same thread runs.
//!
//! `CPython` raises it in a thread, at the next bytecode, whatever that thread does by then. So a task is open to
//! interrupts from its start to the moment when its function has returned, and closing it clears what has not
//! been raised yet:
//!
//! 1. Somebody interrupts a task: the exception is pending in its worker's thread.
//! 2. The task's last bytecode has been run. Its function returns to this module without a look at it.
//! 3. [`Future::close`] finds the mark that the interrupter left, and has the exception raised where it does no
//!    harm: [`flush`].
//! 4. The next task on this worker starts with nothing pending.
//!
//! Without an interpreter lock 1. and 3. may happen at the same time; then the one waits for the other's mark.
//! While a task runs another in its midst (`core/nested.rs`) its own interrupts wait.

use std::{cell::Cell, ffi::c_ulong, ptr, sync::atomic::Ordering};

use pyo3::{ffi, prelude::*, types::PyType};

use super::{errors, future::Future, interpreter};

/// What the lowest bits of [`Future::running`] say; above them is the thread's ident. 0: the task is not running.
/// The task's thread opens and closes it, interrupters mark it, all by compare-and-swap; `AcqRel`, so that whoever
/// finds a mark sees what was done under it.
const OPEN: u64 = 0;
/// Somebody changes the thread's pending exception just now.
const TOUCHED: u64 = 1;
/// An exception has been made pending, and may have been raised since.
const INTERRUPTED: u64 = 2;
/// Another task runs in this one's midst.
const SUSPENDED: u64 = 3;

thread_local! {
    /// The future of the task that this thread runs, if it has one; it outlives the run.
    static CURRENT: Cell<*const Future> = const { Cell::new(ptr::null()) };
}

/// This thread's ident, shifted: 0 in the lowest bits is `OPEN`.
fn this_thread() -> u64 {
    // SAFETY: always callable.
    let ident = unsafe { ffi::PyThread_get_thread_ident() };
    #[allow(clippy::useless_conversion)] // `unsigned long` has 32 bits on Windows
    let ident = u64::from(ident);
    ident << 2
}

/// Makes `class` pending in the thread with that ident, in place of what is.
fn set_pending(word: u64, class: &Bound<'_, PyType>) {
    #[allow(clippy::cast_possible_truncation)] // it was a `c_ulong` in `this_thread`
    let ident = ((word >> 2) as c_ulong).cast_signed();
    // SAFETY: attached, says the reference to the class. An ident that is not there changes nothing.
    unsafe { ffi::PyThreadState_SetAsyncExc(ident, class.as_ptr()) };
}

/// Takes back what is pending in this thread, by having it raised and dropped.
///
/// `CPython` can be asked to forget it (a null exception), but up to 3.12 it then looks for one in every thread
/// for ever: at each chance it has, and, in 3.11, endlessly in one that is traced. And the flag that makes a thread
/// look is one for all threads: whoever raises its own puts it out. So another exception is made pending first,
/// which sets the flag again.
fn flush(py: Python<'_>) {
    if let Ok(class) = errors::task_interrupted(py) {
        set_pending(this_thread(), &class);
        drop(interpreter::checkpoint(py));
    }
}

impl Future {
    /// The task starts on this thread.
    #[inline]
    pub(super) fn open(&self) {
        self.running.store(this_thread(), Ordering::Release);
        CURRENT.set(ptr::from_ref(self));
    }

    /// Whether its function runs on this thread.
    pub(super) fn is_open_here(&self) -> bool {
        self.running.load(Ordering::Relaxed) & !3 == this_thread()
    }

    /// Its function has returned on this thread: nothing can be raised in it any more.
    #[inline]
    pub(super) fn close(&self, py: Python<'_>) {
        CURRENT.set(ptr::null());
        // Its own writing but for a mark: read without order, and compared.
        let word = self.running.load(Ordering::Relaxed);
        if word & 3 != OPEN || !self.swap(word, 0) {
            self.change(|mark| mark != TOUCHED, |_| 0);
            flush(py);
        }
    }

    /// Changes the word, once its mark is one of those wanted; returns the word before.
    fn change(&self, wanted: impl Fn(u64) -> bool, next: impl Fn(u64) -> u64) -> u64 {
        loop {
            let word = self.running.load(Ordering::Acquire);
            if wanted(word & 3) && self.swap(word, next(word)) {
                return word;
            }
            std::thread::yield_now();
        }
    }

    fn swap(&self, word: u64, next: u64) -> bool {
        let (done, failed) = (Ordering::AcqRel, Ordering::Acquire);
        self.running
            .compare_exchange(word, next, done, failed)
            .is_ok()
    }

    /// Raises `class` in the task, if it runs. Returns whether it did.
    pub(super) fn raise_in_task(&self, class: &Bound<'_, PyType>) -> bool {
        loop {
            let word = self.running.load(Ordering::Acquire);
            let mark = word & 3;
            if word == 0 {
                return false;
            }
            if mark == TOUCHED || !self.swap(word, word & !3 | TOUCHED) {
                std::thread::yield_now();
                continue;
            }
            let after = if mark == SUSPENDED {
                self.postpone(class.clone().unbind());
                SUSPENDED
            } else {
                set_pending(word, class);
                INTERRUPTED
            };
            self.running.store(word & !3 | after, Ordering::Release);
            return true;
        }
    }

    /// Another task begins in the midst of this one, on the same thread.
    fn suspend(&self, py: Python<'_>) {
        let before = self.change(|mark| mark != TOUCHED, |word| word & !3 | SUSPENDED);
        if before & 3 != INTERRUPTED {
            return;
        }
        // If the exception is still pending it is raised here, at the first bytecode there is, and again when
        // the task goes on. If it was not seen to be pending, rather none is raised than one in the wrong task.
        match interpreter::checkpoint(py) {
            Err(error) => self.postpone(error.get_type(py).unbind()),
            Ok(()) => flush(py),
        }
    }

    fn postpone(&self, class: Py<PyType>) {
        let mut inner = self.inner.lock();
        let before = inner.hooks.get_or_insert_default().postponed.replace(class);
        drop(inner);
        drop(before);
    }

    fn resume(&self, py: Python<'_>) {
        let before = self.change(|mark| mark == SUSPENDED, |word| word & !3 | TOUCHED);
        let postponed = {
            let mut inner = self.inner.lock();
            inner
                .hooks
                .as_mut()
                .and_then(|hooks| hooks.postponed.take())
        };
        let mark = match &postponed {
            Some(class) => {
                set_pending(before, class.bind(py));
                INTERRUPTED
            }
            None => OPEN,
        };
        self.running.store(before & !3 | mark, Ordering::Release);
    }
}

/// Runs `body`, which is another task, in the midst of the one that this thread runs.
pub(super) fn nest<R>(py: Python<'_>, body: impl FnOnce() -> R) -> R {
    let outer = CURRENT.replace(ptr::null());
    // SAFETY: null, or a future that its own run keeps alive; that run is further up on this thread's stack.
    let outer = unsafe { outer.as_ref() };
    if let Some(outer) = outer {
        outer.suspend(py);
    }
    let result = body();
    if let Some(outer) = outer {
        outer.resume(py);
        CURRENT.set(ptr::from_ref(outer));
    }
    result
}

/// What `interrupt(exc)` takes: a class, for `CPython` makes the exception itself, in the task's thread.
pub(super) fn exception_class<'py>(
    py: Python<'py>,
    exc: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyType>> {
    let Some(exc) = exc else {
        return errors::task_interrupted(py);
    };
    let class = exc.cast::<PyType>().ok().filter(|class| {
        class
            .is_subclass_of::<pyo3::exceptions::PyBaseException>()
            .unwrap_or(false)
    });
    class.cloned().ok_or_else(|| {
        let shown = super::arguments::shown(exc);
        let message = format!("exc must be an exception class, not {shown}");
        pyo3::exceptions::PyTypeError::new_err(message)
    })
}
