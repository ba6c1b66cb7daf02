//! What the pool has counted: every task once, and at one moment.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use antspy::core::{Config, Histogram, Overflow, Priority, Refusal, Tally, Terms, UNLIMITED};

use crate::{
    host::{Attached, Clock, Job, Ledger, Rig, TestHost, sized, submit},
    support::{Gate, eventually, occupy, panic_quietly, soon, within_limit},
};

fn queueing(capacity: usize) -> Config {
    Config {
        queue_size: UNLIMITED,
        ..sized(capacity)
    }
}

fn tally(rig: &Rig) -> Tally {
    rig.stats_and_tally().1
}

/// Of how many tasks it tells.
fn told_of(histogram: &Histogram) -> u64 {
    histogram.counts.iter().sum()
}

/// Whether every task that was submitted has become exactly one thing, on a pool that never broke.
fn adds_up(rig: &Rig) -> bool {
    let (stats, tally) = rig.stats_and_tally();
    let ended = tally.completed + tally.failed;
    let running = tally.started - ended;
    tally.submitted == ended + tally.cancelled + stats.queued as u64 + running
}

#[test]
fn every_task_is_counted_as_what_has_become_of_it() {
    within_limit(|| {
        let rig = Rig::new(queueing(1));
        let gate = occupy(&rig);
        let [cancelled, late] = [(); 2].map(|()| Job::new(|| ()));
        let (cancel, end) = (cancelled.fate(), late.fate());
        rig.submit(cancelled).expect("accepted");
        let terms = Terms {
            deadline: Some(Instant::now()),
            ..Terms::default()
        };
        rig.submit_on(terms, late).expect("accepted");
        rig.submit(Job::new(|| panic_quietly())).expect("accepted");
        rig.submit(Job::telling(true, |_, _| ())).expect("accepted");
        assert!(cancel.cancel());
        rig.cancelled();
        eventually(|| tally(&rig).cancelled == 2 && !end.ends().is_empty());
        let counted = tally(&rig);
        assert_eq!((counted.submitted, counted.started), (5, 1));
        assert_eq!((counted.completed, counted.failed), (0, 0));
        gate.open();
        rig.wait();
        let counted = tally(&rig);
        assert_eq!((counted.submitted, counted.started), (5, 3));
        assert_eq!((counted.completed, counted.failed), (2, 1));
        let gate = occupy(&rig);
        rig.submit(Job::new(|| ())).expect("accepted");
        rig.cancel_queued();
        assert_eq!(tally(&rig).cancelled, 3);
        gate.open();
        rig.finish();
        let counted = tally(&rig);
        assert_eq!((counted.discarded, counted.rejected), (0, 0));
        assert!(adds_up(&rig), "{counted:?}");
    });
}

#[test]
fn what_a_full_or_closed_pool_turns_away_is_not_among_the_submitted() {
    within_limit(|| {
        let count = |overflow| {
            let rig = Rig::new(Config {
                overflow,
                ..sized(1)
            });
            let gate = occupy(&rig);
            let timeout = Terms {
                timeout: Some(soon()),
                ..Terms::default()
            };
            if let Err(why) = rig.submit_on(timeout, Job::new(|| ())) {
                assert!(matches!(why, Refusal::Overload | Refusal::TimedOut));
            }
            gate.open();
            rig.finish();
            rig.submit(Job::new(|| ())).expect_err("closed");
            assert!(adds_up(&rig));
            let tally = tally(&rig);
            (tally.submitted, tally.discarded, tally.rejected)
        };
        assert_eq!(count(Overflow::Block), (1, 0, 2));
        assert_eq!(count(Overflow::Raise), (1, 0, 2));
        assert_eq!(count(Overflow::Discard), (1, 1, 1));
        assert_eq!(count(Overflow::CallerRuns), (2, 0, 1));
    });
}

#[test]
fn what_a_broken_pool_ends_has_failed() {
    within_limit(|| {
        let rig = Rig::new(queueing(2));
        let (gate, ledger) = (occupy(&rig), Ledger::default());
        rig.host().fail_to_initialize("no licence");
        rig.submit(ledger.job(|| ())).expect("accepted");
        eventually(|| rig.stats().closed && rig.stats().queued == 0);
        gate.open();
        rig.wait_gone();
        let tally = tally(&rig);
        assert_eq!((tally.submitted, tally.started), (2, 1));
        assert_eq!((tally.completed, tally.failed), (1, 1));
    });
}

#[test]
fn workers_that_expire_are_counted_and_those_sent_home_are_not() {
    within_limit(|| {
        let clock = Clock::toy();
        let config = Config {
            prealloc: true,
            ..sized(4)
        };
        let rig = Rig::with_host(TestHost::with_clock(clock.clone()), config);
        eventually(|| rig.stats().idle == 4);
        rig.tune(3, &Attached::new()).expect("a good size");
        assert_eq!(tally(&rig).expired, 0);
        clock.advance(Duration::from_secs(10));
        eventually(|| rig.stats().running == 0);
        assert_eq!(tally(&rig).expired, 3);
    });
}

