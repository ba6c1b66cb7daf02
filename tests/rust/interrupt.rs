//! Signals reach whoever waits, and nothing is lost by it.

use std::{
    sync::Arc,
    thread::{self, ScopedJoinHandle},
};

use antspy::core::{Refusal, Unfinished, WaitGroup};

use crate::{
    host::{Attached, Handler, Interrupt, Job, Ledger, Rig, Signals, TestHost, sized},
    support::{Gate, eventually, within_limit},
};

/// Runs `body` on a thread of its own, whose signals come with it.
fn on_a_thread<'scope, R: Send + 'scope>(
    threads: &'scope thread::Scope<'scope, '_>,
    body: impl FnOnce() -> R + Send + 'scope,
) -> (Arc<Signals>, ScopedJoinHandle<'scope, R>) {
    let (tell, told) = std::sync::mpsc::channel();
    let thread = threads.spawn(move || {
        tell.send(Signals::of_this_thread()).unwrap();
        body()
    });
    (told.recv().unwrap(), thread)
}

fn busy() -> (Rig, Gate) {
    let (rig, gate) = (Rig::new(sized(1)), Gate::default());
    rig.submit(Job::new(gate.waits())).expect("a free place");
    (rig, gate)
}

#[test]
fn a_signal_breaks_off_a_blocked_submit_and_the_others_keep_their_turn() {
    within_limit(|| {
        let (rig, gate) = busy();
        let ledger = Ledger::default();
        thread::scope(|threads| {
            let (signals, broken) = on_a_thread(threads, || rig.submit(ledger.job(|| ())));
            eventually(|| rig.stats().waiting == 1);
            threads.spawn(|| rig.submit(ledger.job(|| ())).expect("accepted"));
            eventually(|| rig.stats().waiting == 2);
            signals.raise(Handler::Raises);
            let refusal = broken.join().unwrap().expect_err("interrupted");
            assert!(matches!(refusal, Refusal::Interrupted(Interrupt)));
            assert_eq!(rig.stats().waiting, 1);
            gate.open();
        });
        rig.wait();
        let counts = ledger.settle();
        assert_eq!((counts.refused, counts.ran), (1, 1));
        assert_eq!(rig.stats().in_flight, 0);
    });
}

#[test]
fn after_a_handler_that_returns_a_submit_waits_on() {
    within_limit(|| {
        let (rig, gate) = busy();
        thread::scope(|threads| {
            let (signals, submitter) = on_a_thread(threads, || rig.submit(Job::new(|| ())));
            eventually(|| rig.stats().waiting == 1);
            for handled in 1..=3 {
                signals.raise(Handler::Returns);
                eventually(|| signals.handled() == handled);
            }
            assert_eq!(rig.stats().waiting, 1);
            gate.open();
            submitter.join().unwrap().expect("accepted");
        });
        rig.wait();
    });
}

#[test]
fn a_signal_that_races_with_a_place_loses_neither_task_nor_place() {
    within_limit(|| {
        // 1. A and B wait for the only place, A in front.
        // 2. The place comes free and is granted to A; at the same moment a signal wakes A.
        // 3. A either goes in, or is broken off, and then must pass the place on to B.
        for _ in 0..500 {
            let (rig, gate) = busy();
            let ledger = Ledger::default();
            let signals = thread::scope(|threads| {
                let (signals, _) = on_a_thread(threads, || {
                    if let Err(refusal) = rig.submit(ledger.job(|| ())) {
                        assert!(matches!(refusal, Refusal::Interrupted(Interrupt)));
                    }
                });
                eventually(|| rig.stats().waiting >= 1);
                threads.spawn(|| rig.submit(ledger.job(|| ())).expect("accepted"));
                eventually(|| rig.stats().waiting == 2);
                threads.spawn(|| gate.open());
                signals.raise(Handler::Raises);
                signals
            });
            rig.wait();
            let counts = ledger.settle();
            assert_eq!(counts.ran + counts.refused, 2);
            assert!(counts.ran >= 1);
            assert_eq!(
                counts.refused,
                signals.handled(),
                "no handler's word is lost"
            );
            assert_eq!(rig.stats().in_flight, 0);
        }
    });
}

#[test]
fn a_signal_breaks_off_every_wait_and_it_can_be_waited_again() {
    within_limit(|| {
        let (rig, gate) = busy();
        let scope = Attached::new;
        thread::scope(|threads| {
            let (signals, wait) = on_a_thread(threads, || rig.0.wait(&scope(), None));
            signals.raise(Handler::Raises);
            let cut = wait.join().unwrap().expect_err("interrupted");
            assert!(matches!(cut, Unfinished::Interrupted(Interrupt)));

            rig.close();
            let (signals, wait) = on_a_thread(threads, || rig.0.wait_gone(&scope(), None));
            signals.raise(Handler::Raises);
            let cut = wait.join().unwrap().expect_err("interrupted");
            assert!(matches!(cut, Unfinished::Interrupted(Interrupt)));

            let (signals, wait) = on_a_thread(threads, || rig.0.reboot(&scope()).map(drop));
            signals.raise(Handler::Raises);
            let cut = wait.join().unwrap().expect_err("interrupted");
            assert!(matches!(cut, Unfinished::Interrupted(Interrupt)));
        });
        assert!(rig.stats().closed, "nothing was rebooted");
        gate.open();
        rig.wait();
        rig.wait_gone();
    });
}

#[test]
fn a_signal_breaks_off_the_wait_for_a_group() {
    within_limit(|| {
        let group = WaitGroup::<TestHost>::new();
        group.add(1).expect("in range");
        thread::scope(|threads| {
            let (signals, wait) =
                on_a_thread(threads, || group.wait(&Attached::new(), None, || ()));
            signals.raise(Handler::Returns);
            eventually(|| signals.handled() == 1);
            signals.raise(Handler::Raises);
            assert_eq!(wait.join().unwrap(), Err(Interrupt));
            let (_, wait) = on_a_thread(threads, || group.wait(&Attached::new(), None, || ()));
            group.done().expect("in range");
            assert_eq!(wait.join().unwrap(), Ok(true));
        });
    });
}
