//! Workers run an initializer before their first task, and hold nobody up with it.

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use antspy::core::{Config, Fault, Refusal, UNLIMITED};

use crate::{
    host::{Attached, Job, Ledger, Rig, sized},
    support::{Gate, eventually, within_limit},
};

fn queueing(capacity: usize) -> Config {
    Config {
        queue_size: UNLIMITED,
        ..sized(capacity)
    }
}

/// Has each new worker wait for a gate; counts those who have come to it.
fn hold_workers(rig: &Rig) -> (Gate, Arc<AtomicUsize>) {
    let (gate, begun) = (Gate::default(), Arc::<AtomicUsize>::default());
    let (waits, counts) = (gate.clone(), begun.clone());
    rig.host().initialize_by(move || {
        counts.fetch_add(1, Ordering::SeqCst);
        waits.pass();
        Ok(())
    });
    (gate, begun)
}

fn settle(rig: &Rig) {
    rig.settle(&Attached::new(), None).expect("no signal");
}

#[test]
fn initializers_can_wait_for_each_other() {
    within_limit(|| {
        for prealloc in [false, true] {
            let host = crate::host::TestHost::new();
            let barrier = Barrier::new(3);
            host.initialize_by(move || {
                barrier.wait();
                Ok(())
            });
            let config = Config {
                prealloc,
                ..queueing(3)
            };
            let (rig, ledger) = (Rig::with_host(host, config), Ledger::default());
            for _ in 0..3 {
                rig.submit(ledger.job(|| ())).expect("accepted");
            }
            rig.wait();
            assert_eq!(ledger.settle().ran, 3);
            assert_eq!(rig.stats().started, 3);
        }
    });
}

#[test]
fn as_many_workers_prepare_as_there_are_tasks_and_no_more() {
    within_limit(|| {
        let rig = Rig::new(queueing(10));
        let (gate, begun) = hold_workers(&rig);
        for expected in 1..=3 {
            rig.submit(Job::new(|| ())).expect("accepted");
            settle(&rig);
            assert_eq!(rig.stats().started, expected);
            eventually(|| begun.load(Ordering::SeqCst) as u64 == expected);
        }
        gate.open();
        rig.wait();
        assert_eq!(rig.stats().started, 3);
    });
}

#[test]
fn cancelled_tasks_start_no_workers() {
    within_limit(|| {
        let rig = Rig::new(queueing(10));
        let (gate, _) = hold_workers(&rig);
        let ledger = Ledger::default();
        rig.submit(ledger.job(|| ())).expect("accepted");
        settle(&rig);
        rig.pause();
        let jobs: Vec<_> = (0..5).map(|_| ledger.job(|| ())).collect();
        let fates: Vec<_> = jobs.iter().map(Job::fate).collect();
        for job in jobs {
            rig.submit(job).expect("accepted");
        }
        for fate in fates {
            assert!(fate.cancel());
            rig.cancelled();
        }
        rig.resume();
        settle(&rig);
        gate.open();
        rig.wait();
        let counts = ledger.settle();
        assert_eq!((counts.ran, counts.cancelled), (1, 5));
        assert_eq!(rig.stats().started, 1);
    });
}

#[test]
fn whoever_is_free_first_runs_the_task_that_another_prepares_for() {
    within_limit(|| {
        let rig = Rig::new(queueing(2));
        rig.submit(Job::new(|| ())).expect("accepted");
        rig.wait();
        let (gate, begun) = hold_workers(&rig);
        let busy = crate::support::occupy(&rig);
        rig.submit(Job::new(|| ())).expect("accepted");
        eventually(|| begun.load(Ordering::SeqCst) == 1);
        busy.open();
        rig.wait();
        // And a task that comes now is the idle one's.
        rig.submit(Job::new(|| ())).expect("accepted");
        rig.wait();
        assert_eq!(rig.stats().started, 2);
        gate.open();
        eventually(|| rig.stats().idle == 2);
    });
}

#[test]
fn one_that_fails_while_others_prepare_breaks_the_pool() {
    within_limit(|| {
        let rig = Rig::new(queueing(3));
        let (all, turn) = (Barrier::new(3), AtomicUsize::new(0));
        rig.host().initialize_by(move || {
            let number = turn.fetch_add(1, Ordering::SeqCst);
            all.wait();
            if number == 1 {
                return Err(Fault("no licence".into()));
            }
            // The others are ready once the pool is broken, or before.
            thread::yield_now();
            Ok(())
        });
        let ledger = Ledger::default();
        rig.pause();
        for _ in 0..20 {
            rig.submit(ledger.job(thread::yield_now)).expect("accepted");
        }
        rig.resume();
        rig.wait_gone();
        rig.wait();
        let counts = ledger.settle();
        assert_eq!(counts.ran + counts.discarded, 20);
        let refusal = rig.submit(Job::new(|| ())).expect_err("broken");
        assert!(matches!(refusal, Refusal::Broken(_)), "{refusal:?}");
        // Nothing is left on the books: a pool that is opened again starts its workers as before.
        rig.host().initialize_by(|| Ok(()));
        rig.reboot(&Attached::new())
            .expect("no signal")
            .expect("threads");
        let both = Arc::new(Barrier::new(2));
        for _ in 0..2 {
            let both = both.clone();
            rig.submit(Job::new(move || {
                both.wait();
            }))
            .expect("accepted");
        }
        rig.wait();
        assert_eq!(rig.stats().running, 2);
    });
}

#[test]
fn a_pool_closed_while_its_workers_prepare_runs_what_it_has_accepted() {
    within_limit(|| {
        let (rig, ledger) = (Rig::new(queueing(2)), Ledger::default());
        let (gate, begun) = hold_workers(&rig);
        for _ in 0..5 {
            rig.submit(ledger.job(|| ())).expect("accepted");
        }
        eventually(|| begun.load(Ordering::SeqCst) == 2);
        rig.close();
        gate.open();
        rig.wait_gone();
        assert_eq!(ledger.settle().ran, 5);
    });
}

#[test]
fn one_too_many_after_tune_leaves_when_it_is_prepared() {
    within_limit(|| {
        let (rig, ledger) = (Rig::new(queueing(3)), Ledger::default());
        let (gate, begun) = hold_workers(&rig);
        for _ in 0..6 {
            rig.submit(ledger.job(|| ())).expect("accepted");
        }
        eventually(|| begun.load(Ordering::SeqCst) == 3);
        rig.tune(1, &Attached::new()).expect("makes sense");
        gate.open();
        rig.wait();
        eventually(|| rig.stats().running == 1);
        assert_eq!(ledger.settle().ran, 6);
    });
}
