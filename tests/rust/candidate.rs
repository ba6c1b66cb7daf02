//! How the wait of a task in line ends: it goes in, or comes back to its coroutine, and is accounted for.

use std::{sync::Arc, thread};

use antspy::core::{Config, Refusal, Tally, Turn, UNLIMITED, Verdict};

use crate::{
    deadline::seconds,
    host::{Attached, Clock, Coroutine, Interrupt, Job, Ledger, Rig, TestHost, sized},
    support::{Gate, Log, occupy, within_limit},
};

/// A full pool of one, and its books.
struct Full {
    rig: Rig,
    ledger: Ledger,
    gate: Gate,
}

impl Full {
    fn new() -> Self {
        let rig = Rig::new(sized(1));
        let gate = occupy(&rig);
        let ledger = Ledger::default();
        Self { rig, ledger, gate }
    }

    fn line_up(&self) -> Coroutine {
        self.rig.line_up(self.ledger.job(|| ()))
    }

    /// Closes the pool, if it is open, and checks the books: how many ran and were refused.
    fn end(&self) -> (usize, usize) {
        self.gate.open();
        self.rig.finish();
        let counts = self.ledger.settle();
        check(&self.rig, counts.refused);
        (counts.ran, counts.refused)
    }
}

/// What must be so once all is over.
pub(crate) fn check(rig: &Rig, refused: usize) -> Tally {
    let (stats, tally) = rig.stats_and_tally();
    assert_eq!(
        (stats.in_flight, stats.queued, stats.waiting),
        (0, 0, 0),
        "{stats:?}"
    );
    let ended = tally.completed + tally.failed + tally.cancelled;
    assert_eq!(tally.submitted, ended, "{tally:?}");
    assert_eq!(tally.rejected, refused as u64, "{tally:?}");
    tally
}

#[test]
fn a_closed_pool_gives_the_tasks_in_line_back_and_runs_what_was_accepted() {
    within_limit(|| {
        for cancel in [false, true] {
            let full = Full::new();
            let line = [full.line_up(), full.line_up()];
            if cancel {
                full.rig.close_and_cancel(&Attached::new());
            } else {
                full.rig.close();
            }
            for coroutine in &line {
                assert_eq!(coroutine.wait(), Verdict::Closed);
                let refusal = coroutine.proceed().expect_err("closed");
                assert!(matches!(refusal, Refusal::Closed), "{refusal:?}");
            }
            let refusal = full.rig.begin(full.ledger.job(|| ())).err();
            assert!(matches!(refusal, Some(Refusal::Closed)), "{refusal:?}");
            assert_eq!(full.end(), (0, 3));
            assert_eq!(full.rig.stats_and_tally().1.completed, 1);
        }
    });
}

#[test]
fn a_pool_closed_and_open_again_since_gives_them_back_too() {
    within_limit(|| {
        let full = Full::new();
        let line = [full.line_up(), full.line_up()];
        full.rig.close();
        full.gate.open();
        let rebooted = full.rig.reboot(&Attached::new()).expect("no signal");
        rebooted.expect("threads");
        let refusals = [line[0].proceed(), line[1].cancel()];
        for refusal in refusals {
            assert!(matches!(refusal, Err(Refusal::Closed)), "{refusal:?}");
        }
        let turn = full.rig.begin(full.ledger.job(|| ()));
        assert!(matches!(turn, Ok(Turn::Decided(()))));
        assert_eq!(full.end(), (1, 2));
    });
}

#[test]
fn a_pool_that_breaks_ends_what_went_in_and_gives_the_others_back() {
    within_limit(|| {
        let full = Full::new();
        let line = [full.line_up(), full.line_up()];
        full.rig.host().fail_to_initialize("no licence");
        // The first goes in. A worker is started for it, and is not fit.
        full.rig.tune(2, &Attached::new()).expect("a good size");
        assert_eq!(line[0].verdict(), Verdict::Granted);
        assert_eq!(line[1].wait(), Verdict::Closed);
        line[0].proceed().expect("accepted");
        let refusal = line[1].proceed().expect_err("broken");
        assert!(matches!(refusal, Refusal::Broken(_)), "{refusal:?}");
        full.gate.open();
        full.rig.wait_gone();
        assert_eq!(full.end(), (0, 1));
        assert_eq!(full.rig.stats_and_tally().1.failed, 1);
    });
}

#[test]
fn one_that_waits_no_more_leaves_the_line_to_those_behind() {
    within_limit(|| {
        let (full, log) = (Full::new(), Log::default());
        let line: Vec<_> = (0..5)
            .map(|number| full.rig.line_up(full.ledger.job(log.writes(number))))
            .collect();
        let late = line[3].proceed();
        assert!(matches!(late, Err(Refusal::TimedOut)), "{late:?}");
        for first in [0, 1] {
            let cancelled = line[first].cancel();
            assert!(
                matches!(cancelled, Err(Refusal::Interrupted(Interrupt))),
                "{cancelled:?}"
            );
        }
        assert_eq!(full.rig.stats().waiting, 2);
        full.gate.open();
        full.rig.wait();
        assert_eq!(log.lines(), [2, 4]);
        // Whatever befalls a coroutine whose task has gone in, the task runs.
        line[2].cancel().expect("accepted");
        line[4].proceed().expect("accepted");
        assert_eq!(full.end(), (2, 3));
    });
}

