//! Rule 8: workers hold only the core, and closing ends them all. Waiting for tasks, and for threads.

use std::{
    sync::{Arc, atomic::Ordering, mpsc},
    thread,
};

use antspy::core::{Config, Refusal, Standing, UNLIMITED, Unfinished};

use crate::{
    host::{Attached, Interrupt, Job, Ledger, Rig, TestPool, sized, submit},
    support::{Gate, eventually, soon, within_limit},
};

/// A pool of one with one task that waits for the gate.
fn busy(config: Config) -> (Rig, Gate) {
    let (rig, gate) = (Rig::new(config), Gate::default());
    rig.submit(Job::new(gate.waits())).expect("a free place");
    (rig, gate)
}

fn queueing(capacity: usize) -> Config {
    Config {
        queue_size: UNLIMITED,
        ..sized(capacity)
    }
}

#[test]
fn a_closed_pool_refuses_new_tasks_and_runs_what_it_has_accepted() {
    within_limit(|| {
        let (rig, gate) = busy(queueing(2));
        let ledger = Ledger::default();
        for _ in 0..50 {
            rig.submit(ledger.job(|| ())).expect("accepted");
        }
        rig.close();
        let refusal = rig.submit(ledger.job(|| ())).expect_err("closed");
        assert!(matches!(refusal, Refusal::Closed), "{refusal:?}");
        gate.open();
        rig.wait_gone();
        let counts = ledger.settle();
        assert_eq!((counts.ran, counts.refused), (50, 1));
        assert!(rig.stats().closed);
    });
}

#[test]
fn at_the_end_of_the_program_a_daemon_is_not_waited_for() {
    within_limit(|| {
        for daemon in [false, true] {
            let (rig, gate) = busy(Config {
                daemon,
                ..queueing(1)
            });
            let ledger = Ledger::default();
            for _ in 0..5 {
                rig.submit(ledger.job(|| ())).expect("accepted");
            }
            rig.0.close_at_end(&Attached::new());
            if daemon {
                // Its worker is busy.
                rig.0.wait_at_end(&Attached::new()).expect("no wait");
            }
            gate.open();
            rig.0.wait_at_end(&Attached::new()).expect("the end");
            let counts = ledger.settle();
            let ends = (counts.ran, counts.discarded + counts.cancelled);
            assert_eq!(ends, if daemon { (0, 5) } else { (5, 0) });
            rig.wait_gone();
        }
    });
}

#[test]
fn whoever_cannot_take_the_lock_sees_the_capacity_and_the_standing() {
    let rig = Rig::new(queueing(3));
    let seen = |standing| {
        let outline = rig.0.outline();
        assert_eq!((outline.capacity, outline.standing), (3, standing));
        let other = Rig::new(queueing(1));
        other
            .0
            .become_like(outline, &Attached::new())
            .expect("it makes sense");
        assert_eq!(other.0.outline(), outline);
        other.close();
    };
    seen(Standing::Open);
    rig.pause();
    seen(Standing::Paused);
    rig.0.resume(&Attached::new());
    seen(Standing::Open);
    rig.pause();
    rig.close();
    seen(Standing::Closed);
    rig.wait_gone();
}

#[test]
fn closing_sends_blocked_submitters_away() {
    within_limit(|| {
        let (rig, gate) = busy(sized(1));
        let ledger = Ledger::default();
        thread::scope(|threads| {
            let submitters: Vec<_> = (0..3)
                .map(|_| threads.spawn(|| rig.submit(ledger.job(|| ()))))
                .collect();
            eventually(|| rig.stats().waiting == 3);
            rig.close();
            for submitter in submitters {
                let refusal = submitter.join().unwrap().expect_err("closed");
                assert!(matches!(refusal, Refusal::Closed), "{refusal:?}");
            }
        });
        gate.open();
        rig.wait_gone();
        assert_eq!(ledger.settle().refused, 3);
    });
}

#[test]
fn closing_ends_all_threads_and_waiting_joins_them() {
    within_limit(|| {
        for _ in 0..50 {
            let config = Config {
                prealloc: true,
                ..sized(5)
            };
            let rig = Rig::new(config);
            for _ in 0..20 {
                rig.submit(Job::new(|| ())).expect("accepted");
            }
            rig.finish();
            // Not eventually: now.
            let tally = &rig.host().tally;
            let entered = tally.entered.load(Ordering::SeqCst);
            assert_eq!(tally.ended.load(Ordering::SeqCst), entered);
            assert!(entered >= 5);
            assert_eq!(rig.stats().running, 0);
        }
    });
}

#[test]
#[cfg(target_os = "linux")]
fn no_thread_is_left_in_the_process() {
    within_limit(|| {
        let rig = Rig::new(Config {
            prealloc: true,
            thread_name_prefix: "closing".into(),
            ..sized(5)
        });
        assert_eq!(rig.stats().running, 5);
        eventually(|| crate::support::threads_named("closing_") == 5);
        rig.finish();
        // The kernel takes a moment to forget a thread that has been joined.
        eventually(|| crate::support::threads_named("closing_") == 0);
    });
}

