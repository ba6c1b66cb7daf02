//! Tasks that are run in the midst of others, by the thread that submits or waits for them.

use std::{
    sync::{Arc, mpsc},
    thread,
};

use antspy::core::{Config, Overflow, Refusal, UNLIMITED};

use crate::{
    host::{DEEPEST, Job, Ledger, Rig, TestPool, sized, submit},
    support::{Gate, Log, eventually, occupy, panic_quietly, within_limit},
};

fn queueing(capacity: usize) -> Config {
    Config {
        queue_size: UNLIMITED,
        ..sized(capacity)
    }
}

/// What the books must say once all is over: so many ran, and nothing is left.
fn check_books(rig: &Rig, ran: u64) {
    rig.wait();
    assert!(rig.is_quiet());
    // A worker may still be at the remains of a task that was waited for.
    eventually(|| rig.stats().idle == rig.stats().running);
    let (stats, tally) = rig.stats_and_tally();
    assert_eq!((stats.in_flight, stats.queued), (0, 0), "{stats:?}");
    assert_eq!(tally.completed + tally.failed, ran, "{tally:?}");
    assert_eq!(tally.started, ran, "{tally:?}");
    assert_eq!(tally.submitted, ran + tally.cancelled, "{tally:?}");
}

/// A job that writes a line before and after it has submitted the next, down to 0.
fn countdown(pool: &Arc<TestPool>, log: &Log<usize>, left: usize) -> Job {
    let (pool, log) = (pool.clone(), log.clone());
    Job::new(move || {
        log.write(left);
        if left > 0 {
            submit(&pool, countdown(&pool, &log, left - 1)).expect("run here");
        }
        log.write(left);
    })
}

#[test]
fn a_worker_that_finds_its_own_pool_full_runs_the_task_itself() {
    within_limit(|| {
        const DEPTH: usize = 50;
        let (rig, log) = (Rig::new(sized(1)), Log::default());
        rig.submit(countdown(&rig, &log, DEPTH)).expect("accepted");
        rig.wait();
        let down = (0..=DEPTH).rev();
        assert_eq!(log.lines(), down.chain(0..=DEPTH).collect::<Vec<_>>());
        assert_eq!(rig.stats().started, 1);
        check_books(&rig, DEPTH as u64 + 1);
    });
}

/// A job that submits another like itself. The last one that fits tells what became of the one that does not.
fn dig(pool: Arc<TestPool>, log: Log<()>, tell: mpsc::Sender<bool>) -> Job {
    Job::scoped(move |scope| {
        log.write(());
        let next = dig(pool.clone(), log, tell.clone());
        let submitted = pool.submit(next, &antspy::core::Terms::default(), scope);
        if let Err(refused) = submitted {
            refused.task.refuse();
            tell.send(matches!(refused.why, Refusal::TooDeep)).unwrap();
        }
    })
}

#[test]
fn tasks_nested_too_deeply_are_refused() {
    within_limit(|| {
        let (rig, log) = (Rig::new(sized(1)), Log::default());
        let (tell, told) = mpsc::channel();
        let pool = rig.0.clone();
        rig.submit(dig(pool, log.clone(), tell)).expect("accepted");
        assert!(told.recv().unwrap());
        assert_eq!(log.len(), DEEPEST + 1);
        check_books(&rig, DEEPEST as u64 + 1);
        assert_eq!(rig.stats_and_tally().1.rejected, 1);
    });
}

#[test]
fn a_pool_that_does_not_block_treats_its_workers_like_others() {
    within_limit(|| {
        for (overflow, ran) in [
            (Overflow::Raise, 1),
            (Overflow::Discard, 1),
            (Overflow::CallerRuns, 2),
        ] {
            let rig = Rig::new(Config {
                overflow,
                ..sized(1)
            });
            let (ledger, pool) = (Arc::new(Ledger::default()), rig.0.clone());
            let inner = ledger.job(|| ());
            let outer = ledger.job(move || drop(submit(&pool, inner)));
            rig.submit(outer).expect("accepted");
            check_books(&rig, ran);
            let counts = ledger.settle();
            assert_eq!(counts.refused, usize::from(overflow == Overflow::Raise));
            assert_eq!(counts.discarded, usize::from(overflow == Overflow::Discard));
        }
    });
}

#[test]
fn a_waiter_runs_the_task_that_it_waits_for_and_what_is_left_of_it_is_skipped() {
    within_limit(|| {
        let (rig, log) = (Rig::new(queueing(1)), Log::default());
        let (pool, nested) = (rig.0.clone(), log.clone());
        let outer = Job::scoped(move |scope| {
            for number in 0..3 {
                let job = Job::new(nested.writes(number));
                let future = job.future();
                submit(&pool, job).expect("queued");
                pool.run_waited(future.job(), scope);
                // Once more does nothing: it has run.
                pool.run_waited(future.job(), scope);
                nested.write(10 + number);
            }
            let stats = pool.stats();
            // What is left of them in the queue is not counted.
            assert_eq!(stats.in_flight, 1 + stats.queued, "{stats:?}");
        });
        rig.submit(outer).expect("accepted");
        rig.submit(Job::new(log.writes(20))).expect("queued");
        rig.wait();
        assert_eq!(log.lines(), [0, 10, 1, 11, 2, 12, 20]);
        check_books(&rig, 5);
        rig.finish();
    });
}

