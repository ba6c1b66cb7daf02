//! Deadlines of queued tasks. On a clock that the tests set.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use antspy::core::{Config, Host, Refusal, Terms, UNLIMITED, Verdict};

use crate::{
    host::{Clock, End, Fate, Interrupt, Job, Ledger, Rig, TestHost, Why, sized},
    support::{Alive, Gate, Log, eventually, occupy, within_limit},
};

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn by(deadline: Instant) -> Terms {
    Terms {
        deadline: Some(deadline),
        ..Terms::default()
    }
}

/// A pool of one on a clock that the test sets.
pub(crate) struct Scene {
    pub(crate) rig: Rig,
    pub(crate) clock: Clock,
    pub(crate) ledger: Ledger,
}

impl Scene {
    /// The first bytes of its threads' names must be its own for a test that counts them.
    pub(crate) fn named(prefix: &str, queue_size: usize) -> Self {
        let clock = Clock::toy();
        let config = Config {
            queue_size,
            expiry: Some(seconds(10)),
            thread_name_prefix: prefix.into(),
            ..sized(1)
        };
        let rig = Rig::with_host(TestHost::with_clock(clock.clone()), config);
        let ledger = Ledger::default();
        Self { rig, clock, ledger }
    }

    pub(crate) fn new(queue_size: usize) -> Self {
        Self::named("antspy", queue_size)
    }

    /// Submits a job that must have started `after` this time from now.
    pub(crate) fn submit(&self, after: Duration) -> Arc<Fate> {
        let job = self.ledger.job(|| ());
        let fate = job.fate();
        self.submit_job(after, job).expect("accepted");
        fate
    }

    pub(crate) fn submit_job(&self, after: Duration, job: Job) -> Result<(), Refusal<Interrupt>> {
        self.rig.submit_on(self.within(after), job)
    }

    /// On these terms a job must have started `after` this time from now.
    pub(crate) fn within(&self, after: Duration) -> Terms {
        by(self.rig.host().now() + after)
    }

    fn cancel(&self, fate: &Fate) {
        assert!(fate.cancel());
        self.rig.cancelled();
    }

    /// What must be so once all is over.
    pub(crate) fn check_books(&self) {
        let (stats, tally) = self.rig.stats_and_tally();
        assert_eq!((stats.in_flight, stats.queued), (0, 0), "{stats:?}");
        let ended = tally.completed + tally.failed + tally.cancelled;
        assert_eq!(tally.submitted, ended, "{tally:?}");
    }
}

pub(crate) fn late() -> [End; 1] {
    [End::Discarded(Why::Late)]
}

#[test]
fn a_late_task_is_ended_while_all_workers_are_busy_and_its_place_is_free() {
    within_limit(|| {
        let scene = Scene::new(1);
        let gate = occupy(&scene.rig);
        let fate = scene.submit(seconds(1));
        thread::scope(|threads| {
            let submitter = threads.spawn(|| scene.rig.submit(scene.ledger.job(|| ())));
            eventually(|| scene.rig.stats().waiting == 1);
            scene.clock.advance(Duration::from_millis(999));
            assert_eq!(scene.rig.stats().queued, 1);
            scene.clock.advance(Duration::from_millis(1));
            let accepted = submitter.join().unwrap();
            accepted.expect("accepted, the gate still shut");
        });
        assert_eq!(fate.ends(), late());
        let (stats, tally) = scene.rig.stats_and_tally();
        assert_eq!((stats.in_flight, stats.queued), (2, 1));
        assert_eq!((tally.cancelled, tally.started), (1, 1));
        gate.open();
        scene.rig.wait();
        assert_eq!(scene.ledger.settle().ran, 1);
        scene.check_books();
    });
}

#[test]
fn a_task_that_starts_in_time_runs_however_long() {
    within_limit(|| {
        let scene = Scene::new(UNLIMITED);
        let gate = occupy(&scene.rig);
        let (begun, held) = (Gate::default(), Gate::default());
        let (opens, waits) = (begun.clone(), held.waits());
        let job = scene.ledger.job(move || {
            opens.open();
            waits();
        });
        scene.submit_job(seconds(1), job).expect("accepted");
        scene.clock.advance(Duration::from_millis(999));
        gate.open();
        begun.pass();
        scene.clock.advance(seconds(100));
        held.open();
        scene.rig.wait();
        assert_eq!(scene.ledger.settle().ran, 1);
        scene.check_books();
    });
}

