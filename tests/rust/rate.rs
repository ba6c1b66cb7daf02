//! The rate: how many tasks are started a second, on a clock that the tests set.

use std::{
    thread,
    time::{Duration, Instant},
};

use antspy::core::{Config, Host, Rate, Turn, UNLIMITED, Verdict};

use crate::{
    host::{Attached, Clock, Job, Ledger, Rig, TestHost, sized, submit},
    support::{Gate, Log, eventually, panic_quietly, within_limit},
};

pub(crate) const INTERVAL: Duration = Duration::from_millis(100);

/// A pool that starts ten tasks a second.
pub(crate) struct Scene {
    pub(crate) rig: Rig,
    clock: Clock,
    pub(crate) ledger: Ledger,
    /// When each job started.
    pub(crate) starts: Log<Instant>,
    birth: Instant,
}

impl Scene {
    pub(crate) fn new(capacity: usize) -> Self {
        Self::with(Config {
            queue_size: UNLIMITED,
            ..sized(capacity)
        })
    }

    fn with(config: Config) -> Self {
        let clock = Clock::toy();
        let config = Config {
            rate: Some(Rate(10.0)),
            expiry: None,
            ..config
        };
        let rig = Rig::with_host(TestHost::with_clock(clock.clone()), config);
        let birth = rig.host().now();
        Self {
            rig,
            clock,
            ledger: Ledger::default(),
            starts: Log::default(),
            birth,
        }
    }

    /// A job that writes down when it starts, and then does this.
    pub(crate) fn job(&self, then: impl FnOnce() + Send + 'static) -> Job {
        let (clock, starts) = (self.clock.clone(), self.starts.clone());
        self.ledger.job(move || {
            starts.write(clock.now());
            then();
        })
    }

    pub(crate) fn submit(&self, jobs: usize) {
        for _ in 0..jobs {
            self.rig.submit(self.job(|| ())).expect("accepted");
        }
    }

    /// Lets time pass, and waits until so many jobs in all have started.
    pub(crate) fn advance(&self, by: Duration, started: usize) {
        self.clock.advance(by);
        eventually(|| self.starts.len() >= started);
        assert_eq!(self.starts.len(), started);
    }

    /// After how many milliseconds of the pool's life each job started.
    pub(crate) fn starts(&self) -> Vec<u128> {
        let starts = self.starts.lines().into_iter();
        starts
            .map(|start| (start - self.birth).as_millis())
            .collect()
    }

    /// Closes the pool and waits for its threads; the clock stands still.
    pub(crate) fn finish(&self) {
        self.rig.finish();
        let (stats, tally) = self.rig.stats_and_tally();
        assert_eq!((stats.in_flight, stats.queued), (0, 0), "{stats:?}");
        assert_eq!(tally.started, self.starts.len() as u64);
        assert_eq!(tally.submitted, tally.started + tally.cancelled);
    }
}

#[test]
fn tasks_start_one_interval_apart_however_many_workers_there_are() {
    within_limit(|| {
        for capacity in [1, 4] {
            let scene = Scene::new(capacity);
            scene.submit(8);
            scene.advance(Duration::ZERO, 1);
            for started in 2..=8 {
                scene.advance(INTERVAL / 2, started - 1);
                scene.advance(INTERVAL / 2, started);
            }
            scene.rig.wait();
            assert_eq!(scene.starts(), [0, 100, 200, 300, 400, 500, 600, 700]);
            scene.finish();
        }
    });
}

#[test]
fn tasks_that_take_longer_than_the_interval_run_side_by_side() {
    within_limit(|| {
        let scene = Scene::new(3);
        let gate = Gate::default();
        for _ in 0..5 {
            let job = scene.job(gate.waits());
            scene.rig.submit(job).expect("accepted");
        }
        scene.advance(Duration::ZERO, 1);
        scene.advance(INTERVAL, 2);
        scene.advance(INTERVAL, 3);
        // All workers are busy: the fourth is late, and the fifth is not early for that.
        scene.advance(10 * INTERVAL, 3);
        gate.open();
        scene.advance(Duration::ZERO, 4);
        scene.advance(INTERVAL, 5);
        scene.rig.wait();
        scene.finish();
    });
}

