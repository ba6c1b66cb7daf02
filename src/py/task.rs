//! What the pool runs: one call of a Python function, for a future or for nobody.

use std::{sync::Arc, time::Instant};

use pyo3::{
    PyTraverseError, PyVisit, ffi,
    prelude::*,
    types::{PyDict, PyString, PyTuple},
};

use super::{
    context::Context,
    ctrl_c, errors,
    future::{Future, Unseen},
    host::Host,
    interpreter,
    item::{Item, Told},
    once::Once,
    pool::Core,
};
use crate::core::{self, Ending, Outcome, Ran};

/// Counts jobs for Python.
pub(super) type WaitGroup = core::WaitGroup<Host>;

/// A task's place in a sub-pool.
pub(super) type Guard = core::Guard<Host>;

/// What few calls have: apart, so that the others are small. A task is moved into the queue and out of it.
#[derive(Debug, Default)]
pub(super) struct Extras {
    pub(super) kwargs: Option<Py<PyDict>>,
    pub(super) name: Option<Name>,
    pub(super) guard: Option<Guard>,
    /// By when it must have started, for a worker that would run it out of turn.
    pub(super) deadline: Option<Instant>,
}

/// What a task is called, and how it is called then: in a Python frame of this name (`python/antspy/task.py`).
#[derive(Debug)]
pub(super) struct Name {
    pub(super) text: Py<PyString>,
    frame: Py<PyAny>,
}

impl Name {
    pub(super) fn new(text: Bound<'_, PyString>) -> PyResult<Self> {
        static MAKE: Once<Py<PyAny>> = Once::new();
        let py = text.py();
        let find = || PyResult::Ok(py.import("antspy.task")?.getattr("frame")?.unbind());
        let make = MAKE.get_or_try_init(py, find)?;
        let frame = interpreter::call(py, make, &PyTuple::new(py, [&text])?, None)?.unbind();
        Ok(Self {
            text: text.unbind(),
            frame,
        })
    }

    pub(super) fn clone_ref(&self, py: Python<'_>) -> Self {
        Self {
            text: self.text.clone_ref(py),
            frame: self.frame.clone_ref(py),
        }
    }

    /// Calls `function(*args, **kwargs)` in the frame. Makes no object for that: a garbage collection would be as open
    /// to interrupts as the task is.
    pub(super) fn call<'py>(
        &self,
        py: Python<'py>,
        function: &Py<PyAny>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Py<PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: attached; `None` is always there.
        let none = unsafe { ffi::Py_None() };
        let kwargs = kwargs.map_or(none, Py::as_ptr);
        let items = [function.as_ptr(), args.as_ptr(), kwargs];
        // SAFETY: borrowed from live references.
        unsafe { interpreter::call_items(py, &self.frame, &items, None) }
    }
}

/// A function, its arguments, and the context of whoever submitted it.
#[derive(Debug)]
pub(super) struct Call {
    /// `None`: the function that the pool holds ([`Hooks::function`](super::host::Hooks)).
    pub(super) function: Option<Py<PyAny>>,
    pub(super) args: Py<PyTuple>,
    /// A copy of the submitter's, made when it submitted.
    context: Context,
    pub(super) extras: Option<Box<Extras>>,
}

impl Extras {
    pub(super) fn name(&self) -> Option<&Py<PyString>> {
        self.name.as_ref().map(|name| &name.text)
    }

    /// The call is over: what it was called with is dropped, and its place in a sub-pool is free.
    pub(super) fn ran(&mut self) {
        self.kwargs = None;
        if let Some(guard) = &mut self.guard {
            guard.free_place();
        }
    }
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
            context,
            extras: kwargs.map(|kwargs| {
                Box::new(Extras {
                    kwargs: Some(kwargs.unbind()),
                    ..Extras::default()
                })
            }),
        })
    }

    pub(super) fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)?;
        visit.call(&self.args)?;
        if let Some(extras) = &self.extras {
            visit.call(&extras.kwargs)?;
        }
        self.context.traverse(visit)
    }

    /// Calls the function in its context and drops all that the call held, the exception that `tell` takes
    /// included.
    fn run<R>(
        self,
        extras: Option<&Extras>,
        py: Python<'_>,
        host: &Host,
        tell: impl FnOnce(PyResult<Bound<'_, PyAny>>) -> R,
    ) -> R {
        let hooks = host.hooks();
        let function = self.function.as_ref().or(hooks.function.as_ref());
        let function =
            function.expect("a call without a function is made by a pool that holds one");
        let args = self.args.bind(py);
        let kwargs = extras.and_then(|extras| extras.kwargs.as_ref());
        let name = extras.and_then(|extras| extras.name.as_ref());
        self.context
            .run(py, || tell(hooks.call(py, function, args, kwargs, name)))
    }
}

/// What a task is made of, once it has its place in a sub-pool.
pub(super) trait Draft {
    fn extras(&mut self) -> &mut Option<Box<Extras>>;
}

impl Draft for Call {
    fn extras(&mut self) -> &mut Option<Box<Extras>> {
        &mut self.extras
    }
}

