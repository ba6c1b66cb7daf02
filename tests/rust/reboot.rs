//! A closed or broken pool opens again.

use std::{sync::Arc, thread};

use antspy::core::{Config, Refusal, UNLIMITED};

use crate::{
    host::{Attached, Job, Ledger, Rig, TestHost, sized},
    support::{Gate, eventually, within_limit},
};

fn reboot(rig: &Rig) {
    rig.0
        .reboot(&Attached::new())
        .expect("no signal")
        .expect("threads can be started");
}

/// A pool none of whose workers will be fit.
fn broken(config: Config) -> Rig {
    let host = TestHost::new();
    host.fail_to_initialize("no licence");
    Rig::with_host(host, config)
}

fn is_broken<I>(refusal: &Refusal<I>) -> bool {
    matches!(refusal, Refusal::Broken(fault) if fault.to_string() == "no licence")
}

/// Submits to a pool that is broken, or will be as soon as its worker has found out.
fn offer(rig: &Rig, ledger: &Ledger) {
    if let Err(refusal) = rig.submit(ledger.job(|| ())) {
        assert!(is_broken(&refusal), "{refusal:?}");
    }
}

#[test]
fn a_rebooted_pool_works_as_before() {
    within_limit(|| {
        let rig = Rig::new(sized(2));
        rig.tune(3, &Attached::new()).expect("a good size");
        let ledger = Ledger::default();
        for round in 1..=10 {
            rig.submit(ledger.job(|| ())).expect("open");
            rig.finish();
            rig.submit(Job::new(|| ())).expect_err("closed");
            reboot(&rig);
            assert_eq!(ledger.settle().ran, round);
            assert_eq!(rig.stats().capacity, Some(3), "as it was tuned");
        }
        assert!(!rig.stats().closed);
    });
}

#[test]
fn an_open_pool_is_left_alone() {
    within_limit(|| {
        let rig = Rig::new(sized(1));
        let gate = Gate::default();
        rig.submit(Job::new(gate.waits())).expect("accepted");
        reboot(&rig); // does not wait for the task
        gate.open();
        rig.wait();
        assert_eq!(rig.stats().started, 1);
    });
}

#[test]
fn a_reboot_waits_for_the_old_workers() {
    within_limit(|| {
        let rig = Rig::new(sized(1));
        let (gate, ledger) = (Gate::default(), Ledger::default());
        rig.submit(ledger.job(gate.waits())).expect("accepted");
        rig.close();
        thread::scope(|threads| {
            let rebooted = threads.spawn(|| reboot(&rig));
            assert!(rig.stats().closed);
            gate.open();
            rebooted.join().unwrap();
        });
        assert_eq!(ledger.settle().ran, 1);
        assert_eq!(rig.stats().running, 0);
        rig.submit(Job::new(|| ())).expect("open");
    });
}

#[test]
fn preallocated_workers_are_there_again() {
    within_limit(|| {
        let rig = Rig::new(Config {
            prealloc: true,
            ..sized(3)
        });
        rig.finish();
        reboot(&rig);
        assert_eq!(rig.stats().running, 3);
        assert_eq!(rig.stats().started, 6);
    });
}

#[test]
fn of_many_reboots_at_once_one_is_done() {
    within_limit(|| {
        for _ in 0..20 {
            let rig = Rig::new(Config {
                prealloc: true,
                ..sized(2)
            });
            rig.close();
            thread::scope(|threads| {
                for _ in 0..4 {
                    threads.spawn(|| reboot(&rig));
                }
            });
            assert_eq!(rig.stats().started, 4);
        }
    });
}

#[test]
fn a_broken_pool_ends_what_is_queued_and_refuses_what_is_new() {
    within_limit(|| {
        let rig = broken(Config {
            queue_size: UNLIMITED,
            ..sized(1)
        });
        let ledger = Ledger::default();
        // How many are accepted depends on how soon the worker finds that it is not fit.
        for _ in 0..10 {
            offer(&rig, &ledger);
        }
        rig.wait();
        let counts = ledger.settle();
        assert_eq!(counts.discarded + counts.refused, 10);
        rig.wait_gone();
        let refusal = rig.submit(ledger.job(|| ())).expect_err("broken");
        assert!(is_broken(&refusal), "{refusal:?}");
        assert!(rig.stats().closed);
        assert_eq!(rig.stats().in_flight, 0);
    });
}

#[test]
fn a_pool_that_breaks_sends_blocked_submitters_away() {
    within_limit(|| {
        for _ in 0..50 {
            let rig = broken(sized(1));
            let ledger = Arc::new(Ledger::default());
            thread::scope(|threads| {
                for _ in 0..3 {
                    threads.spawn(|| offer(&rig, &ledger));
                }
            });
            rig.wait_gone();
            let counts = ledger.settle();
            assert_eq!(counts.discarded + counts.refused, 3);
        }
    });
}

#[test]
fn workers_that_are_fit_end_their_task_on_a_pool_that_breaks() {
    within_limit(|| {
        let rig = Rig::new(Config {
            queue_size: UNLIMITED,
            ..sized(2)
        });
        let (gate, ledger) = (Gate::default(), Ledger::default());
        rig.submit(ledger.job(gate.waits())).expect("accepted");
        eventually(|| rig.stats().queued == 0);
        rig.host().fail_to_initialize("no licence");
        // For this one a second worker is started, which is not fit.
        rig.submit(ledger.job(|| ())).expect("accepted");
        eventually(|| rig.stats().closed && rig.stats().queued == 0);
        gate.open();
        rig.wait_gone();
        let counts = ledger.settle();
        assert_eq!((counts.ran, counts.discarded), (1, 1));
    });
}

#[test]
fn a_reboot_mends_a_broken_pool_once_its_cause_is_gone() {
    within_limit(|| {
        let rig = broken(sized(1));
        let ledger = Ledger::default();
        offer(&rig, &ledger);
        rig.wait_gone();
        reboot(&rig);
        offer(&rig, &ledger);
        rig.wait_gone();
        rig.host().initialize_no_more();
        reboot(&rig);
        rig.submit(ledger.job(|| ())).expect("open");
        rig.wait();
        let counts = ledger.settle();
        assert_eq!((counts.discarded + counts.refused, counts.ran), (2, 1));
    });
}