#[test]
fn a_task_whose_time_is_up_as_a_place_comes_free_goes_in_or_comes_back() {
    within_limit(|| {
        let (mut ran, mut refused, mut round) = (0, 0, 0);
        while round < 200 || ran == 0 || refused == 0 {
            round += 1;
            let full = Full::new();
            let coroutines = [full.line_up(), full.line_up()];
            thread::scope(|threads| {
                threads.spawn(|| full.gate.open());
                for _ in 0..round % 20 {
                    thread::yield_now();
                }
                for coroutine in &coroutines {
                    match (coroutine.proceed(), coroutine.verdict()) {
                        (Ok(()), Verdict::Granted) | (Err(Refusal::TimedOut), Verdict::None) => {}
                        other => panic!("{other:?}"),
                    }
                }
            });
            let counts = full.end();
            assert_eq!(counts.0 + counts.1, 2);
            ran += counts.0;
            refused += counts.1;
        }
        assert!(
            ran > 0 && refused > 0,
            "{ran} ran, {refused} were late: no race"
        );
    });
}

#[test]
fn whoever_waits_for_all_tasks_waits_for_those_that_go_in_from_the_line() {
    within_limit(|| {
        let full = Full::new();
        let line = [full.line_up(), full.line_up()];
        thread::scope(|threads| {
            let waits = threads.spawn(|| full.rig.wait());
            full.gate.open();
            waits.join().unwrap();
            assert!(line.iter().all(|it| it.verdict() == Verdict::Granted));
            assert_eq!(full.ledger.settle().ran, 2);
        });
        assert_eq!(full.end(), (2, 0));
    });
}

#[test]
fn a_coroutine_is_told_when_the_last_thread_has_ended() {
    within_limit(|| {
        let full = Full::new();
        let waiters = [Arc::default(), Arc::default()];
        for waiter in &waiters {
            assert!(full.rig.join_gone(waiter));
        }
        full.rig.leave_joiners(&waiters[1]);
        full.rig.close();
        assert_eq!(waiters[0].verdict(), Verdict::None);
        full.gate.open();
        let told = waiters[0].wait::<TestHost>(&Attached::new(), None);
        assert_eq!(told.expect("no deadline, no signal"), Verdict::Granted);
        assert!(!full.rig.join_gone(&waiters[0]), "there is none");
        assert_eq!(waiters[1].verdict(), Verdict::None);
        assert_eq!(full.end(), (0, 0));
        assert_eq!(Arc::strong_count(&full.rig), 1);
    });
}

#[test]
fn time_in_line_is_not_time_in_the_queue() {
    within_limit(|| {
        let clock = Clock::toy();
        let host = TestHost::with_clock(clock.clone());
        let rig = Rig::with_host(host, sized(1));
        let gate = occupy(&rig);
        let coroutine = rig.line_up(Job::new(|| ()));
        clock.advance(seconds(5));
        gate.open();
        rig.wait();
        coroutine.proceed().expect("accepted");
        let tally = rig.stats_and_tally().1;
        assert_eq!((tally.submitted, tally.started), (2, 2));
        assert_eq!(tally.queue_time.counts.iter().sum::<u64>(), 2);
        assert_eq!(tally.queue_time.total, 0);
        assert_eq!(tally.run_time.total, 5_000_000_000);
    });
}

#[test]
fn the_books_are_exact_whoever_comes_and_goes() {
    within_limit(|| {
        for round in 0..6 {
            let rig = Rig::new(Config {
                queue_size: round % 3,
                ..sized(2)
            });
            let (ledger, refused) = (Ledger::default(), Log::default());
            thread::scope(|threads| {
                for loop_ in 0..3 {
                    let (rig, ledger, refused) = (&rig, &ledger, &refused);
                    threads.spawn(move || event_loop(rig, ledger, refused, loop_));
                }
                for _ in 0..2 {
                    threads.spawn(|| {
                        for _ in 0..200 {
                            let _ = rig.submit(ledger.job(|| ()));
                        }
                    });
                }
                for size in [1, 3, UNLIMITED, 2].repeat(20) {
                    rig.tune(size, &Attached::new()).expect("a good size");
                    thread::yield_now();
                }
                if round % 2 == 0 {
                    rig.close();
                }
            });
            rig.finish();
            let counts = ledger.settle();
            let tally = check(&rig, counts.refused);
            assert_eq!(tally.completed, counts.ran as u64);
            assert_eq!(tally.cancelled, counts.cancelled as u64);
            assert!(round % 2 == 0 || refused.len() <= counts.refused);
        }
    });
}

/// Coroutines that are told, late, or cancelled; some cancel their task once it is accepted.
fn event_loop(rig: &Rig, ledger: &Ledger, refused: &Log<()>, salt: usize) {
    for round in 0..40 {
        let line: Vec<_> = (0..8)
            .map(|_| {
                let job = ledger.job(|| ());
                (job.fate(), rig.begin(job))
            })
            .collect();
        for (number, (fate, turn)) in line.into_iter().enumerate() {
            let ended = match turn {
                Ok(Turn::Decided(())) => Ok(()),
                Ok(Turn::InLine(coroutine)) => match (number + round + salt) % 3 {
                    0 => coroutine.cancel(),
                    1 => coroutine.proceed(),
                    _ => {
                        coroutine.wait();
                        coroutine.proceed()
                    }
                },
                Err(why) => Err(why),
            };
            match ended {
                Err(_) => refused.write(()),
                Ok(()) if number % 4 == 0 && fate.cancel() => rig.cancelled(),
                Ok(()) => {}
            }
        }
    }
}
