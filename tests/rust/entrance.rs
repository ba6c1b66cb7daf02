//! Who waits for a place of a sub-pool.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use antspy::core::{
    Config, Cut, Entrance, Guard, Overflow,
    Priority::{High, Low, Normal},
    Refusal, Terms, Turn, Verdict, Waiting,
};

use crate::{
    host::{Attached, Handler, Interrupt, Job, Rig, Signals, TestHost, sized},
    quota::{Places, admitted, enter, queueing, told, told_at_once},
    support::{Log, eventually, occupy, soon, within_limit},
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

/// A coroutine asks for a place; `None`: it stands in line, with this waiter.
fn begin(
    rig: &Rig,
    quota: &Places,
    terms: Terms,
    waiter: &Waiting<TestHost>,
) -> Option<&'static str> {
    match rig.begin_enter(quota, &terms, waiter, &Attached::new()) {
        Ok(Turn::InLine(())) => None,
        Ok(Turn::Decided(entrance)) => Some(told(&Ok(entrance))),
        Err(why) => Some(told(&Err(why))),
    }
}

/// It goes on: it has been told, or its time is up.
fn end(
    rig: &Rig,
    quota: &Places,
    waiter: &Waiting<TestHost>,
) -> Result<Entrance<TestHost>, Refusal<Interrupt>> {
    let outcome = match waiter.verdict() {
        Verdict::None => Err(Cut::TimedOut),
        told => Ok(told),
    };
    rig.end_enter(quota, waiter, outcome)
}

#[test]
fn coroutines_stand_in_the_same_line_as_threads() {
    within_limit(|| {
        let rig = Rig::new(queueing(4));
        let (quota, log) = (rig.quota(1), Log::default());
        let guard = admitted(&rig, &quota);
        let waiters: [Waiting<TestHost>; 2] = [Arc::default(), Arc::default()];
        thread::scope(|threads| {
            let spawn = |number| {
                let (rig, quota, log) = (&rig, &quota, log.clone());
                threads.spawn(move || {
                    let entrance = enter(rig, quota, Terms::default());
                    log.write(number);
                    drop(entrance);
                });
            };
            spawn(0);
            eventually(|| quota.numbers().2 == 1);
            assert_eq!(begin(&rig, &quota, Terms::default(), &waiters[0]), None);
            spawn(2);
            eventually(|| quota.numbers().2 == 3);
            let high = Terms {
                priority: High,
                ..Terms::default()
            };
            assert_eq!(begin(&rig, &quota, high, &waiters[1]), None);
            assert_eq!(quota.numbers(), (1, 1, 4));
            drop(guard);
            // In the high lane, then by order: whoever has the place keeps it until it goes on.
            for (waiter, number, before) in [(&waiters[1], 3, vec![]), (&waiters[0], 1, vec![3, 0])]
            {
                eventually(|| waiter.verdict() == Verdict::Granted);
                assert_eq!(log.lines(), before);
                log.write(number);
                assert_eq!(told(&end(&rig, &quota, waiter)), "in");
            }
        });
        assert_eq!(log.lines(), [3, 0, 1, 2]);
        assert_eq!(quota.numbers(), (1, 0, 0));
    });
}

#[test]
fn a_coroutine_without_a_place_does_as_the_pool_says_but_never_runs_its_task_itself() {
    within_limit(|| {
        for (overflow, answer) in [
            (Overflow::Raise, Some("overload")),
            (Overflow::Discard, Some("discarded")),
            (Overflow::CallerRuns, None),
        ] {
            let rig = Rig::new(Config {
                overflow,
                ..queueing(4)
            });
            let quota = rig.quota(1);
            let guard = admitted(&rig, &quota);
            let waiter = Arc::default();
            assert_eq!(begin(&rig, &quota, Terms::default(), &waiter), answer);
            drop(guard);
            if answer.is_none() {
                assert_eq!(told(&end(&rig, &quota, &waiter)), "in");
            }
            assert_eq!(quota.numbers(), (1, 0, 0));
        }
    });
}

#[test]
fn a_coroutine_that_waits_no_more_passes_its_place_on() {
    within_limit(|| {
        let rig = Rig::new(queueing(1));
        let quota = rig.quota(1);
        let guard = admitted(&rig, &quota);
        let waiters: [Waiting<TestHost>; 4] = std::array::from_fn(|_| Arc::default());
        for waiter in &waiters {
            assert_eq!(begin(&rig, &quota, Terms::default(), waiter), None);
        }
        assert_eq!(told(&end(&rig, &quota, &waiters[0])), "late");
        let cut = || Err(Cut::Interrupted(Interrupt));
        let entered = rig.end_enter(&quota, &waiters[1], cut());
        assert_eq!(told(&entered), "interrupted");
        assert_eq!(quota.numbers(), (1, 1, 2));
        drop(guard);
        // Cancelled with the place in hand: the next one has it.
        assert_eq!(waiters[2].verdict(), Verdict::Granted);
        let entered = rig.end_enter(&quota, &waiters[2], cut());
        assert_eq!(told(&entered), "interrupted");
        assert_eq!(waiters[3].verdict(), Verdict::Granted);
        rig.close();
        let entered = end(&rig, &quota, &waiters[3]);
        assert_eq!(told(&entered), "in");
        assert_eq!(quota.numbers(), (1, 1, 0));
        drop(entered);
        let waiter = Arc::default();
        let answer = begin(&rig, &quota, Terms::default(), &waiter);
        assert_eq!(answer, Some("closed"));
        assert_eq!(quota.numbers(), (1, 0, 0));
    });
}

#[test]
fn a_pool_that_ends_sends_coroutines_away() {
    within_limit(|| {
        let rig = Rig::new(queueing(1));
        let quota = rig.quota(1);
        let guard = admitted(&rig, &quota);
        let waiter: Waiting<TestHost> = Arc::default();
        assert_eq!(begin(&rig, &quota, Terms::default(), &waiter), None);
        rig.close();
        assert_eq!(waiter.verdict(), Verdict::Closed);
        let rebooted = rig.reboot(&Attached::new()).expect("no signal");
        rebooted.expect("threads");
        assert_eq!(told(&end(&rig, &quota, &waiter)), "closed");
        drop(guard);
        assert_eq!(quota.numbers(), (1, 0, 0));
    });
}

#[test]
fn a_task_that_comes_back_from_the_pool_s_line_leaves_its_place_in_the_sub_pool() {
    within_limit(|| {
        let rig = Rig::new(sized(1));
        let (quota, gate) = (rig.quota(1), occupy(&rig));
        let coroutine = {
            let guard = admitted(&rig, &quota);
            rig.line_up(Job::new(move || drop(guard)))
        };
        assert_eq!((quota.numbers(), rig.stats().waiting), ((1, 1, 0), 1));
        let waiter: Waiting<TestHost> = Arc::default();
        assert_eq!(begin(&rig, &quota, Terms::default(), &waiter), None);
        coroutine.cancel().expect_err("cancelled");
        assert_eq!(waiter.verdict(), Verdict::Granted);
        drop(end(&rig, &quota, &waiter));
        assert_eq!((quota.numbers(), rig.stats().waiting), ((1, 0, 0), 0));
        gate.open();
    });
}
