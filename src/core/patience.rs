//! Patience: a worker that would come too late does not enter the host at all, but stands by.
//!
//! 1. A worker takes the first of a thousand short tasks and summons the next worker, as it must: its task
//!    might block.
//! 2. The tasks do not block. The worker runs through them all and never lets go of the interpreter.
//! 3. The one it summoned has asked for the interpreter meanwhile, gets it when all is done, finds nothing,
//!    and hands it on: two switches between threads for nothing, 50 microseconds each, and whoever waits
//!    for the result waits for them.
//!
//! So a searcher for which nothing was left makes the next one *stand by*: it stays outside of the host and looks at
//! the queue from time to time, and only if it finds something there does it come. While somebody is busy, nobody
//! else is summoned meanwhile; when nobody is, the newest idle worker is, as ever. One that finds that nothing has
//! been started since it last looked goes back among the idle. A searcher that was of use ends all that at once.
//!
//! Of use is one that has come for a task that was there when it was summoned, not for what has come since:
//!
//! 1. Eight tasks are submitted to a pool of eight; their submitter waits for a place. A worker is woken for them and
//!    summons the next.
//! 2. The first runs through them, and lets the submitter have the interpreter. It submits eight more.
//! 3. The second comes at last, and finds eight tasks. The first would have taken them long ago.

use std::time::{Duration, Instant};

use super::{
    Host, Park, Parked, Pool, Search, State,
    line::wake,
    spin::WORKERS,
    sync::{Arc, MODEL},
    worker::{Duty, Worker},
};

/// How long the next searcher stands by before it looks, and from one look to the next; zero: it comes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patience {
    wait: Duration,
    /// How many tasks had been submitted when the last searcher was summoned: those it was summoned for.
    summoned_for: u64,
}

impl Patience {
    const SHORTEST: Duration = Duration::from_micros(50);
    const LONGEST: Duration = Duration::from_micros(400);

    pub(super) fn new() -> Self {
        // In a model, where there is no time, whoever may stand by does.
        let wait = if MODEL {
            Self::SHORTEST
        } else {
            Duration::ZERO
        };
        Self {
            wait,
            summoned_for: 0,
        }
    }

    /// Somebody is summoned, when so many have been submitted.
    pub(super) fn summoned(&mut self, submitted: u64) {
        self.summoned_for = submitted;
    }

    /// The searcher has entered, when so many have left the queue. If they are all that it was summoned for, others
    /// would have done as well without it, also if there is more by now.
    pub(super) fn arrived(&mut self, taken: u64) {
        self.wait = if taken < self.summoned_for && !MODEL {
            Duration::ZERO
        } else {
            (self.wait * 2).clamp(Self::SHORTEST, Self::LONGEST)
        };
    }
}

impl<H: Host> Pool<H> {
    /// An idle worker's sleep, outside of the host, until it has something to do there.
    pub(super) fn sleep(&self, me: &Arc<Worker<H>>, mut deadline: Option<Instant>) -> Parked {
        loop {
            let alarm = deadline.map(|deadline| self.host().alarm(deadline));
            WORKERS.spin::<H>(&me.parker);
            let parked = me.parker.park(alarm);
            if parked != Parked::Woken {
                return parked;
            }
            let Some(since) = self.stand_by(me) else {
                return parked;
            };
            deadline = self.state.lock().deadline(self.config(), since);
        }
    }

    /// If a searcher is asked to be patient, it stands by instead: see [`State::standby`]. Since when it is idle
    /// again, if it was not needed.
    fn stand_by(&self, me: &Arc<Worker<H>>) -> Option<Instant> {
        let mut state = self.state.lock();
        let patience = state.patience.wait;
        // There may be one that stands by already:
        // 1. It does, and the last busy worker goes idle. A submit wakes that one.
        // 2. A third worker becomes busy without a search: it has ended its initializer, or a delivery.
        // 3. The woken one comes here.
        let not_here = patience.is_zero() || state.standby.is_some() || state.busy() <= 1;
        if me.duty() != Duty::Searching || not_here {
            return None;
        }
        state.search = Search::None;
        state.standby = Some(me.clone());
        me.set_duty(Duty::Standby);
        state.grant(self.host());
        loop {
            let started = state.tally.started;
            wake(state);
            me.parker.park(Some(Instant::now() + patience));
            state = self.state.lock();
            if me.duty() != Duty::Standby {
                return None; // needed, or sent home
            }
            state.grant(self.host());
            let leaves = !state.phase.accepts() || state.live > state.capacity;
            if leaves || (state.search == Search::None && !state.queue.is_empty()) {
                state.search_instead();
                wake(state);
                return None;
            }
            if state.search != Search::None || state.tally.started == started {
                let now = self.host().now();
                state.stand_down(now);
                state.tell(self.host());
                wake(state);
                return Some(now);
            }
        }
    }
}

impl<H: Host> State<H> {
    /// Whether the queue has somebody who comes without being summoned: a busy worker, and one that stands by
    /// in case that the busy ones stay away for too long.
    #[inline]
    pub(super) fn is_looked_after(&self) -> bool {
        self.standby.is_some() && self.busy() > 0
    }

    /// Workers that run tasks, or are about to.
    #[inline]
    pub(super) fn busy(&self) -> usize {
        self.live - self.idle.len() - self.preparing - usize::from(self.standby.is_some())
    }

    /// The one that stands by comes now, or, where somebody searches already, comes to be told what to do.
    pub(super) fn search_instead(&mut self) -> Option<Arc<Worker<H>>> {
        let worker = self.standby.take()?;
        if self.search == Search::None {
            self.begin_search(Search::Woken, 0);
            worker.set_duty(Duty::Searching);
        } else {
            worker.set_duty(Duty::Busy);
        }
        Some(worker)
    }

    /// The one that stands by is idle again.
    pub(super) fn stand_down(&mut self, now: Instant) {
        if let Some(worker) = self.standby.take() {
            worker.set_duty(Duty::Idle);
            self.idle.push(now, worker);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn grows_while_searches_are_in_vain_and_ends_with_the_first_that_is_not() {
        let mut patience = Patience::new();
        patience.summoned(7);
        let mut seen = Vec::new();
        for _ in 0..5 {
            patience.arrived(7);
            seen.push(patience.wait.as_micros());
        }
        assert_eq!(seen, [50, 100, 200, 400, 400]);
        patience.arrived(6);
        assert_eq!(patience.wait, Duration::ZERO);
    }
}
