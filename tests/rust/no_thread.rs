//! Rule 1, when the machine has no thread left to give.

use std::{
    process::Command,
    sync::Arc,
    thread::{self, ScopedJoinHandle},
    time::Duration,
};

use antspy::core::{Config, Pool, Refusal, UNLIMITED, Verdict};

use crate::{
    candidate::check,
    host::{Attached, Clock, Job, Ledger, Rig, TestHost, sized},
    support::{Gate, eventually, within_limit},
};

/// No machine has a stack like that.
const TOO_MUCH: Option<usize> = Some(1 << 60);

fn hopeless(capacity: usize) -> Config {
    Config {
        queue_size: UNLIMITED,
        stack_size: TOO_MUCH,
        ..sized(capacity)
    }
}

#[test]
fn without_any_worker_the_task_comes_back() {
    within_limit(|| {
        let (rig, ledger) = (Rig::new(hopeless(2)), Ledger::default());
        for _ in 0..3 {
            let refusal = rig.submit(ledger.job(|| ())).expect_err("no thread");
            assert!(matches!(refusal, Refusal::NoThread(_)), "{refusal:?}");
        }
        assert_eq!(ledger.settle().refused, 3);
        let stats = rig.stats();
        assert_eq!((stats.in_flight, stats.queued, stats.running), (0, 0, 0));
        rig.wait();
        rig.finish();
    });
}

#[test]
fn a_preallocated_pool_that_cannot_have_its_workers_is_not_made() {
    within_limit(|| {
        let config = Config {
            prealloc: true,
            ..hopeless(2)
        };
        assert!(Pool::new(TestHost::new(), config, &Attached::new()).is_err());
    });
}

#[test]
fn many_who_submit_at_once_lose_nothing() {
    within_limit(|| {
        let (rig, ledger) = (Rig::new(hopeless(4)), Ledger::default());
        thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    for _ in 0..500 {
                        // Comes back, or is ended by whoever found that there is no thread for it either.
                        let _ = rig.submit(ledger.job(|| ()));
                    }
                });
            }
        });
        rig.wait();
        let counts = ledger.settle();
        assert_eq!(counts.refused + counts.discarded, 2000);
        assert_eq!(rig.stats().in_flight, 0);
    });
}

#[test]
fn a_queue_cancelled_meanwhile_loses_nothing() {
    within_limit(|| {
        // 1. A submits, and tries to start a thread for it.
        // 2. B ends all that is queued: A's task, too, which is accounted for with that.
        // 3. A finds that there is no thread, and no task of its own left to take back.
        let (rig, ledger) = (Rig::new(hopeless(4)), Ledger::default());
        thread::scope(|threads| {
            let submit = || {
                for _ in 0..2000 {
                    let _ = rig.submit(ledger.job(|| ()));
                }
            };
            let submitters = [threads.spawn(submit), threads.spawn(submit)];
            while !submitters.iter().all(ScopedJoinHandle::is_finished) {
                rig.cancel_queued();
            }
        });
        let counts = ledger.settle();
        assert_eq!(counts.refused + counts.discarded, 4000);
        assert_eq!(rig.stats().in_flight, 0);
    });
}

/// Runs this very test once more in a process that has address space for a few threads only.
fn starved(test: &str, body: fn()) {
    const STARVED: &str = "ANTSPY_TEST_STARVED";
    if std::env::var_os(STARVED).is_some() {
        return within_limit(body);
    }
    let output = Command::new("sh")
        .args(["-c", "ulimit -v $((8 * 1024 * 1024)) && exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().expect("the test's own program"))
        .args(["--exact", test, "--nocapture"])
        .env(STARVED, "1")
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

/// Threads that fit only a few times into 8 GiB.
fn greedy(capacity: usize) -> Config {
    Config {
        queue_size: UNLIMITED,
        stack_size: Some(2 << 30),
        ..sized(capacity)
    }
}

#[test]
fn with_a_worker_there_the_task_stays_queued_and_runs() {
    starved(
        "no_thread::with_a_worker_there_the_task_stays_queued_and_runs",
        || {
            let (rig, ledger) = (Rig::new(greedy(8)), Ledger::default());
            let gate = Gate::default();
            for _ in 0..8 {
                rig.submit(ledger.job(gate.waits())).expect("accepted");
            }
            // Everybody who could be started has a task, and the others wait.
            eventually(|| rig.stats().queued + rig.stats().running == 8);
            let stats = rig.stats();
            assert!((1..8).contains(&stats.running), "{stats:?}");
            gate.open();
            rig.wait();
            assert_eq!(ledger.settle().ran, 8);
            rig.finish();
            assert_eq!(Arc::strong_count(&rig), 1);
        },
    );
}

#[test]
fn a_task_that_came_while_a_start_failed_is_not_forgotten() {
    starved(
        "no_thread::a_task_that_came_while_a_start_failed_is_not_forgotten",
        || {
            // 1. All workers are busy. A submits; for its task a thread is being started.
            // 2. A worker comes free, runs A's task, finds nothing more, and goes idle.
            // 3. B submits. A worker is already being started, so nobody else is woken.
            // 4. The start fails. Now the idle worker must be woken for B's task.
            let (rig, ledger) = (Rig::new(greedy(100)), Ledger::default());
            for _ in 0..300 {
                thread::scope(|threads| {
                    for _ in 0..3 {
                        threads.spawn(|| {
                            for _ in 0..6 {
                                rig.submit(ledger.job(|| ())).expect("accepted");
                            }
                        });
                    }
                });
                rig.wait();
            }
            assert_eq!(ledger.settle().ran, 300 * 18);
        },
    );
}

#[test]
fn without_a_thread_the_tasks_in_line_are_ended_however_many() {
    starved(
        "no_thread::without_a_thread_the_tasks_in_line_are_ended_however_many",
        || {
            // 1. A pool in a pause is full; its worker expires; many stand in line.
            // 2. When the pause ends there is no thread to be had: what is queued is ended.
            // 3. The next in line takes the place, has no thread either, and so on: not on one stack.
            const MANY: usize = 50_000;
            let clock = Clock::toy();
            let host = TestHost::with_clock(clock.clone());
            let config = Config {
                queue_size: 0,
                ..greedy(1)
            };
            let (rig, ledger) = (Rig::with_host(host, config), Ledger::default());
            rig.submit(Job::new(|| ())).expect("accepted");
            rig.wait();
            rig.pause();
            rig.submit(ledger.job(|| ())).expect("accepted");
            eventually(|| {
                clock.advance(Duration::from_secs(3600));
                rig.stats().running == 0
            });
            let line: Vec<_> = (0..MANY).map(|_| rig.line_up(ledger.job(|| ()))).collect();
            let (hog, gate) = (Rig::new(greedy(8)), Gate::default());
            for _ in 0..8 {
                hog.submit(Job::new(gate.waits())).expect("accepted");
            }
            eventually(|| hog.stats().queued + hog.stats().running == 8);
            rig.resume();
            rig.wait();
            assert_eq!(ledger.settle().discarded, 1 + MANY);
            assert!(line.iter().all(|it| it.verdict() == Verdict::Granted));
            assert_eq!(check(&rig, 0).failed, 1 + MANY as u64);
            gate.open();
        },
    );
}
