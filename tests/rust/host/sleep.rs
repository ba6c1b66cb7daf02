//! How threads sleep outside of models.

use std::{
    cell::RefCell,
    mem,
    sync::{Arc, Condvar, Mutex, atomic::Ordering},
    time::Instant,
};

use antspy::core::{Park, Parked};

use super::{Clock, Interrupt, Signals, Tally};

/// The parker: one thread's bed, known also to its clock and its signals while it sleeps there.
#[derive(Default)]
pub(crate) struct Sleeper(Arc<Bed>);

#[derive(Default)]
pub(crate) struct Bed {
    woken: Mutex<bool>,
    bell: Condvar,
}

impl Bed {
    /// Has the sleeper look again at the clock and for signals. The lock is taken so that the sleeper
    /// either looks after this or is asleep already and hears the bell.
    pub(super) fn ring(&self) {
        drop(self.woken.lock().unwrap());
        self.bell.notify_all();
    }
}

impl Park for Sleeper {
    fn park(&self, deadline: Option<Instant>) -> Parked {
        let signals = Signals::of_this_thread();
        let clock = THREAD.with_borrow_mut(|thread| mem::take(&mut thread.clock));
        signals.ring_for(Some(self.0.clone()));
        if deadline.is_some() {
            clock.ring_for(&self.0);
        }
        let parked = self.sleep(deadline, &signals, &clock);
        signals.ring_for(None);
        parked
    }

    fn is_woken(&self) -> bool {
        *self.0.woken.lock().unwrap()
    }

    fn unpark(&self) {
        *self.0.woken.lock().unwrap() = true;
        self.0.bell.notify_all();
    }
}

impl Sleeper {
    fn sleep(&self, deadline: Option<Instant>, signals: &Signals, clock: &Clock) -> Parked {
        let mut woken = self.0.woken.lock().unwrap();
        loop {
            if mem::take(&mut *woken) {
                return Parked::Woken;
            }
            if signals.pending() {
                return Parked::Interrupted;
            }
            if deadline.is_some_and(|deadline| clock.now() >= deadline) {
                return Parked::TimedOut;
            }
            woken = match deadline.and_then(|deadline| clock.left(deadline)) {
                Some(left) => self.0.bell.wait_timeout(woken, left).unwrap().0,
                None => self.0.bell.wait(woken).unwrap(),
            };
        }
    }
}

/// What a thread knows of its host.
#[derive(Default)]
struct Thread {
    clock: Clock,
    tally: Option<Arc<Tally>>,
}

thread_local! {
    static THREAD: RefCell<Thread> = RefCell::default();
}

impl Drop for Thread {
    fn drop(&mut self) {
        if let Some(tally) = &self.tally {
            tally.ended.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// A worker's thread begins.
pub(super) fn begin_thread(tally: &Arc<Tally>) {
    THREAD.with_borrow_mut(|thread| thread.tally = Some(tally.clone()));
}

/// The next sleep of this thread is by `clock`; those for which nobody asks are by the real one.
pub(super) fn next_by(clock: &Clock) {
    THREAD.with_borrow_mut(|thread| thread.clock = clock.clone());
}

pub(super) fn run_handlers() -> Result<(), Interrupt> {
    Signals::of_this_thread().run_handlers()
}