#[test]
fn what_was_not_started_in_a_pause_is_not_made_up_for() {
    within_limit(|| {
        let scene = Scene::new(4);
        scene.submit(10);
        scene.advance(Duration::ZERO, 1);
        scene.advance(5 * INTERVAL, 2);
        scene.advance(INTERVAL, 3);
        scene.rig.cancel_queued();
        scene.rig.wait();
        // A second without work earns nothing either.
        scene.clock.advance(10 * INTERVAL);
        scene.submit(2);
        scene.advance(Duration::ZERO, 4);
        scene.advance(INTERVAL, 5);
        scene.rig.wait();
        assert_eq!(scene.starts(), [0, 500, 600, 1600, 1700]);
        scene.finish();
    });
}

#[test]
fn a_closed_pool_keeps_to_the_rate() {
    within_limit(|| {
        let scene = Scene::new(2);
        scene.submit(3);
        scene.advance(Duration::ZERO, 1);
        scene.rig.close();
        scene.advance(INTERVAL, 2);
        scene.advance(INTERVAL, 3);
        scene.finish();
        assert_eq!(scene.ledger.settle().ran, 3);
    });
}

#[test]
fn a_paused_pool_starts_nothing_when_it_is_due() {
    within_limit(|| {
        let scene = Scene::new(2);
        scene.submit(3);
        scene.advance(Duration::ZERO, 1);
        scene.rig.pause();
        scene.clock.advance(5 * INTERVAL);
        eventually(|| scene.rig.stats().idle == scene.rig.stats().running);
        assert_eq!(scene.starts.len(), 1);
        scene.rig.resume();
        scene.advance(Duration::ZERO, 2);
        scene.advance(INTERVAL, 3);
        scene.rig.wait();
        scene.finish();
    });
}

#[test]
fn a_pool_that_shrinks_while_a_worker_waits_for_its_time_keeps_to_both() {
    within_limit(|| {
        let scene = Scene::new(2);
        let gate = Gate::default();
        let job = scene.job(gate.waits());
        scene.rig.submit(job).expect("accepted");
        scene.submit(2);
        scene.advance(Duration::ZERO, 1);
        eventually(|| scene.rig.stats().running == 2);
        scene.rig.tune(1, &Attached::new()).expect("a good size");
        // The one that waits is one too many, and the other is busy.
        scene.clock.advance(INTERVAL);
        eventually(|| scene.rig.stats().running == 1);
        assert_eq!(scene.starts.len(), 1);
        gate.open();
        scene.advance(Duration::ZERO, 2);
        scene.advance(INTERVAL, 3);
        scene.rig.wait();
        scene.finish();
    });
}

#[test]
fn a_task_that_its_submitter_runs_keeps_to_the_rate() {
    within_limit(|| {
        let scene = Scene::with(sized(1));
        let (pool, inner) = (scene.rig.0.clone(), scene.job(|| -> () { panic_quietly() }));
        let outer = scene.job(move || submit(&pool, inner).expect("run here"));
        scene.rig.submit(outer).expect("accepted");
        scene.advance(Duration::ZERO, 1);
        thread::yield_now();
        scene.advance(INTERVAL / 2, 1);
        scene.advance(INTERVAL / 2, 2);
        scene.rig.wait();
        assert_eq!(scene.starts(), [0, 100]);
        // And it has moved the start of the next.
        scene.submit(1);
        scene.advance(INTERVAL / 2, 2);
        scene.advance(INTERVAL / 2, 3);
        scene.finish();
    });
}

#[test]
fn a_task_that_goes_in_keeps_to_the_rate() {
    within_limit(|| {
        let scene = Scene::with(sized(1));
        assert!(matches!(
            scene.rig.begin(scene.job(|| ())),
            Ok(Turn::Decided(()))
        ));
        scene.advance(Duration::ZERO, 1);
        scene.rig.wait();
        let taken = scene.rig.begin(scene.job(|| ()));
        assert!(matches!(taken, Ok(Turn::Decided(()))));
        let line = [(); 3].map(|()| scene.rig.line_up(scene.job(|| ())));
        for started in 2..=5 {
            scene.advance(INTERVAL / 2, started - 1);
            scene.advance(INTERVAL / 2, started);
        }
        scene.rig.wait();
        assert!(line.iter().all(|it| it.verdict() == Verdict::Granted));
        assert_eq!(scene.starts(), [0, 100, 200, 300, 400]);
        scene.finish();
    });
}
