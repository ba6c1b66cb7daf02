//! Rule 3: a worker is started only for work. Rule 5: nobody lets go of the runtime without need. Rule 7: a
//! worker is idle before its result is told.

use std::{
    sync::{Arc, Barrier, mpsc},
    thread,
    time::Instant,
};

use antspy::core::{Config, Rate, UNLIMITED};

use crate::{
    host::{Attached, Job, Rig, TestPool, sized, submit},
    support::{Gate, eventually, within_limit},
};

#[test]
fn many_tiny_tasks_start_few_workers() {
    within_limit(|| {
        for queue_size in [0, UNLIMITED] {
            let rig = Rig::new(Config {
                queue_size,
                ..sized(1000)
            });
            for _ in 0..100_000 {
                rig.submit(Job::new(|| ())).expect("accepted");
            }
            rig.wait();
            let started = rig.stats().started;
            // A handful; more only where the machine has no time for those that it has started.
            assert!(started < 50, "{started} workers for no-ops");
        }
    });
}

#[test]
fn as_many_tasks_as_the_capacity_can_wait_for_each_other() {
    within_limit(|| {
        const CAPACITY: usize = 200;
        let rig = Rig::new(sized(CAPACITY));
        // First with nobody there, then with everybody idle.
        for _ in 0..2 {
            let barrier = Arc::new(Barrier::new(CAPACITY));
            for _ in 0..CAPACITY {
                let barrier = barrier.clone();
                rig.submit(Job::new(move || {
                    barrier.wait();
                }))
                .expect("accepted");
            }
            rig.wait();
            assert_eq!(rig.stats().started, CAPACITY as u64);
        }
    });
}

#[test]
fn tasks_that_wait_for_each_other_find_workers_between_tiny_ones() {
    within_limit(|| {
        const CAPACITY: usize = 16;
        let rig = Rig::new(Config {
            queue_size: UNLIMITED,
            ..sized(CAPACITY)
        });
        for round in 0..50 {
            let barrier = Arc::new(Barrier::new(CAPACITY));
            for number in 0..CAPACITY * 4 {
                let barrier = (number % 4 == round % 4).then(|| barrier.clone());
                rig.submit(Job::new(move || {
                    if let Some(barrier) = barrier {
                        barrier.wait();
                    }
                }))
                .expect("accepted");
            }
        }
        rig.wait();
    });
}

#[test]
fn one_caller_that_waits_for_each_result_needs_one_worker() {
    within_limit(|| {
        // A capacity of 1 also proves that the place is free before the result is told: this submitter
        // would have to wait for it otherwise.
        for capacity in [1, 10] {
            let rig = Rig::new(sized(capacity));
            let scope = Attached::new();
            for _ in 0..2000 {
                let (tell, told) = mpsc::channel();
                let job = Job::telling(true, move |_, _| tell.send(()).unwrap());
                rig.submit_from(&scope, job);
                told.recv().unwrap();
            }
            assert_eq!(rig.stats().started, 1, "capacity {capacity}");
            assert_eq!(scope.blocks(), 0, "capacity {capacity}");
        }
    });
}

/// What a pool of one says of itself while a result is told.
fn idle_while_telling(prompt: bool, says_busy: bool) -> (usize, usize) {
    let rig = Rig::new(sized(1));
    let (tell, told) = mpsc::channel();
    let pool = rig.0.clone();
    rig.submit(Job::telling(prompt, move |_, busy| {
        if says_busy {
            busy();
        }
        let stats = pool.stats();
        tell.send((stats.idle, stats.in_flight)).unwrap();
    }))
    .expect("accepted");
    let seen = told.recv().unwrap();
    rig.wait();
    assert_eq!(rig.stats().idle, 1, "idle in the end in any case");
    seen
}

#[test]
fn a_worker_is_idle_and_its_place_free_before_its_result_is_told() {
    within_limit(|| assert_eq!(idle_while_telling(true, false), (1, 0)));
}

#[test]
fn a_worker_that_may_run_foreign_code_is_not_offered_as_idle() {
    within_limit(|| {
        assert_eq!(idle_while_telling(false, false), (0, 0));
        assert_eq!(idle_while_telling(false, true), (0, 0));
        assert_eq!(idle_while_telling(true, true), (0, 0), "withdrawn");
    });
}

#[test]
fn a_worker_with_more_to_do_is_not_offered_as_idle() {
    within_limit(|| {
        let rig = Rig::new(Config {
            queue_size: UNLIMITED,
            ..sized(1)
        });
        let gate = Gate::default();
        rig.submit(Job::new(gate.waits())).expect("accepted");
        let (tell, told) = mpsc::channel();
        let pool = rig.0.clone();
        rig.submit(Job::telling(true, move |_, _| {
            tell.send(pool.stats().idle).unwrap();
        }))
        .expect("accepted");
        rig.submit(Job::new(|| ())).expect("accepted");
        gate.open();
        assert_eq!(told.recv().unwrap(), 0);
    });
}

#[test]
fn a_worker_summoned_before_it_withdraws_sends_another() {
    within_limit(|| {
        // 1. The worker has told the pool that it is idle, and begins to tell its result.
        // 2. A task is submitted, and this worker, the newest idle, is summoned for it.
        // 3. It finds that it has to call foreign code, which waits for that very task.
        // Without a second summons in `withdraw` nobody would come for the task.
        let rig = Rig::new(sized(2));
        let pool: Arc<TestPool> = rig.0.clone();
        rig.submit(Job::telling(true, move |_, busy| {
            let gate = Gate::default();
            let opened = gate.clone();
            submit(&pool, Job::new(move || opened.open())).expect("accepted");
            assert_eq!(pool.stats().idle, 0, "summoned");
            busy();
            gate.pass();
        }))
        .expect("accepted");
        rig.wait();
        assert_eq!(rig.stats().started, 2);
    });
}

