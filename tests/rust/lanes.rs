//! Priorities: who is next, in the queue and among blocked submitters, and how long anyone waits for a place.

use std::{
    thread,
    time::{Duration, Instant},
};

use antspy::core::{
    Config, Overflow,
    Priority::{self, High, Low, Normal},
    Refusal, Terms, UNLIMITED,
};

use crate::{
    host::{Job, Ledger, Rig, sized},
    support::{Gate, Log, eventually, occupy, soon, within_limit},
};

fn lane(priority: Priority) -> Terms {
    Terms {
        priority,
        ..Terms::default()
    }
}

fn until(timeout: Instant) -> Terms {
    Terms {
        timeout: Some(timeout),
        ..Terms::default()
    }
}

/// A pool of one whose worker is busy until the gate opens.
fn busy(queue_size: usize) -> (Rig, Gate) {
    let rig = Rig::new(Config {
        queue_size,
        ..sized(1)
    });
    let gate = occupy(&rig);
    (rig, gate)
}

/// The order in which tasks run that were queued in this one.
fn order_in_queue(queued: &[Priority]) -> Vec<(Priority, usize)> {
    let (rig, gate) = busy(UNLIMITED);
    let log = Log::default();
    for (number, priority) in queued.iter().enumerate() {
        let job = Job::new(log.writes((*priority, number)));
        rig.submit_on(lane(*priority), job).expect("queued");
    }
    gate.open();
    rig.wait();
    log.lines()
}

/// The order in which submitters go in who came in this one, each with a job that writes its line.
fn order_in_line(came: &[Priority]) -> Vec<(Priority, usize)> {
    let (rig, gate) = busy(0);
    let log = Log::default();
    thread::scope(|threads| {
        for (number, priority) in came.iter().enumerate() {
            let job = Job::new(log.writes((*priority, number)));
            let rig = &rig;
            threads.spawn(move || rig.submit_on(lane(*priority), job).expect("accepted"));
            eventually(|| rig.stats().waiting == number + 1);
        }
        gate.open();
    });
    rig.wait();
    log.lines()
}

const MIXED: [Priority; 7] = [Low, Normal, High, Low, High, Normal, High];
const MIXED_IN_ORDER: [(Priority, usize); 7] = [
    (High, 2),
    (High, 4),
    (High, 6),
    (Normal, 1),
    (Normal, 5),
    (Low, 0),
    (Low, 3),
];

#[test]
fn queued_tasks_start_by_lane_and_in_order_within_it() {
    within_limit(|| assert_eq!(order_in_queue(&MIXED), MIXED_IN_ORDER));
}

#[test]
fn blocked_submitters_go_in_by_lane_and_in_order_within_it() {
    within_limit(|| assert_eq!(order_in_line(&MIXED), MIXED_IN_ORDER));
}

#[test]
fn no_lane_of_the_queue_starves() {
    within_limit(|| {
        const EACH: usize = 60;
        let queued = [Low, Normal, High].map(|priority| [priority; EACH]);
        let order = order_in_queue(&queued.concat());
        // While there are tasks in all three lanes, no lane is passed over more than 17 times in a row.
        let full = order
            .iter()
            .rposition(|(priority, _)| *priority == High)
            .expect("it ran");
        for window in order[..full].windows(18) {
            for lane in [High, Normal, Low] {
                let has = window.iter().any(|(priority, _)| *priority == lane);
                assert!(has, "{lane:?} starves in {window:?}");
            }
        }
        for lane in [High, Normal, Low] {
            let numbers = order.iter().filter(|(priority, _)| *priority == lane);
            let numbers: Vec<_> = numbers.map(|(_, number)| number).collect();
            assert!(numbers.is_sorted() && numbers.len() == EACH, "{lane:?}");
        }
    });
}

#[test]
fn no_blocked_submitter_starves() {
    within_limit(|| {
        let mut came = [High; 24];
        came[0] = Low;
        let order = order_in_line(&came);
        assert_eq!(order[16], (Low, 0), "after sixteen others");
    });
}

#[test]
fn a_submit_with_a_timeout_comes_back_and_leaves_nothing_behind() {
    within_limit(|| {
        let rig = Rig::new(Config {
            max_blocking: 1,
            ..sized(1)
        });
        let (gate, ledger) = (occupy(&rig), Ledger::default());
        for _ in 0..3 {
            // Each in its turn may wait: the one before has left the line.
            let began = Instant::now();
            let refusal = rig
                .submit_on(until(soon()), ledger.job(|| ()))
                .expect_err("full");
            assert!(matches!(refusal, Refusal::TimedOut), "{refusal:?}");
            assert!(began.elapsed() >= Duration::from_millis(4), "it waited");
            assert_eq!(rig.stats().waiting, 0);
        }
        gate.open();
        rig.wait();
        assert_eq!(ledger.settle().refused, 3);
        assert_eq!(rig.stats().in_flight, 0);
        let gate = occupy(&rig); // the place is there
        gate.open();
    });
}

