//! The pool seen at one moment.

use super::{Host, Phase, Pool};

/// Numbers that belong together: all read under one lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// How many tasks may run at once; `None`: no limit.
    pub capacity: Option<usize>,
    /// Live workers, busy and idle.
    pub running: usize,
    /// Live workers with nothing to do.
    pub idle: usize,
    /// Submitters blocked now.
    pub waiting: usize,
    /// Accepted tasks that no worker has taken.
    pub queued: usize,
    /// Places taken.
    pub in_flight: usize,
    /// Workers started so far.
    pub started: u64,
    /// Whether new tasks are refused.
    pub closed: bool,
}

impl Stats {
    /// How many more workers there may be, never below 0; `None`: no limit.
    #[must_use]
    pub fn free(&self) -> Option<usize> {
        Some(self.capacity?.saturating_sub(self.running))
    }
}

impl<H: Host> Pool<H> {
    /// Whether no task is in flight, as far as can be told without waiting for the lock.
    pub fn is_quiet(&self) -> bool {
        let state = self.state.try_lock();
        state.is_some_and(|state| state.holds(super::Until::Quiet))
    }

    /// The pool now.
    pub fn stats(&self) -> Stats {
        let state = self.state.lock();
        Stats {
            capacity: state.limit(),
            running: state.live,
            idle: state.idle.len(),
            waiting: state.submitters.len(),
            queued: state
                .queue
                .len()
                .saturating_sub(state.cancelled.max(0).unsigned_abs()),
            in_flight: state.in_flight,
            started: state.started,
            closed: state.phase != Phase::Open,
        }
    }
}
