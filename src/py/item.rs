//! One item of a map: a task whose result goes into a ring, and to no future.

use std::{sync::Arc, time::Instant};

use pyo3::prelude::*;

use super::{
    context::Context,
    ctrl_c,
    ring::{Answer, Ring},
    task::Extras,
};
use crate::core::{Ending, Outcome};

#[derive(Debug)]
pub(super) struct Item {
    ring: Arc<Ring>,
    number: u64,
    /// What the function is called with: see [`Ring::call`].
    argument: Py<PyAny>,
    /// A copy of the context of whoever asked for results, made when the item was submitted.
    context: Context,
    pub(super) extras: Option<Box<Extras>>,
}

/// An item's answer on its way into the ring; then the end of its presence in a sub-pool.
#[derive(Debug)]
pub(super) struct Told {
    ring: Arc<Ring>,
    number: u64,
    answer: Answer,
    extras: Option<Box<Extras>>,
}

impl Item {
    #[inline]
    pub(super) fn new(ring: Arc<Ring>, number: u64, argument: Bound<'_, PyAny>) -> PyResult<Self> {
        let context = Context::copy_current(argument.py())?;
        Ok(Self {
            ring,
            number,
            argument: argument.unbind(),
            context,
            extras: None,
        })
    }

    /// Whether it is one of this ring's.
    pub(super) fn is_of(&self, ring: &Arc<Ring>) -> bool {
        Arc::ptr_eq(&self.ring, ring)
    }

    /// Whether it is this one, and may still start at `now`.
    pub(super) fn is_due(&self, ring: &Arc<Ring>, number: u64, now: Instant) -> bool {
        let deadline = self.extras.as_ref().and_then(|extras| extras.deadline);
        let in_time = deadline.is_none_or(|deadline| deadline > now);
        self.number == number && in_time && self.is_of(ring)
    }

    /// Calls the function, and drops what it was called with.
    #[inline]
    pub(super) fn run(self, py: Python<'_>) -> (Told, Outcome) {
        let Self {
            ring,
            number,
            argument,
            context,
            mut extras,
        } = self;
        let name = extras.as_ref().and_then(|extras| extras.name.as_ref());
        let argument = argument.into_bound(py);
        let result = context.run(py, || ring.call(py, &argument, name).map(Bound::unbind));
        drop((argument, context));
        let (answer, outcome) = match result {
            Ok(value) => (Answer::Returned(value), Outcome::Completed),
            Err(error) => {
                ctrl_c::note(py, &error);
                (Answer::Raised(error.into_value(py)), Outcome::Failed)
            }
        };
        if let Some(extras) = &mut extras {
            extras.ran();
        }
        let told = Told {
            ring,
            number,
            answer,
            extras,
        };
        (told, outcome)
    }

    /// Ends it: it will never run.
    pub(super) fn discard(self, py: Python<'_>, why: &Ending) {
        let Self { ring, number, .. } = self;
        drop((self.argument, self.context, self.extras));
        ring.tell(py, number, Answer::of_ending(py, why), || ());
    }
}

impl Told {
    /// Whether nothing but the answer's way into the ring is left.
    #[inline]
    pub(super) fn is_prompt(&self) -> bool {
        !self.ring.is_closed()
    }

    /// `busy` is called before any foreign code runs.
    #[inline]
    pub(super) fn deliver(self, py: Python<'_>, busy: impl FnOnce()) {
        self.ring.tell(py, self.number, self.answer, busy);
        drop(self.extras);
    }
}
