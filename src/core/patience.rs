//! Patience: a searcher that would come too late does not enter the host at all.
//!
//! 1. A worker takes the first of a thousand short tasks and summons the next worker, as it must: its task
//!    might block.
//! 2. The tasks do not block. The worker runs through them all and never lets go of the interpreter.
//! 3. The one it summoned has asked for the interpreter meanwhile, gets it when all is done, finds nothing,
//!    and hands it on: two switches between threads for nothing, 50 microseconds each, and whoever waits
//!    for the result waits for them.
//!
//! So a search that found nothing makes the next searcher wait a moment before it enters, and go back to
//! sleep if the queue is empty by then; a search that found something ends that at once. Nobody waits while
//! no other worker is busy, and never longer than [`Patience::LONGEST`].

use std::time::{Duration, Instant};

use super::{
    Host, Park, Parked, Pool, Search,
    line::wake,
    sync::Arc,
    worker::{Duty, Worker},
};

/// How long the next searcher waits before it enters the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Patience(Duration);

impl Patience {
    const SHORTEST: Duration = Duration::from_micros(50);
    const LONGEST: Duration = Duration::from_micros(400);

    /// A searcher has entered and looked at the queue.
    pub(super) fn found(&mut self, work: bool) {
        self.0 = if work {
            Duration::ZERO
        } else {
            (self.0 * 2).clamp(Self::SHORTEST, Self::LONGEST)
        };
    }
}

impl<H: Host> Pool<H> {
    /// An idle worker's sleep, outside of the host, until it has something to do there.
    pub(super) fn sleep(&self, me: &Arc<Worker<H>>, mut deadline: Option<Instant>) -> Parked {
        loop {
            let alarm = deadline.map(|deadline| self.host().alarm(deadline));
            let parked = me.parker.park(alarm);
            if parked != Parked::Woken || !self.was_patient(me) {
                return parked;
            }
            let Some(since) = self.return_to_idle(me) else {
                return parked;
            };
            deadline = self.state.lock().deadline(self.config(), since);
        }
    }

    /// Waits as long as a searcher is asked to. `false`: not at all.
    fn was_patient(&self, me: &Worker<H>) -> bool {
        let state = self.state.lock();
        let Patience(patience) = state.patience;
        let busy = state.live - state.idle.len();
        if me.duty() != Duty::Searching || patience.is_zero() || busy <= 1 {
            return false;
        }
        drop(state);
        // Nobody wakes a searcher: it has its duty already.
        me.parker.park(Some(Instant::now() + patience));
        true
    }

    /// If the others have done it all, back among the idle, as if not called; since when.
    fn return_to_idle(&self, me: &Arc<Worker<H>>) -> Option<Instant> {
        let mut state = self.state.lock();
        state.grant(self.host());
        if !state.queue.is_empty() || !state.phase.accepts() || state.live > state.capacity {
            wake(state);
            return None;
        }
        let now = self.host().now();
        state.search = Search::None;
        me.set_duty(Duty::Idle);
        state.idle.push(now, me.clone());
        state.tell(self.host());
        wake(state);
        Some(now)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn grows_while_searches_are_in_vain_and_ends_with_the_first_that_is_not() {
        let mut patience = Patience::default();
        let mut seen = Vec::new();
        for _ in 0..5 {
            patience.found(false);
            seen.push(patience.0.as_micros());
        }
        assert_eq!(seen, [50, 100, 200, 400, 400]);
        patience.found(true);
        assert_eq!(patience, Patience::default());
    }
}
