//! How threads sleep in a model. There is no time there: whoever sleeps with a deadline wakes at once,
//! and so does whoever expects a signal. Nothing is lost by that: the model tries every moment at which
//! the sleeper may be run, which is every moment at which the deadline or the signal may come. Who has slept
//! in vain lets the others run, or it might sleep in vain for ever. Only a deadline years away never comes: who
//! sleeps until then must be woken.

use std::{
    cell::Cell,
    mem,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use antspy::core::{
    Park, Parked,
    sync::{
        checker::sync::{Condvar, Mutex},
        thread, thread_local,
    },
};

use super::{Interrupt, Tally};

#[derive(Default)]
pub(crate) struct Sleeper {
    woken: Mutex<bool>,
    bell: Condvar,
    /// How often in a row the deadline came.
    naps: AtomicU32,
}

/// Beyond this a deadline never comes.
const NEVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

impl Park for Sleeper {
    fn park(&self, deadline: Option<Instant>) -> Parked {
        let comes = deadline.is_some_and(|deadline| deadline < Instant::now() + NEVER);
        if comes && self.naps.load(Ordering::SeqCst) > 0 {
            thread::yield_now();
        }
        let mut woken = self.woken.lock().unwrap();
        loop {
            if mem::take(&mut *woken) {
                self.naps.store(0, Ordering::SeqCst);
                return Parked::Woken;
            }
            if comes {
                self.naps.fetch_add(1, Ordering::SeqCst);
                return Parked::TimedOut;
            }
            if SIGNAL.with(Cell::get) {
                return Parked::Interrupted;
            }
            woken = self.bell.wait(woken).unwrap();
        }
    }

    fn is_woken(&self) -> bool {
        *self.woken.lock().unwrap()
    }

    fn unpark(&self) {
        *self.woken.lock().unwrap() = true;
        self.bell.notify_one();
    }
}

thread_local! {
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
