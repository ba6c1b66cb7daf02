//! The context in which a task runs: a copy of its submitter's (`contextvars`).

use pyo3::{PyTraverseError, PyVisit, ffi, prelude::*};

/// A copy of the current context.
///
/// It is hidden from the garbage collector while a task waits with it: a young collection comes every 700
/// new objects, and with a thousand queued contexts to look at it costs more than running their tasks. Nobody
/// else gets hold of the copy until its task runs, and it is shown again when this is dropped.
#[derive(Debug)]
pub(super) struct Context(Py<PyAny>);

impl Context {
    pub(super) fn copy_current(py: Python<'_>) -> PyResult<Self> {
        // SAFETY: attached; returns a new reference or an error.
        let copy = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent())? };
        // SAFETY: an object of a type with garbage collection; its owner may untrack it.
        unsafe { ffi::PyObject_GC_UnTrack(copy.as_ptr().cast()) };
        Ok(Self(copy.unbind()))
    }

    /// Runs `body` in it. It has not been entered before: it is a fresh copy.
    pub(super) fn run<R>(&self, py: Python<'_>, body: impl FnOnce() -> R) -> R {
        // SAFETY: attached, and it is a context.
        unsafe { ffi::PyContext_Enter(self.0.as_ptr()) };
        let result = body();
        // SAFETY: as above. If the task has entered another context and left it open, this fails, and
        // the thread state keeps what the task has made of it, as for any Python thread.
        if unsafe { ffi::PyContext_Exit(self.0.as_ptr()) } != 0 {
            drop(PyErr::take(py));
        }
        result
    }

    pub(super) fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: untracked by `copy_current`, and by nobody tracked since. Its deallocation, which
        // follows, takes a tracked object for granted.
        unsafe { ffi::PyObject_GC_Track(self.0.as_ptr().cast()) };
    }
}
