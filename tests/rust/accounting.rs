//! Rule 1: accepted means accounted for. Rule 6: nothing foreign happens under the pool's lock.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, ThreadId},
};

use antspy::core::{Config, Overflow, UNLIMITED};

use crate::{
    host::{Attached, Counts, Job, Ledger, Rig, TestPool, sized, submit},
    support::{Gate, panic_quietly, within_limit},
};

const SUBMITTERS: usize = 4;
const EACH: usize = 500;

/// Four threads submit; every third task they cancel again if they can, every eleventh panics, every fifth
/// leaves something to tell. Returns how many bodies ran.
fn storm(pool: &Arc<TestPool>, ledger: &Arc<Ledger>, meanwhile: impl FnOnce()) -> usize {
    let ran = Arc::new(AtomicUsize::new(0));
    thread::scope(|threads| {
        for _ in 0..SUBMITTERS {
            threads.spawn(|| {
                for number in 0..EACH {
                    let ran = ran.clone();
                    let body = move || {
                        ran.fetch_add(1, Ordering::SeqCst);
                        if number % 11 == 0 {
                            panic_quietly();
                        }
                    };
                    let job = ledger.note(if number % 5 == 0 {
                        Job::telling(number % 2 == 0, move |_, _| body())
                    } else {
                        Job::new(body)
                    });
                    let fate = job.fate();
                    // A refusal is written down, and counted in the end.
                    let _ = submit(pool, job);
                    if number % 3 == 0 && fate.ends().is_empty() && fate.cancel() {
                        pool.cancelled(&Attached::new());
                    }
                }
            });
        }
        meanwhile();
    });
    let scope = Attached::new();
    pool.wait(&scope, None).expect("no deadline, no signal");
    if pool.stats().closed {
        pool.wait_gone(&scope, None)
            .expect("no deadline, no signal");
    }
    ran.load(Ordering::SeqCst)
}

fn every_overflow() -> impl Iterator<Item = Config> {
    [
        (Overflow::Block, 0),
        (Overflow::Block, 3),
        (Overflow::Block, UNLIMITED),
        (Overflow::Raise, 2),
        (Overflow::Discard, 2),
        (Overflow::CallerRuns, 2),
    ]
    .into_iter()
    .map(|(overflow, queue_size)| Config {
        overflow,
        queue_size,
        ..sized(3)
    })
}

fn total(counts: Counts) -> usize {
    counts.ran + counts.cancelled + counts.discarded + counts.refused
}

/// What the books say once all is over.
fn check_books(pool: &TestPool) {
    let stats = pool.stats();
    assert_eq!(stats.in_flight, 0, "places that nobody uses: {stats:?}");
    assert_eq!(stats.queued, 0, "{stats:?}");
    assert_eq!(stats.waiting, 0, "{stats:?}");
}

#[test]
fn every_task_ends_exactly_once_while_the_pool_is_resized() {
    within_limit(|| {
        for config in every_overflow() {
            let overflow = config.overflow;
            let (rig, ledger) = (Rig::new(config), Arc::new(Ledger::default()));
            let ran = storm(&rig, &ledger, || {
                for size in [1, 5, 2, 8, UNLIMITED, 1, 3].repeat(40) {
                    rig.tune(size, &Attached::new()).expect("a good size");
                    thread::yield_now();
                }
            });
            let counts = ledger.settle();
            assert_eq!(total(counts), SUBMITTERS * EACH);
            assert_eq!(ran, counts.ran);
            assert!(counts.refused == 0 || overflow == Overflow::Raise);
            assert!(counts.discarded == 0 || overflow == Overflow::Discard);
            check_books(&rig);
            rig.finish();
            assert_eq!(rig.stats().running, 0);
        }
    });
}

#[test]
fn every_task_ends_exactly_once_when_the_pool_is_closed_meanwhile() {
    within_limit(|| {
        for round in 0..5 {
            for config in every_overflow() {
                let (rig, ledger) = (Rig::new(config), Arc::new(Ledger::default()));
                let ran = storm(&rig, &ledger, || {
                    // Not before some work has been done: later in later rounds.
                    while ledger.len() < round * SUBMITTERS * EACH / 5 {
                        thread::yield_now();
                    }
                    rig.close();
                    if round % 2 == 0 {
                        rig.cancel_queued();
                    }
                });
                let counts = ledger.settle();
                assert_eq!(total(counts), SUBMITTERS * EACH);
                assert_eq!(ran, counts.ran);
                check_books(&rig);
                assert_eq!(rig.stats().running, 0);
            }
        }
    });
}

