//! Expiry: which idle workers leave, and when.
//!
//! Each idle worker sleeps until it has been idle for `expiry`; there is no janitor thread, and a pool
//! down to `min_workers` sleeps without a deadline. The worker whose deadline fires looks after all: the
//! oldest idle leave, as many as have expired, while more than `min_workers` live. Usually that is itself.
//!
//! A worker that may stay sleeps for ever. It cannot be forgotten there: a new worker is only started
//! while nobody is idle, so before there are too many again it has been woken, and sleeps with a deadline
//! the next time. Preallocation, which starts workers regardless, wakes the idle when it is done.

use super::{Host, Park, Pool};

impl<H: Host> Pool<H> {
    /// Tells the workers that have been idle for too long to leave.
    pub(super) fn expire(&self) {
        let Some(expiry) = self.config().expiry else {
            return;
        };
        let now = self.host().now();
        let mut expired = Vec::new();
        let mut state = self.state.lock();
        while state.live > self.config().min_workers
            && let Some(worker) = state.idle.pop_expired(expiry, now)
        {
            state.dismiss(&worker);
            state.tally.expired += 1;
            expired.push(worker);
        }
        drop(state);
        for worker in expired {
            worker.parker.unpark();
        }
    }
}