#[test]
fn tasks_end_by_their_deadlines_wherever_they_stand() {
    within_limit(|| {
        let scene = Scene::new(UNLIMITED);
        let gate = occupy(&scene.rig);
        let fates = [30, 10, 20, 10].map(|after| scene.submit(seconds(after)));
        let ended = || fates.each_ref().map(|fate| fate.ends() == late());
        let expected = [
            (9, [false; 4]),
            (1, [false, true, false, true]),
            (10, [false, true, true, true]),
        ];
        for (step, ends) in expected {
            scene.clock.advance(seconds(step));
            eventually(|| ended() == ends);
            let left = ends.iter().filter(|end| !**end).count();
            eventually(|| scene.rig.stats().in_flight == 1 + left);
            assert_eq!(scene.rig.stats().queued, left);
        }
        gate.open();
        scene.rig.wait();
        assert!(fates[0].ran());
        scene.check_books();
    });
}

#[test]
fn an_earlier_deadline_that_comes_later_is_seen() {
    within_limit(|| {
        let scene = Scene::new(UNLIMITED);
        let gate = occupy(&scene.rig);
        scene.submit(seconds(100));
        let fate = scene.submit(seconds(1));
        let past = scene.submit(Duration::ZERO);
        eventually(|| past.ends() == late());
        scene.clock.advance(seconds(1));
        eventually(|| fate.ends() == late());
        gate.open();
        scene.rig.wait();
        scene.check_books();
    });
}

#[test]
fn a_task_cancelled_before_its_deadline_is_ended_once() {
    within_limit(|| {
        let scene = Scene::new(UNLIMITED);
        let gate = occupy(&scene.rig);
        let cancelled = scene.submit(seconds(1));
        let other = scene.submit(seconds(1));
        scene.cancel(&cancelled);
        scene.clock.advance(seconds(1));
        eventually(|| other.ends() == late());
        eventually(|| scene.rig.stats().in_flight == 1);
        assert_eq!(scene.rig.stats_and_tally().1.cancelled, 2);
        assert_eq!(scene.rig.stats().queued, 0);
        gate.open();
        scene.rig.wait();
        scene.rig.finish();
        assert_eq!(scene.ledger.settle().cancelled, 1);
        scene.check_books();
    });
}

#[test]
fn a_worker_that_meets_a_late_task_first_leaves_it_to_the_watcher() {
    within_limit(|| {
        let scene = Scene::new(UNLIMITED);
        let (begun, held) = (Gate::default(), Gate::default());
        let (opens, waits) = (begun.clone(), held.clone());
        scene.rig.host().hold_visitors(move || {
            opens.open();
            waits.pass();
        });
        let gate = occupy(&scene.rig);
        let fates = [1, 2, 2].map(|after| scene.submit(seconds(after)));
        scene.cancel(&fates[2]);
        let last = scene.ledger.job(|| ());
        let ran = last.fate();
        scene.rig.submit(last).expect("accepted");
        // The watcher has taken the first and is held up; now the others are late, too.
        scene.clock.advance(seconds(1));
        begun.pass();
        scene.clock.advance(seconds(1));
        gate.open();
        eventually(|| ran.ran());
        eventually(|| scene.rig.stats().idle == 1);
        let (stats, tally) = scene.rig.stats_and_tally();
        assert_eq!((stats.in_flight, stats.queued), (2, 0));
        assert_eq!((tally.started, tally.cancelled), (2, 1));
        held.open();
        scene.rig.wait();
        assert_eq!(fates[0].ends(), late());
        assert_eq!(fates[1].ends(), late());
        scene.rig.finish();
        scene.check_books();
    });
}

#[test]
fn who_submits_with_deadlines_and_cancels_does_not_fill_the_memory() {
    within_limit(|| {
        let scene = Scene::new(UNLIMITED);
        let gate = occupy(&scene.rig);
        let alive: Arc<AtomicUsize> = Arc::default();
        for _ in 0..1_000 {
            let held = Alive::new(&alive);
            let job = scene.ledger.job(move || drop(held));
            let fate = job.fate();
            scene.submit_job(seconds(3600), job).expect("queued");
            scene.cancel(&fate);
        }
        let most = alive.load(Ordering::SeqCst);
        assert!(most <= 64, "{most} remains in the queue");
        gate.open();
        scene.rig.finish();
        assert_eq!(alive.load(Ordering::SeqCst), 0);
        scene.check_books();
    });
}