#[test]
fn a_worker_that_withdraws_lets_an_idle_one_go_instead() {
    within_limit(|| {
        let rig = Rig::new(sized(2));
        let both = Arc::new(Barrier::new(2));
        for _ in 0..2 {
            let both = both.clone();
            rig.submit(Job::new(move || {
                both.wait();
            }))
            .expect("accepted");
        }
        rig.wait();
        let pool = rig.0.clone();
        rig.submit(Job::telling(true, move |_, busy| {
            let gate = Gate::default();
            let opened = gate.clone();
            submit(&pool, Job::new(move || opened.open())).expect("accepted");
            busy();
            gate.pass();
        }))
        .expect("accepted");
        rig.wait();
        assert_eq!(rig.stats().started, 2);
    });
}

#[test]
fn a_submit_that_finds_a_place_never_lets_go_of_the_runtime() {
    within_limit(|| {
        let rig = Rig::new(Config {
            queue_size: UNLIMITED,
            ..sized(4)
        });
        let scope = Attached::new();
        for _ in 0..1000 {
            rig.submit_from(&scope, Job::new(|| ()));
        }
        assert_eq!(scope.blocks(), 0);
        rig.0.wait(&scope, None).expect("no signal");
        assert!(scope.blocks() <= 1, "once to wait, if it had to");
    });
}

#[test]
fn a_submit_that_waits_lets_go_of_the_runtime_to_spin_and_to_sleep() {
    within_limit(|| {
        let rig = Rig::new(sized(1));
        let gate = Gate::default();
        rig.submit(Job::new(gate.waits())).expect("accepted");
        thread::scope(|threads| {
            let submitter = threads.spawn(|| {
                let scope = Attached::new();
                rig.submit_from(&scope, Job::new(|| ()));
                scope.blocks()
            });
            eventually(|| rig.stats().waiting == 1);
            gate.open();
            // In between it looks for signals.
            assert!((1..=2).contains(&submitter.join().unwrap()));
        });
    });
}

#[test]
fn a_worker_with_a_full_queue_never_lets_go_of_the_runtime_and_gives_way_once_a_turn() {
    within_limit(|| {
        let rig = Rig::new(Config {
            queue_size: UNLIMITED,
            ..sized(1)
        });
        let gate = Gate::default();
        rig.submit(Job::new(gate.waits())).expect("accepted");
        let (tell, told) = mpsc::channel();
        let count = |pool: Arc<TestPool>| {
            let tell = tell.clone();
            Job::new(move || {
                let host = pool.host();
                let now = (host.worker_blocks(), host.worker_ways(), Instant::now());
                tell.send(now).unwrap();
            })
        };
        // For the time that the gate took the worker gives way once, after the first of these.
        rig.submit(Job::new(|| ())).expect("accepted");
        rig.submit(count(rig.0.clone())).expect("accepted");
        for _ in 0..10_000 {
            rig.submit(Job::new(|| ())).expect("accepted");
        }
        rig.submit(count(rig.0.clone())).expect("accepted");
        gate.open();
        rig.wait();
        let (first, last) = (told.recv().unwrap(), told.recv().unwrap());
        assert_eq!(first.0, last.0, "blocks");
        let turns = (last.2 - first.2).as_millis() / 5 + 1;
        let ways = last.1 - first.1;
        assert!(
            u128::from(ways) <= turns,
            "{ways} times in at most {turns} turns"
        );
    });
}

#[test]
fn once_the_search_is_settled_there_are_as_many_workers_as_tasks_or_the_capacity() {
    within_limit(|| {
        for (capacity, tasks, expected) in [(4, 60, 4), (10, 3, 3), (10, 0, 0), (1, 5, 1)] {
            let rig = Rig::new(Config {
                queue_size: UNLIMITED,
                ..sized(capacity)
            });
            let gate = Gate::default();
            for _ in 0..tasks {
                rig.submit(Job::new(gate.waits())).expect("accepted");
            }
            rig.settle(&Attached::new(), None).expect("no signal");
            assert_eq!(rig.stats().running, expected);
            gate.open();
        }
    });
}

#[test]
fn a_paused_or_a_paced_pool_is_settled() {
    within_limit(|| {
        let paced = Config {
            rate: Some(Rate(1e-3)),
            queue_size: UNLIMITED,
            ..sized(2)
        };
        let rig = Rig::new(paced);
        for _ in 0..2 {
            rig.submit(Job::new(|| ())).expect("accepted");
        }
        rig.settle(&Attached::new(), None).expect("no signal");
        let rig = Rig::new(sized(2));
        rig.pause();
        rig.submit(Job::new(|| ())).expect("accepted");
        rig.settle(&Attached::new(), None).expect("no signal");
        rig.resume();
        rig.wait();
    });
}

#[test]
fn a_task_may_wait_until_its_own_pool_is_settled() {
    within_limit(|| {
        let rig = Rig::new(sized(2));
        let (pool, gate) = (rig.0.clone(), Gate::default());
        let (tell, told) = mpsc::channel();
        rig.submit(Job::new(gate.waits())).expect("accepted");
        rig.submit(Job::scoped(move |scope| {
            tell.send(pool.settle(scope, None)).unwrap();
        }))
        .expect("accepted");
        told.recv().unwrap().expect("no signal");
        gate.open();
        rig.wait();
    });
}
