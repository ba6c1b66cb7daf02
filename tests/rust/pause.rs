//! A paused pool accepts tasks and starts none.

use std::{
    sync::{Arc, Barrier, Mutex},
    thread,
    time::Duration,
};

use antspy::core::{Config, Host, Overflow, Refusal, Terms, UNLIMITED, Unfinished, Verdict};

use crate::{
    host::{Attached, Clock, End, Job, Ledger, Rig, TestHost, Why, sized},
    support::{Gate, eventually, occupy, soon, within_limit},
};

fn queueing(capacity: usize) -> Config {
    Config {
        queue_size: UNLIMITED,
        ..sized(capacity)
    }
}

/// A paused pool with so many tasks, none of which has started.
fn paused(config: Config, tasks: usize) -> (Rig, Ledger) {
    let (rig, ledger) = (Rig::new(config), Ledger::default());
    rig.pause();
    for _ in 0..tasks {
        rig.submit(ledger.job(|| ())).expect("accepted");
    }
    (rig, ledger)
}

/// Waits until no worker is busy or about to look, and checks that none has started more tasks than these.
fn rests(rig: &Rig, started: u64) {
    eventually(|| rig.stats().idle == rig.stats().running);
    assert_eq!(rig.stats_and_tally().1.started, started);
}

#[test]
fn those_that_run_go_on_and_nothing_else_starts() {
    within_limit(|| {
        let rig = Rig::new(Config {
            queue_size: 1,
            overflow: Overflow::Raise,
            ..sized(2)
        });
        let (gate, ledger) = (occupy(&rig), Ledger::default());
        rig.pause();
        assert!(rig.stats().paused && !rig.stats().closed);
        for _ in 0..2 {
            rig.submit(ledger.job(|| ())).expect("a free place");
        }
        let refusal = rig.submit(ledger.job(|| ())).expect_err("full");
        assert!(matches!(refusal, Refusal::Overload), "{refusal:?}");
        gate.open();
        eventually(|| rig.stats().in_flight == 2);
        rests(&rig, 1);
        assert_eq!(rig.stats().queued, 2);
        // The place of the one that ran is free.
        rig.submit(ledger.job(|| ())).expect("a free place");
        let late = rig.0.wait(&Attached::new(), Some(soon()));
        assert!(matches!(late, Err(Unfinished::TimedOut)), "{late:?}");
        rests(&rig, 1);
        rig.resume();
        assert!(!rig.stats().paused);
        rig.wait();
        assert_eq!(ledger.settle().ran, 3);
    });
}

#[test]
fn a_wait_ends_when_all_has_run_after_the_pause() {
    within_limit(|| {
        let (rig, ledger) = paused(queueing(2), 5);
        thread::scope(|threads| {
            let waiter = threads.spawn(|| rig.wait());
            rests(&rig, 0);
            assert!(!waiter.is_finished());
            rig.resume();
        });
        assert_eq!(ledger.settle().ran, 5);
    });
}

#[test]
fn a_blocked_submitter_gets_a_place_and_its_task_waits() {
    within_limit(|| {
        let (rig, ledger) = (Rig::new(sized(1)), Ledger::default());
        let gate = occupy(&rig);
        rig.pause();
        thread::scope(|threads| {
            let submitter = threads.spawn(|| rig.submit(ledger.job(|| ())));
            eventually(|| rig.stats().waiting == 1);
            gate.open();
            submitter.join().unwrap().expect("accepted");
        });
        rests(&rig, 1);
        assert_eq!(rig.stats().queued, 1);
        rig.resume();
        rig.wait();
        assert_eq!(ledger.settle().ran, 1);
    });
}

#[test]
fn as_many_run_at_once_after_the_pause_as_the_capacity_allows() {
    within_limit(|| {
        for prealloc in [false, true] {
            let rig = Rig::new(Config {
                prealloc,
                ..queueing(4)
            });
            rig.pause();
            // They wait for each other: with fewer than four workers they would for ever.
            let barrier = Arc::new(Barrier::new(4));
            for _ in 0..4 {
                let barrier = barrier.clone();
                let waits = move || {
                    barrier.wait();
                };
                rig.submit(Job::new(waits)).expect("accepted");
            }
            rests(&rig, 0);
            assert_eq!(rig.stats().running, if prealloc { 4 } else { 1 });
            rig.resume();
            rig.wait();
        }
    });
}

#[test]
fn closing_ends_the_pause_and_what_was_accepted_runs() {
    within_limit(|| {
        for expired in [false, true] {
            let clock = Clock::toy();
            let rig = Rig::with_host(TestHost::with_clock(clock.clone()), queueing(2));
            let ledger = Ledger::default();
            rig.pause();
            for _ in 0..3 {
                rig.submit(ledger.job(|| ())).expect("accepted");
            }
            rests(&rig, 0);
            if expired {
                // Nobody is left to come for the queue.
                clock.advance(Duration::from_secs(20));
                eventually(|| rig.stats().running == 0);
            }
            rig.close();
            assert!(rig.stats().closed && !rig.stats().paused);
            rig.pause();
            assert!(!rig.stats().paused, "there is nothing to pause");
            rig.wait_gone();
            assert_eq!(ledger.settle().ran, 3);
            let rebooted = rig.reboot(&Attached::new()).expect("no signal");
            rebooted.expect("threads");
            assert!(!rig.stats().paused, "a new life");
        }
    });
}