#[test]
fn every_task_ends_exactly_once_whoever_is_first() {
    within_limit(|| {
        for round in 0..20 {
            let rig = Rig::new(Config {
                queue_size: if round % 2 == 0 { 3 } else { UNLIMITED },
                ..sized(2)
            });
            let (ledger, ran) = (Ledger::default(), Log::default());
            thread::scope(|threads| {
                for _ in 0..3 {
                    threads.spawn(|| {
                        for number in 0..150_u32 {
                            let log = ran.clone();
                            let job = ledger.job(move || {
                                log.write(());
                                thread::sleep(Duration::from_micros(50));
                            });
                            let fate = job.fate();
                            let after = Duration::from_micros(20) * (number % 16);
                            let _ = rig.submit_on(by(Instant::now() + after), job);
                            if number % 5 == 0 && fate.cancel() {
                                rig.cancelled();
                            }
                        }
                    });
                }
            });
            rig.wait();
            rig.finish();
            let (stats, tally) = rig.stats_and_tally();
            assert_eq!((stats.in_flight, stats.queued), (0, 0), "{stats:?}");
            let counts = ledger.settle();
            assert_eq!(counts.ran, ran.len());
            assert_eq!(tally.rejected, counts.refused as u64);
            assert_eq!(tally.completed, counts.ran as u64);
            let cancelled = counts.cancelled + counts.discarded;
            assert_eq!(tally.cancelled, cancelled as u64);
        }
    });
}

#[test]
fn a_task_with_a_deadline_that_went_in_is_watched() {
    within_limit(|| {
        let scene = Scene::new(1);
        let gate = occupy(&scene.rig);
        let first = scene.submit(seconds(1));
        scene.clock.advance(seconds(1));
        eventually(|| first.ends() == late());
        eventually(|| scene.rig.stats().in_flight == 1);
        let far = scene.submit(seconds(1000));
        // The watcher has nothing to do now but to sleep until then, which takes no time to speak of.
        thread::sleep(Duration::from_millis(5));
        let jobs = [scene.ledger.job(|| ()), scene.ledger.job(|| ())];
        let fates = jobs.each_ref().map(Job::fate);
        let line = jobs.map(|job| scene.rig.line_up_on(scene.within(seconds(10)), job));
        assert!(far.cancel());
        scene.rig.cancelled();
        assert_eq!(line[0].verdict(), Verdict::Granted);
        // It is late in the queue; the place that it leaves is for the next, which is late in the queue, too.
        scene.clock.advance(seconds(10));
        eventually(|| fates.iter().all(|fate| fate.ends() == late()));
        eventually(|| scene.rig.stats().in_flight == 1);
        assert_eq!(line[1].verdict(), Verdict::Granted);
        gate.open();
        scene.rig.finish();
        scene.check_books();
        assert_eq!(scene.rig.stats_and_tally().1.cancelled, 4);
    });
}

#[test]
fn a_task_whose_deadline_passes_in_line_comes_back() {
    within_limit(|| {
        let scene = Scene::new(0);
        let gate = occupy(&scene.rig);
        let terms = scene.within(seconds(10));
        let coroutine = scene.rig.line_up_on(terms, scene.ledger.job(|| ()));
        assert_eq!(terms.place_by(scene.rig.host()), terms.deadline);
        scene.clock.advance(seconds(10));
        let refusal = coroutine.proceed().expect_err("late");
        assert!(matches!(refusal, Refusal::TimedOut), "{refusal:?}");
        gate.open();
        scene.rig.finish();
        assert_eq!(scene.rig.stats_and_tally().1.rejected, 1);
        scene.check_books();
        assert_eq!(scene.ledger.settle().refused, 1);
    });
}

#[test]
fn a_timeout_is_over_before_a_deadline_that_is_later() {
    let now = Instant::now();
    let host = TestHost::new();
    let terms = |timeout, deadline| Terms {
        timeout,
        deadline,
        ..Terms::default()
    };
    let (first, last) = (Some(now), Some(now + seconds(1)));
    assert_eq!(terms(first, last).place_by(&host), first);
    assert_eq!(terms(last, first).place_by(&host), first);
    assert_eq!(terms(last, None).place_by(&host), last);
    assert_eq!(terms(None, None).place_by(&host), None);
}