#[test]
fn the_time_in_the_queue_and_the_time_of_the_run_are_told() {
    within_limit(|| {
        let clock = Clock::toy();
        let rig = Rig::with_host(TestHost::with_clock(clock.clone()), queueing(1));
        let (gate, held) = (occupy(&rig), Gate::default());
        let (begun, waits) = (Gate::default(), held.waits());
        let opens = begun.clone();
        rig.submit(Job::new(move || {
            opens.open();
            waits();
        }))
        .expect("accepted");
        // A task that was cancelled has not started, however long it stood in the queue.
        let cancelled = Job::new(|| ());
        let fate = cancelled.fate();
        rig.submit(cancelled).expect("accepted");
        assert!(fate.cancel());
        rig.cancelled();
        // The first runs for one second, while the second waits; that runs for four.
        clock.advance(Duration::from_secs(1));
        gate.open();
        begun.pass();
        clock.advance(Duration::from_secs(4));
        held.open();
        rig.wait();
        eventually(|| rig.stats().idle == 1);
        let tally = tally(&rig);
        let second = 1_000_000_000;
        assert_eq!(tally.queue_time.total, second);
        assert_eq!(tally.run_time.total, 5 * second);
        // 2^29 <= a second < 2^30, in nanoseconds.
        let [queued, run] = [&tally.queue_time, &tally.run_time].map(|it| it.counts);
        assert_eq!((queued[0], queued[29]), (1, 1));
        assert_eq!((run[29], run[31]), (1, 1));
        assert_eq!(
            (told_of(&tally.queue_time), told_of(&tally.run_time)),
            (2, 2)
        );
    });
}

#[test]
fn of_a_burst_some_tasks_are_timed_and_stand_for_all() {
    const TASKS: u64 = 10_000;
    within_limit(|| {
        // The clock stands still: a burst of any speed.
        let rig = Rig::with_host(TestHost::with_clock(Clock::toy()), queueing(2));
        for _ in 0..TASKS {
            rig.submit(Job::new(|| ())).expect("accepted");
        }
        rig.wait();
        eventually(|| rig.stats().idle == rig.stats().running);
        let tally = tally(&rig);
        assert_eq!(tally.completed, TASKS);
        for histogram in [&tally.queue_time, &tally.run_time] {
            let told_of = told_of(histogram);
            assert!((TASKS - 31..=TASKS).contains(&told_of), "of {told_of}");
        }
    });
}

/// Does one of all things that can be done with a pool.
fn operate(rig: &Rig, number: u64) {
    let pool = rig.0.clone();
    let job = match number % 7 {
        0 => Job::new(|| panic_quietly()),
        1 => Job::telling(number.is_multiple_of(2), |_, _| ()),
        2 => Job::scoped(move |scope| {
            // It runs another in its midst.
            let inner = Job::new(|| ()).tagged(1);
            let future = inner.future();
            submit(&pool, inner).expect("queued");
            if number.is_multiple_of(2) {
                pool.run_waited(future.job(), scope);
            } else {
                pool.run_queued(|job| job.tag() == 1, scope);
            }
        }),
        3 => Job::scoped(move |scope| pool.run_here(Job::new(|| ()), scope)),
        _ => Job::new(|| ()),
    };
    let fate = job.fate();
    let priorities = [Priority::High, Priority::Normal, Priority::Low];
    let after = Duration::from_micros(number % 5 * 20);
    let terms = Terms {
        priority: priorities[usize::try_from(number % 3).unwrap()],
        deadline: number.is_multiple_of(4).then(|| Instant::now() + after),
        ..Terms::default()
    };
    rig.submit_on(terms, job).expect("accepted");
    if number.is_multiple_of(6) && fate.cancel() {
        rig.cancelled();
    }
    if number.is_multiple_of(97) {
        rig.cancel_queued();
    }
}

#[test]
fn every_task_is_counted_once_whatever_is_done_to_the_pool() {
    within_limit(|| {
        const ROUNDS: u64 = 10;
        const EACH: u64 = 200;
        const SUBMITTERS: usize = 3;
        let rig = Rig::new(queueing(3));
        let all = Barrier::new(SUBMITTERS + 1);
        thread::scope(|threads| {
            for _ in 0..SUBMITTERS {
                threads.spawn(|| {
                    for round in 0..ROUNDS {
                        all.wait();
                        (0..EACH).for_each(|number| operate(&rig, round * EACH + number));
                        all.wait();
                    }
                });
            }
            for round in 0..ROUNDS {
                all.wait();
                for size in [1, 5, UNLIMITED, 2, 3].repeat(20) {
                    rig.pause();
                    rig.tune(size, &Attached::new()).expect("a good size");
                    thread::yield_now();
                    rig.resume();
                }
                all.wait();
                // With tasks in the queue and nobody at work.
                rig.pause();
                rig.submit(Job::new(|| ())).expect("accepted");
                eventually(|| rig.stats().idle == rig.stats().running);
                eventually(|| adds_up(&rig));
                assert!(rig.stats().queued > 0);
                rig.resume();
                rig.wait();
                if round % 3 == 0 {
                    rig.finish();
                    let rebooted = rig.reboot(&Attached::new()).expect("no signal");
                    rebooted.expect("threads");
                }
                eventually(|| adds_up(&rig));
                assert_eq!(rig.stats().queued, 0);
            }
        });
        rig.finish();
        assert!(adds_up(&rig));
        let (stats, tally) = rig.stats_and_tally();
        assert_eq!(tally.started, tally.completed + tally.failed, "{tally:?}");
        assert_eq!((stats.in_flight, stats.queued), (0, 0), "{stats:?}");
    });
}