#[test]
fn what_is_left_of_tasks_that_were_waited_for_does_not_fill_the_memory() {
    within_limit(|| {
        let rig = Rig::new(queueing(1));
        let pool = rig.0.clone();
        rig.submit(Job::scoped(move |scope| {
            for _ in 0..1_000 {
                let job = Job::telling(true, |_, _| ()).tagged(1);
                let future = job.future();
                submit(&pool, job).expect("queued");
                pool.run_waited(future.job(), scope);
                assert_eq!(pool.stats().queued, 0);
            }
            let mut left = 0;
            while pool.run_queued(|job| job.tag() == 1, scope) {
                left += 1;
            }
            assert!(left <= 64, "{left} in the queue");
        }))
        .expect("accepted");
        check_books(&rig, 1_001);
    });
}

#[test]
fn a_waiter_takes_out_of_the_queue_what_it_wants_and_nothing_else() {
    within_limit(|| {
        let (rig, log) = (Rig::new(queueing(1)), Log::default());
        let gate = occupy(&rig);
        let (pool, nested) = (rig.0.clone(), log.clone());
        let outer = Job::scoped(move |scope| {
            while pool.run_queued(|job| job.tag() == 1, scope) {}
            nested.write(100);
            assert!(!pool.run_queued(|job| job.tag() == 7, scope));
            assert_eq!(pool.stats().queued, 3);
        });
        rig.submit(outer).expect("accepted");
        for number in 0..6 {
            let job = Job::new(log.writes(number)).tagged(number % 2);
            rig.submit(job).expect("accepted");
        }
        gate.open();
        rig.wait();
        assert_eq!(log.lines(), [1, 3, 5, 100, 0, 2, 4]);
        check_books(&rig, 8);
    });
}

#[test]
fn a_nested_task_frees_its_place_before_it_is_told() {
    within_limit(|| {
        let rig = Rig::new(Config {
            queue_size: 1,
            ..sized(1)
        });
        let (begun, gate) = (Gate::default(), Gate::default());
        let (pool, opens, waits) = (rig.0.clone(), begun.clone(), gate.waits());
        let outer = Job::scoped(move |scope| {
            let job = Job::telling(true, move |_, _| {
                opens.open();
                waits();
            });
            let future = job.future();
            submit(&pool, job).expect("queued");
            pool.run_waited(future.job(), scope);
        });
        rig.submit(outer).expect("accepted");
        begun.pass();
        assert_eq!(rig.stats().in_flight, 1);
        rig.submit(Job::new(|| ())).expect("a free place");
        gate.open();
        check_books(&rig, 3);
    });
}

#[test]
fn a_panic_in_a_nested_task_does_not_reach_the_one_around_it() {
    within_limit(|| {
        let rig = Rig::new(Config {
            queue_size: 2,
            ..sized(1)
        });
        let (pool, ledger) = (rig.0.clone(), Ledger::default());
        let outer = ledger.note(Job::scoped(move |scope| {
            let job = Job::new(|| panic_quietly());
            let future = job.future();
            submit(&pool, job).expect("queued");
            pool.run_waited(future.job(), scope);
            let telling = Job::telling(true, |_, _| panic_quietly()).tagged(1);
            submit(&pool, telling).expect("queued");
            assert!(pool.run_queued(|job| job.tag() == 1, scope));
            pool.run_here(Job::new(|| panic_quietly()), scope);
        }));
        rig.submit(outer).expect("accepted");
        check_books(&rig, 4);
        assert_eq!(
            rig.stats_and_tally().1.failed,
            2,
            "telling is no part of it"
        );
        assert_eq!(ledger.settle().ran, 1);
        assert_eq!(rig.stats().idle, 1);
    });
}

#[test]
fn a_worker_knows_its_own_pool() {
    within_limit(|| {
        let (rig, other) = (Rig::new(sized(1)), Rig::new(sized(1)));
        let (tell, told) = mpsc::channel();
        let (own, foreign) = (rig.0.clone(), other.0.clone());
        let job = move || {
            let both = (own.has_this_worker(), foreign.has_this_worker());
            tell.send(both).unwrap();
        };
        rig.submit(Job::new(job)).expect("accepted");
        assert_eq!(told.recv().unwrap(), (true, false));
        assert!(!rig.has_this_worker());
    });
}

#[test]
fn every_task_ends_exactly_once_whoever_runs_it() {
    within_limit(|| {
        for capacity in [1, 3] {
            let (rig, ledger) = (Rig::new(queueing(capacity)), Arc::new(Ledger::default()));
            let ran = Log::default();
            thread::scope(|threads| {
                for _ in 0..3 {
                    threads.spawn(|| {
                        for number in 0..200 {
                            let inner = ledger.note(Job::new(ran.writes(())).tagged(1));
                            let (pool, future) = (rig.0.clone(), inner.future());
                            let outer = ledger.note(Job::scoped(move |scope| {
                                submit(&pool, inner).expect("queued");
                                match number % 3 {
                                    0 => pool.run_waited(future.job(), scope),
                                    1 => drop(pool.run_queued(|job| job.tag() == 1, scope)),
                                    _ if future.cancel() => pool.cancelled(scope),
                                    _ => {}
                                }
                            }));
                            rig.submit(outer).expect("accepted");
                        }
                    });
                }
            });
            rig.wait();
            let counts = ledger.settle();
            assert_eq!(counts.ran + counts.cancelled, 1200);
            check_books(&rig, counts.ran as u64);
            assert_eq!(counts.ran, 600 + ran.len());
        }
    });
}
