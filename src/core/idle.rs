//! Which idle worker wakes, and which one expires.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{Host, sync::Arc, worker::Worker};

/// The workers that have nothing to do, oldest in front.
///
/// The newest wakes first: its stack and caches are warm, and the older ones are left alone until they
/// expire, so a pool with little to do shrinks to the workers that it needs. One double-ended queue does
/// for every pool, with or without `prealloc`.
pub(super) struct Idle<H: Host>(VecDeque<(Instant, Arc<Worker<H>>)>);

impl<H: Host> Idle<H> {
    pub(super) fn new() -> Self {
        Self(VecDeque::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn all(&self) -> Vec<Arc<Worker<H>>> {
        self.0.iter().map(|(_, worker)| worker.clone()).collect()
    }

    pub(super) fn push(&mut self, since: Instant, worker: Arc<Worker<H>>) {
        self.0.push_back((since, worker));
    }

    pub(super) fn pop_newest(&mut self) -> Option<Arc<Worker<H>>> {
        self.0.pop_back().map(|(_, worker)| worker)
    }

    pub(super) fn pop_oldest(&mut self) -> Option<Arc<Worker<H>>> {
        self.0.pop_front().map(|(_, worker)| worker)
    }

    /// The oldest, if it has been idle for `expiry` at `now`.
    pub(super) fn pop_expired(&mut self, expiry: Duration, now: Instant) -> Option<Arc<Worker<H>>> {
        let (since, _) = self.0.front()?;
        (now.saturating_duration_since(*since) >= expiry)
            .then(|| self.pop_oldest())
            .flatten()
    }

    /// Since when `worker` has been idle. It is looked for from the newest on, where it usually is.
    pub(super) fn since(&self, worker: &Arc<Worker<H>>) -> Option<Instant> {
        let found = self.0.iter().rfind(|(_, other)| Arc::ptr_eq(other, worker));
        found.map(|(since, _)| *since)
    }

    /// Takes `worker` out, wherever it stands; `false` if it is not here any more.
    pub(super) fn remove(&mut self, worker: &Arc<Worker<H>>) -> bool {
        let found = self
            .0
            .iter()
            .rposition(|(_, other)| Arc::ptr_eq(other, worker));
        found.is_some_and(|at| self.0.remove(at).is_some())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::core::{Ending, Fault, Outcome, Park, Parked, Ran, Task, worker::Duty};

    /// A host that runs nothing: the idle only need to know its parker.
    struct NoHost;
    struct NoTask;
    #[derive(Default)]
    struct NoSleep;

    impl Park for NoSleep {
        fn park(&self, _: Option<Instant>) -> Parked {
            Parked::Woken
        }
        fn is_woken(&self) -> bool {
            true
        }
        fn unpark(&self) {}
    }

    impl Task for NoTask {
        type Host = NoHost;
        type Delivery = ();
        fn run(self, _: &NoHost, (): ()) -> Ran<()> {
            Ran::Silent(Outcome::Completed)
        }
        fn is_prompt((): &(), (): ()) -> bool {
            true
        }
        fn deliver((): (), (): (), _: impl FnOnce()) {}
        fn discard(self, _: &NoHost, (): (), _: &Ending) -> bool {
            true
        }
        fn is_cancelled(&self) -> bool {
            false
        }
    }

    impl Host for NoHost {
        type Task = NoTask;
        type Parker = NoSleep;
        type Scope<'s> = ();
        type Interrupt = ();
        fn enter(&self, _: &str, body: impl FnOnce(())) {
            body(());
        }
        fn prepare(&self, (): ()) -> Result<(), Fault> {
            Ok(())
        }
        fn has_initializer(&self) -> bool {
            false
        }
        fn visit(&self, body: impl FnOnce(())) {
            body(());
        }
        fn block<R>((): (), wait: impl FnOnce() -> R) -> R {
            wait()
        }
        fn interrupted((): ()) -> Result<(), ()> {
            Ok(())
        }
    }

    type Crew = [Arc<Worker<NoHost>>; 4];

    /// Idle since 0, 1, 2 and 3 seconds after the start.
    fn idle() -> (Idle<NoHost>, Crew, Instant) {
        let (mut idle, start) = (Idle::new(), Instant::now());
        let crew = [0; 4].map(|_| Worker::new(Duty::Idle));
        for (since, worker) in (0..).zip(&crew) {
            idle.push(start + Duration::from_secs(since), worker.clone());
        }
        (idle, crew, start)
    }

    fn is(worker: Option<Arc<Worker<NoHost>>>, expected: &Arc<Worker<NoHost>>) -> bool {
        worker.is_some_and(|worker| Arc::ptr_eq(&worker, expected))
    }

    #[test]
    fn the_newest_wakes_and_the_oldest_leaves() {
        let (mut idle, crew, _) = idle();
        assert!(is(idle.pop_newest(), &crew[3]));
        assert!(is(idle.pop_oldest(), &crew[0]));
        assert!(is(idle.pop_newest(), &crew[2]));
        assert!(is(idle.pop_newest(), &crew[1]));
        assert!(idle.pop_newest().is_none() && idle.pop_oldest().is_none());
    }

    #[test]
    fn only_those_expire_whose_time_has_come() {
        let (mut idle, crew, start) = idle();
        let expiry = Duration::from_secs(10);
        let mut at = |seconds| idle.pop_expired(expiry, start + Duration::from_secs(seconds));
        assert!(at(9).is_none());
        assert!(is(at(11), &crew[0]));
        assert!(is(at(11), &crew[1]));
        assert!(at(11).is_none());
        assert_eq!(idle.len(), 2);
    }

    #[test]
    fn a_clock_read_before_a_worker_went_idle_does_no_harm() {
        let (mut idle, _, start) = idle();
        assert!(idle.pop_oldest().is_some());
        assert!(idle.pop_expired(Duration::from_millis(1), start).is_none());
    }

    #[test]
    fn a_worker_is_found_wherever_it_stands_and_only_once() {
        let (mut idle, crew, start) = idle();
        assert_eq!(idle.since(&crew[1]), Some(start + Duration::from_secs(1)));
        assert!(idle.remove(&crew[1]));
        assert!(!idle.remove(&crew[1]));
        assert_eq!(idle.since(&crew[1]), None);
        assert_eq!(idle.all().len(), 3);
    }
}
