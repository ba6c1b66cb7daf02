//! Who waits for a place of a sub-pool.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use antspy::core::{
    Guard,
    Priority::{High, Low, Normal},
    Terms,
};

use crate::{
    host::{Attached, Handler, Job, Rig, Signals, TestHost},
    quota::{Places, admitted, enter, queueing, told, told_at_once},
    support::{Log, eventually, soon, within_limit},
};

/// Blocks so many submitters one after the other behind a place that is taken, and calls `meanwhile` with the
/// guard of that place. Who was told what, in the order in which they were.
fn blocked(
    rig: &Rig,
    quota: &Places,
    terms: &[Terms],
    meanwhile: impl FnOnce(Guard<TestHost>),
) -> Vec<(usize, &'static str)> {
    let log = Log::default();
    let guard = admitted(rig, quota);
    thread::scope(|threads| {
        for (number, terms) in terms.iter().enumerate() {
            let log = log.clone();
            threads.spawn(move || {
                let entrance = enter(rig, quota, *terms);
                // Written before the place is free for the next.
                log.write((number, told(&entrance)));
            });
            eventually(|| quota.numbers().2 == number + 1);
        }
        meanwhile(guard);
    });
    assert_eq!(quota.numbers(), (1, 0, 0));
    log.lines()
}

#[test]
fn who_waits_for_a_place_goes_in_by_lane_and_in_order() {
    within_limit(|| {
        let rig = Rig::new(queueing(4));
        let terms = [Low, Normal, High, Normal].map(|priority| Terms {
            priority,
            ..Terms::default()
        });
        let told = blocked(&rig, &rig.quota(1), &terms, drop);
        assert_eq!(told, [(2, "in"), (1, "in"), (3, "in"), (0, "in")]);
    });
}

#[test]
fn as_many_go_in_as_there_are_new_places() {
    within_limit(|| {
        let rig = Rig::new(queueing(4));
        let quota = rig.quota(1);
        let told = blocked(&rig, &quota, &[Terms::default(); 3], |guard| {
            quota.tune(2);
            eventually(|| quota.numbers() == (2, 1, 0)); // all of them, one after the other
            quota.tune(1);
            drop(guard);
        });
        assert_eq!(told.len(), 3);
    });
}

#[test]
fn a_pool_that_ends_sends_away_who_waits_for_a_place() {
    within_limit(|| {
        let rig = Rig::new(queueing(1));
        let quota = rig.quota(1);
        let told = blocked(&rig, &quota, &[Terms::default(); 2], |guard| {
            rig.close();
            eventually(|| quota.numbers().2 == 0);
            drop(guard);
        });
        assert_eq!(
            told.iter().map(|it| it.1).collect::<Vec<_>>(),
            ["closed"; 2]
        );
        assert_eq!(told_at_once(&rig, &quota), "closed");
        // Open again, it has its places.
        let rebooted = rig.reboot(&Attached::new()).expect("no signal");
        rebooted.expect("threads");
        assert_eq!(told_at_once(&rig, &quota), "in");
        rig.host().fail_to_initialize("no licence");
        let told = blocked(&rig, &quota, &[Terms::default()], |guard| {
            // Accepted and ended, or refused if its worker has been fast.
            let _ = rig.submit(Job::new(|| ()));
            rig.wait_gone();
            drop(guard);
        });
        assert_eq!(told, [(0, "broken")]);
    });
}

#[test]
fn who_waits_too_long_for_a_place_comes_back_without_one() {
    within_limit(|| {
        let rig = Rig::new(queueing(1));
        let quota = rig.quota(1);
        let until = |timeout: Instant| Terms {
            timeout: Some(timeout),
            ..Terms::default()
        };
        let guard = admitted(&rig, &quota);
        for timeout in [soon(), Instant::now()] {
            assert_eq!(told(&enter(&rig, &quota, until(timeout))), "late");
            assert_eq!(quota.numbers(), (1, 1, 0));
        }
        drop(guard);
        // A place that comes as the time is up is used or given back.
        for round in 0..200 {
            let guard = admitted(&rig, &quota);
            let timeout = Instant::now() + Duration::from_micros(300);
            thread::scope(|threads| {
                threads.spawn(|| drop(enter(&rig, &quota, until(timeout))));
                while Instant::now() + Duration::from_micros(round % 100) < timeout {
                    thread::yield_now();
                }
                drop(guard);
            });
            assert_eq!(quota.numbers(), (1, 0, 0));
        }
    });
}

#[test]
fn a_signal_breaks_off_the_wait_for_a_place() {
    within_limit(|| {
        let rig = Rig::new(queueing(1));
        let quota = rig.quota(1);
        let guard = admitted(&rig, &quota);
        thread::scope(|threads| {
            let (tell, signals) = mpsc::channel();
            let (rig, quota) = (&rig, &quota);
            let waits = threads.spawn(move || {
                tell.send(Signals::of_this_thread()).unwrap();
                told_at_once(rig, quota)
            });
            eventually(|| quota.numbers().2 == 1);
            signals.recv().unwrap().raise(Handler::Raises);
            assert_eq!(waits.join().unwrap(), "interrupted");
        });
        drop(guard);
        assert_eq!(quota.numbers(), (1, 0, 0));
    });
}
