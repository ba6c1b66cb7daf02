//! Python as the host of the core: how a worker's thread enters it, and how it lets go of it.

use std::mem::ManuallyDrop;

use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyTuple};

use super::{errors, interpreter, parker::Parker, task::Task};
use crate::core;

/// The Python objects that a pool was made with.
#[derive(Debug)]
pub(super) struct Hooks {
    /// What `invoke` calls.
    pub(super) function: Option<Py<PyAny>>,
    pub(super) exception_handler: Option<Py<PyAny>>,
    pub(super) initializer: Option<Py<PyAny>>,
    pub(super) initargs: Py<PyTuple>,
}

/// A pool's host. Its last owner may be a worker that has left the interpreter, so the hooks are dropped
/// by hand.
#[derive(Debug)]
pub(super) struct Host {
    hooks: ManuallyDrop<Hooks>,
}

impl Host {
    pub(super) fn new(hooks: Hooks) -> Self {
        Self {
            hooks: ManuallyDrop::new(hooks),
        }
    }

    pub(super) fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    /// An exception that nobody waits for goes to the pool's handler. Nothing leaves this function.
    pub(super) fn handle(&self, py: Python<'_>, error: PyErr) {
        let handler = self.hooks.exception_handler.as_ref();
        errors::handle(py, handler, error);
    }

    fn initialize(&self, py: Python<'_>) -> Result<(), core::Fault> {
        let Some(initializer) = &self.hooks.initializer else {
            return Ok(());
        };
        let initargs = self.hooks.initargs.bind(py);
        match interpreter::call(py, initializer, initargs, None) {
            Ok(_) => Ok(()),
            Err(error) => {
                let text = format!(
                    "A thread initializer failed, the thread pool is not usable anymore: {error}"
                );
                errors::log_initializer(py, error);
                Err(core::Fault(text.into()))
            }
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // SAFETY: not used again. If the interpreter is gone, so are the objects: they are left alone.
        let hooks = unsafe { ManuallyDrop::take(&mut self.hooks) };
        let mut hooks = Some(hooks);
        interpreter::attach(|_| drop(hooks.take()));
        std::mem::forget(hooks);
    }
}

impl core::Host for Host {
    type Task = Task;
    type Parker = Parker;
    type Scope<'s> = Python<'s>;
    type Interrupt = PyErr;

    fn enter(&self, worker: &str, body: impl FnOnce(Python<'_>, Result<(), core::Fault>)) {
        block_signals();
        // Once for the thread's whole life: a thread state made for each task would end
        // `threading.local` with it.
        interpreter::attach(|py| {
            errors::report(py, register(py, worker));
            let fit = self.initialize(py);
            body(py, fit);
            errors::report(py, unregister(py));
        });
    }

    fn block<R>(py: Python<'_>, wait: impl FnOnce() -> R) -> R {
        interpreter::detached(py, wait)
    }

    fn interrupted(py: Python<'_>) -> PyResult<()> {
        py.check_signals()
    }
}

/// Makes the thread known to `threading` by its name, and installs the hooks of debuggers and coverage.
fn register(py: Python<'_>, name: &str) -> PyResult<()> {
    let module = py.import("antspy.worker")?;
    let register = module.getattr("register")?.unbind();
    let name = PyTuple::new(py, [name])?;
    interpreter::call(py, &register, &name, None).map(drop)
}

fn unregister(py: Python<'_>) -> PyResult<()> {
    let module = py.import("antspy.worker")?;
    let unregister = module.getattr("unregister")?.unbind();
    interpreter::call(py, &unregister, &PyTuple::empty(py), None).map(drop)
}

/// A signal that a worker took could not be handled there, and would not wake the main thread.
#[cfg(unix)]
fn block_signals() {
    // SAFETY: an all-set signal mask, made and read by libc itself.
    unsafe {
        let mut all = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, std::ptr::null_mut());
    }
}

#[cfg(not(unix))]
fn block_signals() {}

/// What a thread says that would wait for itself.
pub(super) fn waits_for_itself(what: &str) -> PyErr {
    PyRuntimeError::new_err(format!(
        "{what} was called by a task of the same pool: it would wait for itself"
    ))
}
