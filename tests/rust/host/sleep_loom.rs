//! How threads sleep in a model. There is no time there: whoever sleeps with a deadline wakes at once,
//! and so does whoever expects a signal. Nothing is lost by that: the model tries every moment at which
//! the sleeper may be run, which is every moment at which the deadline or the signal may come.

use std::{
    cell::Cell,
    mem,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use antspy::core::{Park, Parked};
use loom::sync::{Condvar, Mutex};

use super::{Interrupt, Tally};

#[derive(Default)]
pub(crate) struct Sleeper {
    woken: Mutex<bool>,
    bell: Condvar,
}

impl Park for Sleeper {
    fn park(&self, deadline: Option<Instant>) -> Parked {
        let mut woken = self.woken.lock().unwrap();
        loop {
            if mem::take(&mut *woken) {
                return Parked::Woken;
            }
            if deadline.is_some() {
                return Parked::TimedOut;
            }
            if SIGNAL.with(Cell::get) {
                return Parked::Interrupted;
            }
            woken = self.bell.wait(woken).unwrap();
        }
    }

    fn unpark(&self) {
        *self.woken.lock().unwrap() = true;
        self.bell.notify_one();
    }
}

loom::thread_local! {
    static SIGNAL: Cell<bool> = Cell::new(false);
}

/// From now on a signal whose handler raises ends each sleep of this thread.
pub(crate) fn interrupt_this_thread() {
    SIGNAL.with(|signal| signal.set(true));
}

pub(super) fn run_handlers() -> Result<(), Interrupt> {
    Err(Interrupt)
}

pub(super) fn begin_thread(_tally: &Arc<Tally>) {}

pub(super) fn next_by(_clock: &Clock) {}

/// An hour passes between any two looks at it.
pub(crate) struct Clock {
    start: Instant,
    looks: AtomicU32,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            looks: AtomicU32::new(0),
        }
    }
}

impl Clock {
    pub(super) fn now(&self) -> Instant {
        let hours = self.looks.fetch_add(1, Ordering::SeqCst);
        self.start + hours * Duration::from_secs(3600)
    }
}
