//! Tasks are cancelled while they wait in the queue.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use antspy::core::{Config, Overflow, UNLIMITED};

use crate::{
    host::{Attached, Fate, Job, Ledger, Rig, sized},
    support::{Alive, Gate, eventually, within_limit},
};

/// A pool of one whose worker waits for the gate.
fn busy(queue_size: usize, overflow: Overflow) -> (Rig, Gate) {
    let rig = Rig::new(Config {
        queue_size,
        overflow,
        ..sized(1)
    });
    let gate = Gate::default();
    rig.submit(Job::new(gate.waits())).expect("a free place");
    eventually(|| rig.stats().queued == 0);
    (rig, gate)
}

fn cancel(rig: &Rig, fate: &Fate) -> bool {
    let cancelled = fate.cancel();
    if cancelled {
        rig.cancelled();
    }
    cancelled
}

#[test]
fn the_place_of_a_cancelled_task_is_free_at_once() {
    within_limit(|| {
        let (rig, gate) = busy(1, Overflow::Raise);
        let ledger = Ledger::default();
        let job = ledger.job(|| ());
        let fate = job.fate();
        rig.submit(job).expect("queued");
        rig.submit(Job::new(|| ())).expect_err("full");
        assert!(cancel(&rig, &fate));
        assert_eq!(rig.stats().in_flight, 1);
        assert_eq!(rig.stats().queued, 0, "what is left of it is not counted");
        rig.submit(ledger.job(|| ())).expect("its place");
        assert_eq!(rig.stats().queued, 1);
        gate.open();
        rig.wait();
        let counts = ledger.settle();
        assert_eq!((counts.cancelled, counts.ran), (1, 1));
        assert_eq!(rig.stats().queued, 0);
    });
}

#[test]
fn a_blocked_submitter_gets_the_place_of_a_cancelled_task() {
    within_limit(|| {
        let (rig, gate) = busy(1, Overflow::Block);
        let job = Job::new(|| ());
        let fate = job.fate();
        rig.submit(job).expect("queued");
        thread::scope(|threads| {
            let submitter = threads.spawn(|| rig.submit(Job::new(|| ())));
            eventually(|| rig.stats().waiting == 1);
            assert!(cancel(&rig, &fate));
            submitter
                .join()
                .unwrap()
                .expect("accepted, the gate still shut");
        });
        gate.open();
        rig.wait();
    });
}

#[test]
fn a_wait_ends_with_the_last_cancellation() {
    within_limit(|| {
        let (rig, gate) = busy(UNLIMITED, Overflow::Block);
        let job = Job::new(|| ());
        let fate = job.fate();
        rig.submit(job).expect("queued");
        let waiter = {
            let pool = rig.0.clone();
            thread::spawn(move || pool.wait(&Attached::new(), None))
        };
        assert!(cancel(&rig, &fate));
        gate.open();
        waiter.join().unwrap().expect("no signal");
    });
}

#[test]
fn a_task_that_has_begun_cannot_be_cancelled() {
    within_limit(|| {
        let rig = Rig::new(sized(1));
        let (begun, gate) = (Gate::default(), Gate::default());
        let (opens, waits) = (begun.clone(), gate.clone());
        let job = Job::new(move || {
            opens.open();
            waits.pass();
        });
        let fate = job.fate();
        rig.submit(job).expect("accepted");
        begun.pass();
        assert!(!cancel(&rig, &fate));
        gate.open();
        rig.wait();
        assert!(fate.ran());
    });
}

#[test]
fn who_submits_and_cancels_all_the_time_does_not_fill_the_memory() {
    within_limit(|| {
        let (rig, gate) = busy(UNLIMITED, Overflow::Block);
        let alive: Arc<AtomicUsize> = Arc::default();
        let ledger = Ledger::default();
        // Some stay, spread among those that do not.
        let (mut most, mut stay) = (0, 0);
        for number in 0..20_000 {
            let held = Alive::new(&alive);
            let job = ledger.job(move || drop(held));
            let fate = job.fate();
            rig.submit(job).expect("queued");
            if number % 100 == 0 {
                stay += 1;
            } else {
                assert!(cancel(&rig, &fate));
            }
            assert_eq!(rig.stats().queued, stay);
            most = most.max(alive.load(Ordering::SeqCst) - stay);
        }
        assert!(most <= 2 * stay.max(128), "{most} remains in the queue");
        gate.open();
        rig.wait();
        assert_eq!(ledger.settle().ran, stay);
        // No task is left, but perhaps remains of some: the worker comes upon them.
        rig.finish();
        assert_eq!(alive.load(Ordering::SeqCst), 0);
        assert_eq!(rig.stats().queued, 0);
    });
}