impl Draft for Item {
    fn extras(&mut self) -> &mut Option<Box<Extras>> {
        &mut self.extras
    }
}

impl Task {
    /// Whether it is a job of this group.
    pub(super) fn is_of(&self, wanted: &Arc<WaitGroup>) -> bool {
        let Self::Go { group, .. } = self else {
            return false;
        };
        group.as_ref().is_some_and(|it| Arc::ptr_eq(it, wanted))
    }

    /// Whether it is an item of a map, and `wanted`.
    pub(super) fn is_item(&self, wanted: impl FnOnce(&Item) -> bool) -> bool {
        matches!(self, Self::Item(item) if wanted(item))
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
    /// `map`: its result goes to whoever iterates.
    Item(Item),
}

/// What a task leaves to be told.
#[derive(Debug)]
pub(super) enum Delivery {
    /// One job of the group is done.
    Done(Arc<WaitGroup>),
    /// The future's result; then the end of its presence in a sub-pool.
    Result(
        Py<Future>,
        Result<Py<PyAny>, Box<Unseen>>,
        Option<Box<Extras>>,
    ),
    /// An item's, to whoever iterates.
    Item(Told),
}

/// A call whose result somebody waits for.
fn run_for(future: Py<Future>, mut call: Call, host: &Host, py: Python<'_>) -> Ran<Delivery> {
    let mut extras = call.extras.take();
    future.get().open();
    let result = call.run(extras.as_deref(), py, host, |result| {
        future.get().close(py);
        result.map(Bound::unbind)
    });
    if let Some(extras) = &mut extras {
        extras.ran();
    }
    match result {
        Ok(value) => Ran::Deliver(
            Delivery::Result(future, Ok(value), extras),
            Outcome::Completed,
        ),
        Err(error) => {
            ctrl_c::note(py, &error);
            let unseen = Box::new(Unseen::new(py, error.into_value(py), host));
            Ran::Deliver(
                Delivery::Result(future, Err(unseen), extras),
                Outcome::Failed,
            )
        }
    }
}

impl core::Task for Task {
    type Host = Host;
    type Delivery = Delivery;

    fn runs_alone(&self, pool: &Arc<Core>) {
        if let Self::Submit(future) = self {
            let mut inner = future.get().inner.lock();
            inner.hooks.get_or_insert_default().alone = Arc::downgrade(pool);
        }
    }

    fn run(self, host: &Host, py: Python<'_>) -> Ran<Delivery> {
        match self {
            Self::Go { mut call, group } => {
                let extras = call.extras.take();
                let mut outcome = Outcome::Completed;
                call.run(extras.as_deref(), py, host, |result| {
                    if let Err(error) = result {
                        ctrl_c::note(py, &error);
                        outcome = Outcome::Failed;
                        let name = extras.as_ref().and_then(|extras| extras.name());
                        host.handle(py, error, name);
                    }
                });
                drop(extras);
                match group {
                    None => Ran::Silent(outcome),
                    Some(group) => Ran::Deliver(Delivery::Done(group), outcome),
                }
            }
            Self::Submit(future) => match future.get().claim() {
                None => Ran::Cancelled,
                Some(call) => run_for(future, call, host, py),
            },
            Self::Item(item) => {
                let (told, outcome) = item.run(py);
                Ran::Deliver(Delivery::Item(told), outcome)
            }
        }
    }

    fn is_prompt(delivery: &Delivery, _attached: Python<'_>) -> bool {
        match delivery {
            Delivery::Done(_) => true,
            // With no other reference nobody waits for it, and it ends here, with its result.
            Delivery::Result(future, ..) => {
                // SAFETY: attached, and the pointer is a live reference.
                let references = unsafe { ffi::Py_REFCNT(future.as_ptr()) };
                references > 1 && future.get().is_prompt()
            }
            Delivery::Item(told) => told.is_prompt(),
        }
    }

    fn deliver(delivery: Delivery, py: Python<'_>, busy: impl FnOnce()) {
        match delivery {
            Delivery::Done(group) => done(&group),
            Delivery::Result(future, result, extras) => {
                Future::finish(future.bind(py), result, busy);
                drop(extras);
            }
            Delivery::Item(told) => told.deliver(py, busy),
        }
    }

    fn discard(self, host: &Host, py: Python<'_>, why: &Ending) -> bool {
        match self {
            Self::Go { call, group } => {
                if let Some(error) = errors::ending(py, why) {
                    let name = call.extras.as_ref().and_then(|extras| extras.name());
                    host.handle(py, error, name);
                }
                drop(call);
                if let Some(group) = &group {
                    done(group);
                }
                true
            }
            Self::Submit(future) => Future::discard(future.bind(py), host, why),
            Self::Item(item) => {
                item.discard(py, why);
                true
            }
        }
    }

    fn is_cancelled(&self) -> bool {
        match self {
            Self::Go { .. } | Self::Item(_) => false,
            Self::Submit(future) => future.get().is_cancelled(),
        }
    }
}

/// The job was added when it was submitted. If somebody has taken it away since, the group is at zero and
/// stays there.
fn done(group: &WaitGroup) {
    let _ = group.done();
}
