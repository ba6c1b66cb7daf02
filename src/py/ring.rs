//! Where the results of a map wait for their turn.

use std::{
    collections::VecDeque,
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::PyBaseException,
    prelude::*,
    types::{PyString, PyTuple},
};

use super::{errors, interpreter, parker::Parker, pool::Core, seat, task::Name};
use crate::core::{Ending, Verdict, Waiter, sync::Mutex};

/// How many answers are taken out at once: enough for the lock not to count.
const BATCH: usize = 256;

/// What has become of an item.
#[derive(Debug)]
pub(super) enum Answer {
    Returned(Py<PyAny>),
    Raised(Py<PyBaseException>),
    /// Its task will never run.
    Cancelled,
    /// Its task was the parent's of this forked process.
    Inherited,
}

impl Answer {
    /// Of a task that will never run.
    pub(super) fn of_ending(py: Python<'_>, why: &Ending) -> Self {
        errors::ending(py, why).map_or(Self::Cancelled, |error| Self::Raised(error.into_value(py)))
    }

    pub(super) fn into_result(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Self::Returned(value) => Ok(value),
            Self::Raised(error) => Err(PyErr::from_value(error.into_bound(py).into_any())),
            Self::Cancelled => Err(errors::cancelled(py)),
            Self::Inherited => Err(errors::inherited(py)),
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Returned(value) => visit.call(value),
            Self::Raised(error) => visit.call(error),
            Self::Cancelled | Self::Inherited => Ok(()),
        }
    }
}

#[derive(Debug)]
struct Slots {
    /// The number of the item whose answer is next.
    first: u64,
    /// From there on. `None`: it is not there yet. Only as long as it has to be.
    answers: VecDeque<Option<Answer>>,
    /// Waits for the first.
    waiter: Option<Arc<Waiter<Parker>>>,
}

/// Shared by a map and the tasks of its items.
#[derive(Debug)]
pub(super) struct Ring {
    function: Py<PyAny>,
    /// Whether an item is a tuple of arguments; else it is the argument.
    unpacks: bool,
    /// What the tasks are called.
    name: Option<Py<PyString>>,
    pub(super) core: Arc<Core>,
    /// No Python runs under it: what is taken out is dropped or called after it is released.
    slots: Mutex<Slots>,
    /// Whether nobody asks for answers any more. Set once, under the lock; `Relaxed`, for whoever reads it without is
    /// told by [`Ring::tell`] again.
    closed: AtomicBool,
}

impl Ring {
    /// For the items from number `first` on.
    pub(super) fn new(
        function: Py<PyAny>,
        unpacks: bool,
        name: Option<Py<PyString>>,
        core: Arc<Core>,
        first: u64,
    ) -> Arc<Self> {
        Arc::new(Self {
            function,
            unpacks,
            name,
            core,
            slots: Mutex::new(Slots {
                first,
                answers: VecDeque::new(),
                waiter: None,
            }),
            closed: AtomicBool::new(false),
        })
    }

    /// The same for the process that has been forked, on the pool of that.
    pub(super) fn renew(&self, py: Python<'_>, core: Arc<Core>, first: u64) -> Arc<Self> {
        let name = self.name.as_ref().map(|name| name.clone_ref(py));
        Self::new(self.function.clone_ref(py), self.unpacks, name, core, first)
    }

    /// Calls the function for an item.
    #[inline]
    pub(super) fn call<'py>(
        &self,
        py: Python<'py>,
        item: &Bound<'py, PyAny>,
        name: Option<&Name>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let hooks = self.core.host().hooks();
        if !self.unpacks && name.is_none() && hooks.via.is_none() {
            return seat::doing(py, &self.function, || {
                // SAFETY: a live reference.
                unsafe { interpreter::call_items(py, &self.function, &[item.as_ptr()], None) }
            });
        }
        let packed;
        let args = if self.unpacks {
            item.cast::<PyTuple>()?
        } else {
            packed = PyTuple::new(py, [item])?;
            &packed
        };
        hooks.call(py, &self.function, args, None, name)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// An item's answer is there. `busy` is called before any foreign code runs.
    pub(super) fn tell(&self, py: Python<'_>, number: u64, answer: Answer, busy: impl FnOnce()) {
        let mut slots = self.slots.lock();
        if self.is_closed() {
            drop(slots);
            busy();
            return self.drop_unseen(py, answer);
        }
        let waiter = if number == slots.first {
            slots.waiter.take()
        } else {
            None
        };
        if let Some(waiter) = &waiter {
            waiter.decide(Verdict::Granted);
        }
        slots.put(number, answer);
        drop(slots);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }

    /// Moves the answers whose turn it is to `ready`.
    pub(super) fn collect(&self, ready: &mut VecDeque<Answer>) {
        self.slots.lock().collect(ready);
    }

    /// The same; if there is none, returns who is told of the next.
    pub(super) fn line_up(&self, ready: &mut VecDeque<Answer>) -> Option<Arc<Waiter<Parker>>> {
        let mut slots = self.slots.lock();
        slots.collect(ready);
        if !ready.is_empty() {
            return None;
        }
        let waiter = Arc::new(Waiter::default());
        slots.waiter = Some(waiter.clone());
        Some(waiter)
    }

    /// Nobody waits any more.
    pub(super) fn leave(&self) {
        self.slots.lock().waiter = None;
    }

    /// Nobody asks for answers any more. Those that are there are the caller's to drop.
    pub(super) fn close(&self) -> impl Iterator<Item = Answer> {
        let mut slots = self.slots.lock();
        self.closed.store(true, Ordering::Relaxed);
        let answers = mem::take(&mut slots.answers);
        drop(slots);
        answers.into_iter().flatten()
    }

    /// An answer that nobody looks at: what was raised goes to the pool's handler, as what a future raised does.
    pub(super) fn drop_unseen(&self, py: Python<'_>, answer: Answer) {
        let hooks = self.core.host().hooks();
        if let Answer::Raised(error) = answer
            && hooks.reports_unseen()
        {
            let handler = hooks.exception_handler.as_ref();
            errors::handle(py, handler, error, self.name.as_ref());
        }
    }

    /// What belongs to the map, which is the only one that visits it. The function does only while no task has it: it
    /// may be called at any moment.
    pub(super) fn traverse(self: &Arc<Self>, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        if Arc::strong_count(self) == 1 {
            visit.call(&self.function)?;
        }
        // The collector must not wait; what it cannot see it takes for alive.
        let Some(slots) = self.slots.try_lock() else {
            return Ok(());
        };
        for answer in slots.answers.iter().flatten() {
            answer.traverse(visit)?;
        }
        Ok(())
    }
}

impl Slots {
    fn put(&mut self, number: u64, answer: Answer) {
        let at = usize::try_from(number - self.first).unwrap_or(usize::MAX);
        if at < self.answers.len() {
            self.answers[at] = Some(answer);
            return;
        }
        while self.answers.len() < at {
            self.answers.push_back(None);
        }
        self.answers.push_back(Some(answer));
    }

    fn collect(&mut self, ready: &mut VecDeque<Answer>) {
        let filled = self
            .answers
            .iter()
            .take(BATCH)
            .take_while(|it| it.is_some());
        let count = filled.count();
        ready.extend(self.answers.drain(..count).flatten());
        self.first += count as u64;
    }
}