#[test]
fn cancelling_the_queue_ends_what_has_not_begun() {
    within_limit(|| {
        let (rig, gate) = busy(UNLIMITED, Overflow::Block);
        let ledger = Ledger::default();
        let mut fates = Vec::new();
        for _ in 0..10 {
            let job = ledger.job(|| ());
            fates.push(job.fate());
            rig.submit(job).expect("queued");
        }
        // Some have been cancelled one by one before.
        assert!(cancel(&rig, &fates[3]) && cancel(&rig, &fates[7]));
        rig.cancel_queued();
        let counts = ledger.settle();
        assert_eq!((counts.cancelled, counts.discarded), (2, 8));
        assert_eq!(rig.stats().in_flight, 1, "only the one that runs");
        assert_eq!(rig.stats().queued, 0);
        gate.open();
        rig.wait();
        // The pool is as before.
        rig.submit(ledger.job(|| ())).expect("accepted");
        rig.wait();
        assert_eq!(ledger.settle().ran, 1);
        assert_eq!(rig.stats().queued, 0);
    });
}

#[test]
fn some_tasks_are_cancelled_and_leave_nothing_in_the_queue() {
    within_limit(|| {
        let (rig, gate) = busy(6, Overflow::Raise);
        let ledger = Ledger::default();
        let mut fates = Vec::new();
        for number in 0..6 {
            let job = ledger.job(|| ()).tagged(number % 2);
            fates.push(job.fate());
            rig.submit(job).expect("queued");
        }
        // One of either kind has been cancelled before.
        assert!(cancel(&rig, &fates[1]) && cancel(&rig, &fates[2]));
        rig.0.cancel_each(|job| job.tag() == 1, &Attached::new());
        assert_eq!((rig.stats().in_flight, rig.stats().queued), (3, 2));
        for _ in 0..4 {
            rig.submit(ledger.job(|| ())).expect("their places");
        }
        rig.submit(Job::new(|| ())).expect_err("full");
        gate.open();
        rig.wait();
        let counts = ledger.settle();
        assert_eq!((counts.cancelled, counts.discarded, counts.ran), (2, 2, 6));
        rig.finish();
        assert_eq!((rig.stats().in_flight, rig.stats().queued), (0, 0));
    });
}

#[test]
fn a_blocked_submitter_gets_the_place_of_one_of_several() {
    within_limit(|| {
        let (rig, gate) = busy(1, Overflow::Block);
        rig.submit(Job::new(|| ()).tagged(1)).expect("queued");
        thread::scope(|threads| {
            let submitter = threads.spawn(|| rig.submit(Job::new(|| ())));
            eventually(|| rig.stats().waiting == 1);
            rig.0.cancel_each(|job| job.tag() == 1, &Attached::new());
            submitter
                .join()
                .unwrap()
                .expect("accepted, the gate still shut");
        });
        gate.open();
        rig.wait();
    });
}

#[test]
fn cancelling_races_with_running_and_each_task_ends_once() {
    within_limit(|| {
        for _ in 0..20 {
            let rig = Rig::new(Config {
                queue_size: 10,
                ..sized(2)
            });
            let ledger = Arc::new(Ledger::default());
            thread::scope(|threads| {
                for _ in 0..3 {
                    threads.spawn(|| {
                        for _ in 0..200 {
                            let job = ledger.job(|| ());
                            let fate = job.fate();
                            rig.submit(job).expect("accepted");
                            cancel(&rig, &fate);
                        }
                    });
                }
            });
            rig.wait();
            let counts = ledger.settle();
            assert_eq!(counts.ran + counts.cancelled, 600);
            rig.finish();
            assert_eq!(rig.stats().in_flight, 0);
            assert_eq!(rig.stats().queued, 0);
        }
    });
}
