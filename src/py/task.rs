//! What the pool runs: one call of a Python function, for a future or for nobody.

use std::sync::Arc;

use pyo3::{
    PyTraverseError, PyVisit, ffi,
    prelude::*,
    types::{PyDict, PyTuple},
};

use super::{context::Context, future::Future, host::Host, interpreter};
use crate::core::{self, Ending, Ran};

/// Counts jobs for Python.
pub(super) type WaitGroup = core::WaitGroup<Host>;

/// A function, its arguments, and the context of whoever submitted it.
#[derive(Debug)]
pub(super) struct Call {
    /// `None`: the function that the pool holds ([`Hooks::function`](super::host::Hooks)).
    pub(super) function: Option<Py<PyAny>>,
    pub(super) args: Py<PyTuple>,
    pub(super) kwargs: Option<Py<PyDict>>,
    /// A copy of the submitter's, made when it submitted.
    context: Context,
}

impl Call {
    pub(super) fn new(
        function: Option<Py<PyAny>>,
        args: Bound<'_, PyTuple>,
        kwargs: Option<Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let context = Context::copy_current(args.py())?;
        Ok(Self {
            function,
            args: args.unbind(),
            kwargs: kwargs.map(Bound::unbind),
            context,
        })
    }

    pub(super) fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)?;
        visit.call(&self.args)?;
        visit.call(&self.kwargs)?;
        self.context.traverse(visit)
    }

    /// Calls the function in its context and drops all that the call held, the exception that `tell` takes
    /// included.
    fn run<R>(
        self,
        py: Python<'_>,
        host: &Host,
        tell: impl FnOnce(PyResult<Bound<'_, PyAny>>) -> R,
    ) -> R {
        let held = &host.hooks().function;
        let function = self.function.as_ref().or(held.as_ref());
        let function =
            function.expect("a call without a function is made by a pool that holds one");
        self.context.run(py, || {
            let (args, kwargs) = (self.args.bind(py), self.kwargs.as_ref());
            tell(interpreter::call(py, function, args, kwargs))
        })
    }
}

/// A task of the core.
#[derive(Debug)]
pub(super) enum Task {
    /// `go`: nobody waits for its result; perhaps a group for its end.
    Go {
        /// What to call.
        call: Call,
        /// Told when it has ended.
        group: Option<Arc<WaitGroup>>,
    },
    /// `submit`: the future holds the call, where the garbage collector can see it.
    Submit(Py<Future>),
}

/// What a task leaves to be told.
#[derive(Debug)]
pub(super) enum Delivery {
    /// One job of the group is done.
    Done(Arc<WaitGroup>),
    /// The future's result.
    Result(Py<Future>, PyResult<Py<PyAny>>),
}

impl core::Task for Task {
    type Host = Host;
    type Delivery = Delivery;

    fn run(self, host: &Host, py: Python<'_>) -> Ran<Delivery> {
        match self {
            Self::Go { call, group } => {
                call.run(py, host, |result| {
                    if let Err(error) = result {
                        host.handle(py, error);
                    }
                });
                group.map_or(Ran::Silent, |group| Ran::Deliver(Delivery::Done(group)))
            }
            Self::Submit(future) => {
                let Some(call) = future.get().claim() else {
                    return Ran::Cancelled;
                };
                let result = call.run(py, host, |result| result.map(Bound::unbind));
                Ran::Deliver(Delivery::Result(future, result))
            }
        }
    }

    fn is_prompt(delivery: &Delivery, _attached: Python<'_>) -> bool {
        match delivery {
            Delivery::Done(_) => true,
            // With no other reference nobody waits for it, and it ends here, with its result.
            Delivery::Result(future, _) => {
                // SAFETY: attached, and the pointer is a live reference.
                let references = unsafe { ffi::Py_REFCNT(future.as_ptr()) };
                references > 1 && future.get().is_prompt()
            }
        }
    }

    fn deliver(delivery: Delivery, py: Python<'_>, busy: impl FnOnce()) {
        match delivery {
            Delivery::Done(group) => done(&group),
            Delivery::Result(future, result) => {
                Future::finish(future.bind(py), result, busy);
            }
        }
    }

    fn discard(self, py: Python<'_>, why: &Ending) -> bool {
        match self {
            Self::Go { call, group } => {
                drop(call);
                if let Some(group) = &group {
                    done(group);
                }
                true
            }
            Self::Submit(future) => Future::discard(future.bind(py), why),
        }
    }

    fn is_cancelled(&self) -> bool {
        match self {
            Self::Go { .. } => false,
            Self::Submit(future) => future.get().is_cancelled(),
        }
    }
}

/// The job was added when it was submitted. If somebody has taken it away since, the group is at zero and
/// stays there.
fn done(group: &WaitGroup) {
    let _ = group.done();
}