#[test]
fn a_pool_tuned_in_a_pause_is_as_large_after_it() {
    within_limit(|| {
        let rig = Rig::new(sized(3));
        rig.pause();
        let (gate, ledger) = (Gate::default(), Ledger::default());
        for _ in 0..3 {
            rig.submit(ledger.job(gate.waits())).expect("a place");
        }
        let scope = Attached::new();
        rig.tune(1, &scope).expect("a good size");
        rests(&rig, 0);
        thread::scope(|threads| {
            threads.spawn(|| rig.submit(ledger.job(gate.waits())).expect("accepted"));
            eventually(|| rig.stats().waiting == 1);
            rig.tune(4, &scope).expect("a good size");
            // The new place is for who waited; its task is queued like the others.
            eventually(|| rig.stats().queued == 4);
            rests(&rig, 0);
        });
        rig.tune(2, &scope).expect("a good size");
        rig.resume();
        eventually(|| rig.stats_and_tally().1.started == 2);
        assert_eq!((rig.stats().running, rig.stats().queued), (2, 2));
        gate.open();
        rig.wait();
        assert_eq!(ledger.settle().ran, 4);
    });
}

#[test]
fn workers_expire_in_a_pause_and_others_come_after_it() {
    within_limit(|| {
        let clock = Clock::toy();
        let rig = Rig::with_host(TestHost::with_clock(clock.clone()), queueing(2));
        let ledger = Ledger::default();
        rig.submit(ledger.job(|| ())).expect("accepted");
        rig.wait();
        rig.pause();
        rig.submit(ledger.job(|| ())).expect("accepted");
        rests(&rig, 1);
        clock.advance(Duration::from_secs(20));
        eventually(|| rig.stats().running == 0);
        assert_eq!(rig.stats().queued, 1);
        rig.resume();
        rig.wait();
        assert_eq!(ledger.settle().ran, 2);
        assert_eq!(rig.stats().started, 2);
    });
}

#[test]
fn what_is_cancelled_or_late_ends_in_a_pause_too() {
    within_limit(|| {
        let clock = Clock::toy();
        let rig = Rig::with_host(TestHost::with_clock(clock.clone()), queueing(1));
        let ledger = Ledger::default();
        rig.pause();
        let [cancelled, late, ended] = [(); 3].map(|()| ledger.job(|| ()));
        let fates = [&cancelled, &late, &ended].map(Job::fate);
        rig.submit(cancelled).expect("accepted");
        let deadline = Terms {
            deadline: Some(rig.host().now() + Duration::from_secs(1)),
            ..Terms::default()
        };
        rig.submit_on(deadline, late).expect("accepted");
        rig.submit(ended).expect("accepted");
        assert!(fates[0].cancel());
        rig.cancelled();
        clock.advance(Duration::from_secs(1));
        eventually(|| rig.stats().in_flight == 1);
        rig.cancel_queued();
        rig.wait();
        let ends = fates.map(|fate| fate.ends());
        let [late, ended] = [Why::Late, Why::Cancelled].map(|why| vec![End::Discarded(why)]);
        assert_eq!(ends, [vec![End::Cancelled], late, ended]);
        rests(&rig, 0);
    });
}

#[test]
fn pauses_that_come_and_go_lose_no_task() {
    within_limit(|| {
        for queue_size in [0, UNLIMITED] {
            let rig = Rig::new(Config {
                queue_size,
                ..sized(3)
            });
            let (ledger, left) = (Ledger::default(), Mutex::new(4));
            thread::scope(|threads| {
                for _ in 0..4 {
                    threads.spawn(|| {
                        for _ in 0..500 {
                            rig.submit(ledger.job(|| ())).expect("accepted");
                        }
                        *left.lock().unwrap() -= 1;
                    });
                }
                while *left.lock().unwrap() > 0 {
                    rig.pause();
                    thread::yield_now();
                    rig.resume();
                }
            });
            rig.wait();
            assert_eq!(ledger.settle().ran, 2000);
            assert_eq!(rig.stats().in_flight, 0);
        }
    });
}

#[test]
fn in_a_pause_a_task_goes_in_and_does_not_start() {
    within_limit(|| {
        let rig = Rig::new(sized(1));
        rig.pause();
        let ledger = Ledger::default();
        let job = ledger.job(|| ());
        let fate = job.fate();
        rig.submit(job).expect("accepted");
        let coroutine = rig.line_up(ledger.job(|| ()));
        assert!(fate.cancel());
        rig.cancelled();
        assert_eq!(coroutine.verdict(), Verdict::Granted);
        let stats = rig.stats();
        assert_eq!((stats.in_flight, stats.queued, stats.waiting), (1, 1, 0));
        rig.resume();
        rig.wait();
        let counts = ledger.settle();
        assert_eq!((counts.cancelled, counts.ran), (1, 1));
    });
}
