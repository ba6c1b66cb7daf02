//! Rule 2: in flight <= capacity + `queue_size`, and what a full pool does with one more task.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use antspy::core::{Config, Overflow, Refusal, UNLIMITED};

use crate::{
    host::{Attached, Job, Ledger, Rig, sized, submit},
    support::{Gate, eventually, within_limit},
};

/// A pool whose places are all taken until the gate opens.
fn full(config: Config) -> (Rig, Gate) {
    let (rig, gate) = (Rig::new(config), Gate::default());
    for _ in 0..rig.config().capacity + rig.config().queue_size {
        rig.submit(Job::new(gate.waits())).expect("a free place");
    }
    (rig, gate)
}

#[test]
fn never_more_run_than_the_capacity_nor_are_in_flight_than_there_are_places() {
    within_limit(|| {
        let config = Config {
            queue_size: 2,
            ..sized(3)
        };
        let rig = Rig::new(config);
        let (now, most) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    for _ in 0..200 {
                        let (pool, now, most) = (rig.0.clone(), now.clone(), most.clone());
                        rig.submit(Job::new(move || {
                            most.fetch_max(
                                now.fetch_add(1, Ordering::SeqCst) + 1,
                                Ordering::SeqCst,
                            );
                            assert!(pool.stats().in_flight <= 5);
                            thread::yield_now();
                            now.fetch_sub(1, Ordering::SeqCst);
                        }))
                        .expect("accepted");
                    }
                });
            }
        });
        rig.wait();
        assert!(most.load(Ordering::SeqCst) <= 3);
        assert_eq!(now.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn exactly_as_many_are_accepted_as_there_are_places() {
    within_limit(|| {
        for (capacity, queue_size) in [(1, 0), (1, 2), (3, 0), (2, 5)] {
            let (rig, gate) = full(Config {
                queue_size,
                overflow: Overflow::Raise,
                ..sized(capacity)
            });
            let refusal = rig.submit(Job::new(|| ())).expect_err("full");
            assert!(matches!(refusal, Refusal::Overload), "{refusal:?}");
            eventually(|| rig.stats().queued == queue_size);
            assert_eq!(rig.stats().in_flight, capacity + queue_size);
            gate.open();
            rig.wait();
            rig.submit(Job::new(|| ())).expect("free again");
        }
    });
}

#[test]
fn a_submit_to_a_full_pool_waits_for_a_place() {
    within_limit(|| {
        let (rig, gate) = full(sized(1));
        let pool = rig.0.clone();
        let submitter = thread::spawn(move || submit(&pool, Job::new(|| ())));
        eventually(|| rig.stats().waiting == 1);
        assert!(!submitter.is_finished());
        gate.open();
        submitter.join().unwrap().expect("accepted in the end");
        rig.wait();
        assert_eq!(rig.stats().waiting, 0);
    });
}

#[test]
fn blocked_submitters_come_in_as_they_came() {
    within_limit(|| {
        let (rig, gate) = full(sized(1));
        let order: Arc<Mutex<Vec<usize>>> = Arc::default();
        thread::scope(|threads| {
            for number in 0..6 {
                let (rig, order) = (&rig, order.clone());
                threads.spawn(move || {
                    rig.submit(Job::new(move || order.lock().unwrap().push(number)))
                        .expect("accepted");
                });
                eventually(|| rig.stats().waiting == number + 1);
            }
            gate.open();
        });
        rig.wait();
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4, 5]);
    });
}

#[test]
fn a_place_is_given_to_who_waits_before_any_newcomer_can_see_it() {
    within_limit(|| {
        for prompt in [true, false] {
            let (rig, gate) = (Rig::new(sized(1)), Gate::default());
            let (tell, told) = mpsc::channel();
            // The first who could take the place is the worker that has just given it back.
            let pool = rig.0.clone();
            rig.submit(Job::working_and_telling(
                gate.waits(),
                prompt,
                move |_, _| tell.send(pool.stats()).unwrap(),
            ))
            .expect("accepted");
            thread::scope(|threads| {
                threads.spawn(|| rig.submit(Job::new(|| ())).expect("accepted"));
                eventually(|| rig.stats().waiting == 1);
                gate.open();
            });
            let stats = told.recv().unwrap();
            assert_eq!((stats.in_flight, stats.waiting), (1, 0));
        }
    });
}

#[test]
fn beyond_max_blocking_a_submit_is_refused() {
    within_limit(|| {
        let (rig, gate) = full(Config {
            max_blocking: 2,
            ..sized(1)
        });
        let ledger = Ledger::default();
        thread::scope(|threads| {
            for waiting in 1..=2 {
                threads.spawn(|| rig.submit(ledger.job(|| ())).expect("accepted"));
                eventually(|| rig.stats().waiting == waiting);
            }
            let refusal = rig.submit(ledger.job(|| ())).expect_err("too many wait");
            assert!(matches!(refusal, Refusal::Overload), "{refusal:?}");
            gate.open();
        });
        rig.wait();
        let counts = ledger.settle();
        assert_eq!((counts.ran, counts.refused), (2, 1));
    });
}

#[test]
fn nobody_waits_where_nobody_may() {
    within_limit(|| {
        let (rig, gate) = full(Config {
            max_blocking: 0,
            ..sized(1)
        });
        rig.submit(Job::new(|| ())).expect_err("full");
        gate.open();
    });
}

#[test]
fn the_caller_runs_what_the_pool_cannot_take() {
    within_limit(|| {
        let (rig, gate) = full(Config {
            overflow: Overflow::CallerRuns,
            ..sized(1)
        });
        let here = thread::current().id();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (by_body, by_tell) = (seen.clone(), seen.clone());
        rig.submit(Job::new(move || {
            by_body.lock().unwrap().push(thread::current().id());
        }))
        .expect("run here");
        rig.submit(Job::telling(true, move |_, busy| {
            busy();
            by_tell.lock().unwrap().push(thread::current().id());
        }))
        .expect("run here");
        assert_eq!(*seen.lock().unwrap(), [here, here]);
        assert_eq!(rig.stats().in_flight, 1, "the caller's own is not counted");
        gate.open();
        rig.finish();
        rig.submit(Job::new(|| ()))
            .expect_err("closed pools run nothing");
    });
}

#[test]
fn what_overflows_is_discarded_and_told_so() {
    within_limit(|| {
        let (rig, gate) = full(Config {
            overflow: Overflow::Discard,
            ..sized(1)
        });
        let ledger = Ledger::default();
        rig.submit(ledger.job(|| ())).expect("no error");
        assert_eq!(ledger.settle().discarded, 1);
        gate.open();
    });
}

#[test]
fn an_unlimited_pool_never_makes_anyone_wait() {
    within_limit(|| {
        let rig = Rig::new(sized(UNLIMITED));
        let scope = Attached::new();
        let gate = Gate::default();
        for _ in 0..50 {
            rig.submit_from(&scope, Job::new(gate.waits()));
        }
        assert_eq!(scope.blocks(), 0);
        eventually(|| rig.stats().running == 50);
        assert_eq!(rig.stats().capacity, None);
        assert_eq!(rig.stats().free(), None);
        gate.open();
        rig.wait();
    });
}