#[test]
fn who_times_out_gives_up_the_turn_and_the_others_keep_theirs() {
    within_limit(|| {
        let (rig, gate) = busy(0);
        let log = Log::default();
        thread::scope(|threads| {
            // The first in line leaves, the two behind it stay.
            let timeout = Instant::now() + Duration::from_millis(200);
            let rig = &rig;
            let first = threads.spawn(move || rig.submit_on(until(timeout), Job::new(|| ())));
            let came = || rig.stats().waiting + usize::from(first.is_finished());
            eventually(|| came() == 1);
            for number in 0..2 {
                let job = Job::new(log.writes(number));
                threads.spawn(move || rig.submit(job).expect("accepted"));
                eventually(|| came() == number + 2);
            }
            let refusal = first.join().unwrap().expect_err("timed out");
            assert!(matches!(refusal, Refusal::TimedOut), "{refusal:?}");
            eventually(|| rig.stats().waiting == 2);
            gate.open();
        });
        rig.wait();
        assert_eq!(log.lines(), [0, 1]);
    });
}

#[test]
fn a_timeout_is_for_the_place_only() {
    within_limit(|| {
        let rig = Rig::new(Config {
            queue_size: 1,
            ..sized(1)
        });
        let (gate, ledger) = (occupy(&rig), Ledger::default());
        // A free place needs no time, and the queue may take any.
        let past = Instant::now();
        rig.submit_on(until(past), ledger.job(|| ()))
            .expect("a free place");
        let refusal = rig
            .submit_on(until(past), ledger.job(|| ()))
            .expect_err("full");
        assert!(matches!(refusal, Refusal::TimedOut), "{refusal:?}");
        gate.open();
        rig.wait();
        let counts = ledger.settle();
        assert_eq!((counts.ran, counts.refused), (1, 1));
    });
}

#[test]
fn who_waits_for_a_place_waits_no_longer_than_the_task_may() {
    within_limit(|| {
        let (rig, ledger) = (Rig::new(sized(1)), Ledger::default());
        let gate = occupy(&rig);
        let terms = Terms {
            deadline: Some(soon()),
            timeout: Some(Instant::now() + Duration::from_secs(3600)),
            ..Terms::default()
        };
        let refusal = rig.submit_on(terms, ledger.job(|| ())).expect_err("full");
        assert!(matches!(refusal, Refusal::TimedOut), "{refusal:?}");
        gate.open();
        rig.finish();
        assert_eq!(ledger.settle().refused, 1);
    });
}

#[test]
fn a_pool_that_never_blocks_has_no_use_for_a_timeout() {
    within_limit(|| {
        let rig = Rig::new(Config {
            overflow: Overflow::Raise,
            ..sized(1)
        });
        let gate = occupy(&rig);
        let far = Instant::now() + Duration::from_secs(3600);
        let refusal = rig
            .submit_on(until(far), Job::new(|| ()))
            .expect_err("full");
        assert!(matches!(refusal, Refusal::Overload), "{refusal:?}");
        gate.open();
    });
}

#[test]
fn a_place_that_comes_as_the_time_is_up_is_used_or_passed_on() {
    within_limit(|| {
        // 1. A and B wait for the only place, A in front and not for long.
        // 2. The place is granted to A; at the same moment its time is up.
        // 3. A goes in, or is refused; B must get in in either case.
        for round in 0..300 {
            let (rig, gate) = busy(0);
            let ledger = Ledger::default();
            thread::scope(|threads| {
                let timeout = Instant::now() + Duration::from_micros(500);
                let (rig, ledger) = (&rig, &ledger);
                threads.spawn(move || {
                    if let Err(refusal) = rig.submit_on(until(timeout), ledger.job(|| ())) {
                        assert!(matches!(refusal, Refusal::TimedOut), "{refusal:?}");
                    }
                });
                threads.spawn(|| rig.submit(ledger.job(|| ())).expect("accepted"));
                while Instant::now() + Duration::from_micros(round % 100) < timeout {
                    thread::yield_now();
                }
                gate.open();
            });
            rig.wait();
            let counts = ledger.settle();
            assert!(counts.ran >= 1 && counts.ran + counts.refused == 2);
            assert_eq!((rig.stats().in_flight, rig.stats().waiting), (0, 0));
        }
    });
}
