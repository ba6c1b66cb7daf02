//! A pool is resized while it works.

use std::{
    sync::{Arc, Barrier},
    thread,
};

use antspy::core::{Config, Overflow, UNLIMITED};

use crate::{
    host::{Attached, Job, Ledger, Rig, sized},
    support::{Gate, eventually, within_limit},
};

fn tune(rig: &Rig, capacity: usize) {
    rig.0.tune(capacity, &Attached::new()).expect("a good size");
}

/// Tasks that wait for the gate take all places and keep all workers busy.
fn occupy(rig: &Rig, gate: &Gate, workers: usize) {
    for _ in 0..workers {
        rig.submit(Job::new(gate.waits())).expect("a free place");
    }
    eventually(|| rig.stats().queued == 0);
}

#[test]
fn as_many_blocked_submitters_go_on_as_there_are_new_places() {
    within_limit(|| {
        let (rig, gate) = (Rig::new(sized(1)), Gate::default());
        occupy(&rig, &gate, 1);
        thread::scope(|threads| {
            for _ in 0..5 {
                threads.spawn(|| rig.submit(Job::new(gate.waits())).expect("accepted"));
            }
            eventually(|| rig.stats().waiting == 5);
            tune(&rig, 3);
            assert_eq!(rig.stats().waiting, 3);
            assert_eq!(rig.stats().in_flight, 3, "one that ran, two that come");
            eventually(|| rig.stats().running == 3 && rig.stats().queued == 0);
            tune(&rig, UNLIMITED);
            assert_eq!(rig.stats().waiting, 0);
            eventually(|| rig.stats().running == 6);
            gate.open();
        });
        rig.wait();
    });
}

#[test]
fn a_larger_pool_gets_workers_for_what_is_queued() {
    within_limit(|| {
        let rig = Rig::new(Config {
            queue_size: UNLIMITED,
            ..sized(1)
        });
        // They wait for each other: with fewer than four workers they would for ever.
        let barrier = Arc::new(Barrier::new(4));
        for _ in 0..4 {
            let barrier = barrier.clone();
            rig.submit(Job::new(move || {
                barrier.wait();
            }))
            .expect("accepted");
        }
        assert_eq!(rig.stats().running, 1);
        tune(&rig, 4);
        rig.wait();
    });
}

#[test]
fn a_smaller_pool_interrupts_nobody_and_surplus_workers_leave_after_their_task() {
    within_limit(|| {
        let rig = Rig::new(Config {
            overflow: Overflow::Raise,
            ..sized(4)
        });
        let (gate, ledger) = (Gate::default(), Ledger::default());
        for _ in 0..4 {
            rig.submit(ledger.job(gate.waits())).expect("a free place");
        }
        eventually(|| rig.stats().queued == 0);
        tune(&rig, 1);
        assert_eq!(rig.stats().running, 4);
        assert_eq!(rig.stats().free(), Some(0), "never below");
        rig.submit(Job::new(|| ())).expect_err("more than full");
        gate.open();
        rig.wait();
        assert_eq!(ledger.settle().ran, 4);
        eventually(|| rig.stats().running == 1);
        rig.submit(Job::new(|| ())).expect("a free place");
    });
}

#[test]
fn surplus_idle_workers_leave_at_once() {
    within_limit(|| {
        let (rig, gate) = (Rig::new(sized(4)), Gate::default());
        occupy(&rig, &gate, 4);
        gate.open();
        eventually(|| rig.stats().idle == 4);
        tune(&rig, 1);
        assert_eq!(rig.stats().idle, 1);
        assert_eq!(rig.stats().running, 1);
        let tally = &rig.host().tally;
        eventually(|| tally.ended.load(std::sync::atomic::Ordering::SeqCst) == 3);
    });
}

#[test]
fn a_pool_that_shrank_with_a_full_queue_empties_it() {
    within_limit(|| {
        for _ in 0..50 {
            let rig = Rig::new(Config {
                queue_size: UNLIMITED,
                ..sized(8)
            });
            let ledger = Ledger::default();
            for number in 0..100 {
                rig.submit(ledger.job(thread::yield_now)).expect("accepted");
                if number == 50 {
                    tune(&rig, 1);
                }
            }
            rig.wait();
            assert_eq!(ledger.settle().ran, 100);
            assert_eq!(rig.stats().running, 1);
        }
    });
}

#[test]
fn a_blocked_submitter_waits_until_a_shrunken_pool_has_room() {
    within_limit(|| {
        let rig = Rig::new(sized(3));
        let gates = [Gate::default(), Gate::default(), Gate::default()];
        for gate in &gates {
            occupy(&rig, gate, 1);
        }
        tune(&rig, 1);
        thread::scope(|threads| {
            threads.spawn(|| rig.submit(Job::new(|| ())).expect("accepted"));
            eventually(|| rig.stats().waiting == 1);
            for (number, gate) in gates.iter().enumerate() {
                let stats = rig.stats();
                assert_eq!((stats.waiting, stats.in_flight), (1, 3 - number));
                gate.open();
                eventually(|| rig.stats().in_flight < 3 - number || rig.stats().waiting == 0);
            }
        });
        rig.wait();
    });
}

#[test]
fn a_preallocated_and_an_unlimited_pool_can_be_resized_too() {
    within_limit(|| {
        let rig = Rig::new(Config {
            prealloc: true,
            ..sized(4)
        });
        eventually(|| rig.stats().idle == 4);
        tune(&rig, 2);
        assert_eq!(rig.stats().running, 2);
        let rig = Rig::new(Config {
            overflow: Overflow::Raise,
            ..sized(UNLIMITED)
        });
        let gate = Gate::default();
        occupy(&rig, &gate, 3);
        tune(&rig, 3);
        rig.submit(Job::new(|| ())).expect_err("full");
        gate.open();
    });
}

#[test]
fn a_pool_without_a_place_makes_no_sense() {
    within_limit(|| {
        let rig = Rig::new(sized(2));
        let invalid = rig.0.tune(0, &Attached::new()).expect_err("no place");
        assert_eq!(invalid.argument, "capacity");
        assert_eq!(rig.stats().capacity, Some(2));
    });
}