#[test]
fn nothing_holds_a_closed_pool_once_its_threads_have_ended() {
    within_limit(|| {
        let rig = Rig::new(sized(3));
        for _ in 0..100 {
            rig.submit(Job::new(|| ())).expect("accepted");
        }
        rig.finish();
        assert_eq!(Arc::strong_count(&rig), 1);
    });
}

#[test]
fn closing_twice_does_nothing_more() {
    within_limit(|| {
        let (rig, gate) = busy(sized(1));
        rig.close();
        rig.close();
        gate.open();
        rig.finish();
        rig.finish();
    });
}

#[test]
fn a_release_that_was_late_can_be_waited_for_again() {
    within_limit(|| {
        let (rig, gate) = busy(sized(1));
        let scope = Attached::new();
        rig.close();
        for _ in 0..3 {
            let late = rig
                .0
                .wait_gone(&scope, Some(soon()))
                .expect_err("still busy");
            assert!(matches!(late, Unfinished::TimedOut), "{late:?}");
        }
        gate.open();
        rig.wait_gone();
    });
}

#[test]
fn waiting_for_all_tasks_leaves_the_pool_open() {
    within_limit(|| {
        let rig = Rig::new(queueing(3));
        rig.wait();
        let ledger = Ledger::default();
        for round in 1..=20 {
            for _ in 0..20 {
                rig.submit(ledger.job(thread::yield_now)).expect("accepted");
            }
            rig.wait();
            assert_eq!(ledger.settle().ran, round * 20);
        }
        assert!(!rig.stats().closed);
    });
}

#[test]
fn waiting_ends_only_when_results_have_been_told() {
    within_limit(|| {
        for prompt in [true, false] {
            let rig = Rig::new(sized(1));
            let (telling, gate) = (Gate::default(), Gate::default());
            let (begun, held) = (telling.clone(), gate.clone());
            rig.submit(Job::telling(prompt, move |_, _| {
                begun.open();
                held.pass();
            }))
            .expect("accepted");
            telling.pass();
            let late = rig
                .0
                .wait(&Attached::new(), Some(soon()))
                .expect_err("telling");
            assert!(matches!(late, Unfinished::TimedOut), "{late:?}");
            gate.open();
            rig.wait();
        }
    });
}

#[test]
fn all_who_wait_are_told() {
    within_limit(|| {
        let (rig, gate) = busy(sized(1));
        thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| rig.wait());
            }
            let late = rig
                .0
                .wait(&Attached::new(), Some(soon()))
                .expect_err("busy");
            assert!(matches!(late, Unfinished::TimedOut), "{late:?}");
            gate.open();
        });
    });
}

#[test]
fn a_task_that_would_wait_for_itself_is_told_so() {
    within_limit(|| {
        type Wait = fn(&Arc<TestPool>, &Attached) -> Result<(), Unfinished<Interrupt>>;
        let waits: [Wait; 3] = [
            |pool, scope| pool.wait(scope, None),
            |pool, scope| pool.wait_gone(scope, None),
            |pool, scope| {
                pool.close(scope);
                pool.reboot(scope).map(drop)
            },
        ];
        for wait in waits {
            let rig = Rig::new(sized(2));
            let (tell, told) = mpsc::channel();
            let (pool, told_by_task) = (rig.0.clone(), tell.clone());
            rig.submit(Job::scoped(move |scope| {
                told_by_task.send(wait(&pool, scope)).unwrap();
            }))
            .expect("accepted");
            let answer = told.recv().unwrap();
            assert!(matches!(answer, Err(Unfinished::Itself)), "{answer:?}");
        }
        // Also when its place is free already, and only telling is left.
        let rig = Rig::new(sized(2));
        let (tell, told) = mpsc::channel();
        let pool = rig.0.clone();
        rig.submit(Job::telling(true, move |scope, _| {
            tell.send(pool.wait(scope, None)).unwrap();
        }))
        .expect("accepted");
        let answer = told.recv().unwrap();
        assert!(matches!(answer, Err(Unfinished::Itself)), "{answer:?}");
    });
}

#[test]
fn a_task_may_wait_for_another_pool() {
    within_limit(|| {
        let (outer, inner) = (Rig::new(sized(1)), Rig::new(sized(1)));
        let (tell, told) = mpsc::channel();
        let pool = inner.0.clone();
        outer
            .submit(Job::scoped(move |scope| {
                submit(&pool, Job::new(|| ())).expect("accepted");
                tell.send(pool.wait(scope, None)).unwrap();
            }))
            .expect("accepted");
        told.recv().unwrap().expect("not itself");
        outer.wait();
    });
}
