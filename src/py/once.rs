//! What is made once in a process, when it is first needed: a class, a function that was imported.
//!
//! Not by PyO3's `PyOnceLock`, nor its `intern!`, which lets go of the interpreter before it makes the value:
//!
//! 1. A thread is about to make the value. It lets go of the interpreter, to take hold of it again.
//! 2. Another has it meanwhile, and forks the process. In the child the first thread is not there.
//! 3. The child needs the value, and waits for ever for the thread that makes it.
//!
//! Here the value is made first, and kept if nobody was faster, which takes a moment in which nobody else has the
//! interpreter.

use std::sync::OnceLock;

use pyo3::{
    prelude::*,
    types::{PyString, PyType},
};

/// A value that is made once.
pub(super) struct Once<T>(OnceLock<T>);

impl<T> Once<T> {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }

    pub(super) fn get(&self) -> Option<&T> {
        self.0.get()
    }

    /// Keeps it, unless there is one.
    pub(super) fn set(&self, _attached: Python<'_>, value: T) {
        // Else it is dropped here, attached.
        drop(self.0.set(value));
    }

    #[inline]
    pub(super) fn get_or_init(&self, py: Python<'_>, make: impl FnOnce() -> T) -> &T {
        if let Some(found) = self.0.get() {
            return found;
        }
        self.set(py, make());
        self.0.get_or_init(|| unreachable!("set above"))
    }

    /// # Errors
    /// What `make` has raised; the next call tries again.
    #[inline]
    pub(super) fn get_or_try_init(
        &self,
        py: Python<'_>,
        make: impl FnOnce() -> PyResult<T>,
    ) -> PyResult<&T> {
        if let Some(found) = self.0.get() {
            return Ok(found);
        }
        let value = make()?;
        Ok(self.get_or_init(py, || value))
    }
}

impl Once<Py<PyString>> {
    /// The name of an attribute.
    pub(super) fn name<'py>(&self, py: Python<'py>, text: &str) -> &Bound<'py, PyString> {
        self.get_or_init(py, || PyString::intern(py, text).unbind())
            .bind(py)
    }
}

impl Once<Py<PyType>> {
    /// The class of this name.
    ///
    /// # Errors
    /// What the import has raised.
    pub(super) fn import<'py>(
        &self,
        py: Python<'py>,
        module: &str,
        name: &str,
    ) -> PyResult<&Bound<'py, PyType>> {
        let find = || {
            Ok(py
                .import(module)?
                .getattr(name)?
                .cast_into::<PyType>()?
                .unbind())
        };
        Ok(self.get_or_try_init(py, find)?.bind(py))
    }
}
