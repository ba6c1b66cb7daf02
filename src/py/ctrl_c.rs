//! Ctrl-C in a task that the main thread runs, as its submitter or because it waits for it. It ends the task, and is
//! meant for the main thread: it comes again when the task is over and told, and not before, for then it would be
//! raised in the code that tells.

use std::cell::Cell;

use pyo3::{exceptions::PyKeyboardInterrupt, ffi, prelude::*};

thread_local! {
    /// Whether one has ended a task of this thread, which is the main one.
    static NOTED: Cell<bool> = const { Cell::new(false) };
}

/// A task has raised `error`.
pub(super) fn note(py: Python<'_>, error: &PyErr) {
    if error.is_instance_of::<PyKeyboardInterrupt>(py) && is_main(py).unwrap_or(false) {
        NOTED.set(true);
    }
}

fn is_main(py: Python<'_>) -> PyResult<bool> {
    let threading = py.import("threading")?;
    let main = threading.call_method0("main_thread")?.getattr("ident")?;
    threading.call_method0("get_ident")?.eq(main)
}

/// A task that ran in the midst of other code is over.
pub(super) fn pass_on(py: Python<'_>) {
    if NOTED.take() {
        again(py);
    }
}

/// Has it come again.
pub(super) fn again(_attached: Python<'_>) {
    // SAFETY: attached, says the token.
    unsafe { ffi::PyErr_SetInterrupt() };
}