#[test]
fn every_task_ends_exactly_once_when_the_pool_breaks_and_is_mended_meanwhile() {
    within_limit(|| {
        let config = Config {
            queue_size: UNLIMITED,
            ..sized(4)
        };
        let (rig, ledger) = (Rig::new(config), Arc::new(Ledger::default()));
        let scope = Attached::new;
        let ran = storm(&rig, &ledger, || {
            for _ in 0..20 {
                rig.host().fail_to_initialize("no licence");
                // A closed pool and a new start bring the next worker, which is not fit.
                rig.close();
                rig.reboot(&scope()).expect("no signal").expect("threads");
                thread::yield_now();
                rig.host().initialize_no_more();
                rig.reboot(&scope()).expect("no signal").expect("threads");
            }
            rig.close();
        });
        let counts = ledger.settle();
        assert_eq!(total(counts), SUBMITTERS * EACH);
        assert_eq!(ran, counts.ran);
        check_books(&rig);
    });
}

#[test]
fn a_panic_frees_the_place_and_its_worker_lives_on() {
    within_limit(|| {
        let rig = Rig::new(sized(1));
        let threads: Arc<Mutex<Vec<ThreadId>>> = Arc::default();
        for panics in [true, false, true, false] {
            let threads = threads.clone();
            // Capacity 1: each of these waits for the place of the one before.
            rig.submit(Job::new(move || {
                threads.lock().unwrap().push(thread::current().id());
                if panics {
                    panic_quietly();
                }
            }))
            .expect("accepted");
        }
        rig.wait();
        let threads = threads.lock().unwrap();
        assert_eq!(threads.len(), 4);
        assert!(threads.iter().all(|thread| *thread == threads[0]));
        assert_eq!(rig.stats().started, 1);
        check_books(&rig);
    });
}

#[test]
fn a_panic_while_telling_frees_all_too() {
    within_limit(|| {
        let rig = Rig::new(sized(1));
        for prompt in [true, false] {
            for says_so in [true, false] {
                rig.submit(Job::telling(prompt, move |_, busy| {
                    if says_so {
                        busy();
                    }
                    panic_quietly();
                }))
                .expect("accepted");
                rig.wait();
                assert_eq!(rig.stats().idle, 1);
            }
        }
        check_books(&rig);
        rig.finish();
    });
}

/// Whoever looks at the pool while it is dropped would hang if the pool's lock were held.
struct LooksWhenDropped(Arc<TestPool>);

impl Drop for LooksWhenDropped {
    fn drop(&mut self) {
        self.0.stats();
    }
}

#[test]
fn tasks_are_run_told_ended_and_dropped_outside_of_the_lock() {
    within_limit(|| {
        let config = Config {
            queue_size: UNLIMITED,
            ..sized(1)
        };
        let rig = Rig::new(config);
        let looks = || LooksWhenDropped(rig.0.clone());
        let gate = Gate::default();
        rig.submit(Job::new(gate.waits())).expect("accepted");
        // Swept: enough of them that they are most of the queue.
        for _ in 0..200 {
            let looks = looks();
            let job = Job::new(move || drop(looks));
            let fate = job.fate();
            rig.submit(job).expect("accepted");
            assert!(fate.cancel());
            rig.cancelled();
        }
        // Run, and told.
        let (in_body, in_tell) = (looks(), looks());
        rig.submit(Job::new(move || drop(in_body)))
            .expect("accepted");
        rig.submit(Job::telling(true, move |_, _| drop(in_tell)))
            .expect("accepted");
        gate.open();
        rig.wait();
        // Ended in the queue.
        let gate = Gate::default();
        rig.submit(Job::new(gate.waits())).expect("accepted");
        let in_queue = looks();
        rig.submit(Job::new(move || drop(in_queue)))
            .expect("accepted");
        rig.close();
        rig.cancel_queued();
        gate.open();
        rig.wait_gone();
        // Refused.
        let refused = looks();
        rig.submit(Job::new(move || drop(refused)))
            .expect_err("closed");
    });
}
