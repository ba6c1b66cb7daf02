//! Who waits for a place, for tasks, for threads, for a group.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use antspy::core::sync::thread;
use antspy::core::{Refusal, Unfinished, Verdict, WaitGroup};

use super::{
    Gate, Scene,
    host::{Attached, Interrupt, TestHost, interrupt_this_thread},
    model, queueing, staying,
};

#[test]
fn a_submitter_that_waits_for_the_place_of_a_task_that_ends_gets_it() {
    // 1. The pool is full; a submitter stands in line and is about to park.
    // 2. The task ends; its place is granted to the submitter.
    // 3. The submitter parks: the wake-up must have been kept for it.
    model(5, || {
        let scene = Scene::new(staying(1));
        assert!(scene.offer() && scene.offer());
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn two_who_wait_for_the_same_place_get_it_one_after_the_other() {
    model(2, || {
        let scene = Scene::new(staying(1));
        let other = scene.spawn(|scene| assert!(scene.offer()));
        assert!(scene.offer());
        assert!(scene.rig.stats().in_flight <= 1);
        assert!(scene.offer());
        other.join().unwrap();
        assert_eq!(scene.end().ran, 3);
    });
}

#[test]
fn a_submitter_that_waits_is_not_forgotten_while_there_is_a_queue() {
    // A place that comes free while a worker is on its way is granted by that worker.
    model(4, || {
        let scene = Scene::new(antspy::core::Config {
            queue_size: 1,
            ..staying(1)
        });
        assert!(scene.offer() && scene.offer() && scene.offer());
        assert_eq!(scene.end().ran, 3);
    });
}

#[test]
fn a_signal_racing_a_granted_place_passes_the_place_on() {
    // 1. A and B wait for the only place, A in front.
    // 2. It is granted to A; at the same moment a signal wakes A.
    // 3. A goes in, or is broken off: then B must get the place.
    model(2, || {
        let scene = Scene::new(staying(1));
        assert!(scene.offer());
        let broken_off = scene.spawn(|scene| {
            interrupt_this_thread();
            match scene.rig.submit(scene.ledger.job(|| ())) {
                Ok(()) | Err(Refusal::Interrupted(Interrupt)) => {}
                Err(why) => panic!("{why:?}"),
            }
        });
        assert!(scene.offer());
        broken_off.join().unwrap();
        let counts = scene.end();
        assert_eq!(counts.ran + counts.refused, 3);
        assert!(counts.ran >= 2);
    });
}

#[test]
fn a_wait_for_all_tasks_racing_the_end_of_the_last_comes_back() {
    model(3, || {
        let scene = Scene::new(queueing(1));
        assert!(scene.offer());
        let other = scene.spawn(|scene| scene.rig.wait());
        scene.rig.wait();
        assert_eq!(scene.ledger.settle().ran, 1, "not before");
        other.join().unwrap();
        scene.end();
    });
}

#[test]
fn a_wait_with_a_deadline_loses_nothing_and_can_be_had_again() {
    model(4, || {
        let scene = Scene::new(queueing(1));
        assert!(scene.offer());
        match scene.rig.0.wait(&Attached::new(), Some(Instant::now())) {
            Ok(()) => assert_eq!(scene.ledger.settle().ran, 1),
            Err(Unfinished::TimedOut) => {}
            Err(why) => panic!("{why:?}"),
        }
        scene.rig.wait();
        assert_eq!(scene.end().ran, 1);
    });
}

#[test]
fn a_wait_for_a_group_racing_the_last_done_comes_back() {
    model(5, || {
        let group = Arc::new(WaitGroup::<TestHost>::new());
        group.add(2).expect("in range");
        let workers: Vec<_> = (0..2)
            .map(|_| {
                let group = group.clone();
                thread::spawn(move || group.done().expect("in range"))
            })
            .collect();
        assert_eq!(group.wait(&Attached::new(), None, || ()), Ok(true));
        assert_eq!(group.count(), 0);
        for worker in workers {
            worker.join().unwrap();
        }
    });
}

#[test]
fn a_group_used_again_holds_nobody_of_the_round_before() {
    // 1. A waits for the group; the count reaches zero, and A is told.
    // 2. Before A has run again, the next round begins, and the count is not zero.
    // 3. A comes back all the same: what counts is that it was zero while A waited.
    model(5, || {
        let group = Arc::new(WaitGroup::<TestHost>::new());
        group.add(1).expect("in range");
        let waits = {
            let group = group.clone();
            thread::spawn(move || assert_eq!(group.wait(&Attached::new(), None, || ()), Ok(true)))
        };
        group.done().expect("in range");
        // A may also come only now, and wait for this round.
        group.add(1).expect("in range");
        group.done().expect("in range");
        waits.join().unwrap();
    });
}

#[test]
fn one_who_joins_as_the_last_job_ends_is_told_or_need_not_wait() {
    model(5, || {
        let group = Arc::new(WaitGroup::<TestHost>::new());
        group.add(1).expect("in range");
        let worker = {
            let group = group.clone();
            thread::spawn(move || group.done().expect("in range"))
        };
        let waiter = Arc::default();
        let waits = group.join(&waiter);
        worker.join().unwrap();
        assert_eq!(waiter.verdict() == Verdict::Granted, waits);
    });
}

#[test]
fn who_waits_until_the_search_is_settled_finds_a_worker_for_each_task() {
    // 1. The first worker takes its task, and summons the second, which may find that the first has ended both.
    // 2. In between nobody searches for a moment: that must not be taken for the end of the search.
    model(3, || {
        let scene = Scene::new(queueing(2));
        let gate = Gate::default();
        for _ in 0..2 {
            let waits = gate.clone();
            let job = scene.ledger.job(move || waits.pass());
            scene.rig.submit(job).expect("accepted");
        }
        scene.rig.settle(&Attached::new(), None).expect("no signal");
        assert_eq!(scene.rig.host().tally.entered.load(Ordering::SeqCst), 2);
        gate.open();
        assert_eq!(scene.end().ran, 2);
    });
}
