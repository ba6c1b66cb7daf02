//! When tasks start: pauses and the rate.

use antspy::core::{Config, Rate};

use super::{Scene, expiring, model, queueing};

/// A pool that starts one task, and the next after so many seconds: an hour passes with each look at the clock,
/// and decades never do.
fn paced(capacity: usize, seconds: f64) -> Config {
    Config {
        rate: Some(Rate(1.0 / seconds)),
        ..queueing(capacity)
    }
}

const HOUR: f64 = 3600.0;
const NEVER: f64 = 1e9;

#[test]
fn a_pause_racing_a_submit_loses_no_task() {
    // 1. A task is queued, and the worker is summoned for it.
    // 2. The pool is paused: the worker finds the task, leaves it alone, and goes idle.
    // 3. The pause ends: the worker must be summoned again.
    model(3, || {
        let scene = Scene::new(queueing(1));
        let pauser = scene.spawn(|scene| {
            scene.rig.pause();
            scene.rig.resume();
        });
        assert!(scene.offer() && scene.offer());
        pauser.join().unwrap();
        scene.rig.wait();
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn a_pause_racing_close_is_ended_by_it() {
    model(3, || {
        let scene = Scene::new(queueing(1));
        let pauser = scene.spawn(|scene| scene.rig.pause());
        assert!(scene.offer());
        let counts = scene.end();
        assert_eq!(counts.ran, 1);
        pauser.join().unwrap();
    });
}

#[test]
fn a_worker_that_expires_in_a_pause_is_replaced_after_it() {
    model(3, || {
        let scene = Scene::new(Config {
            queue_size: 1,
            ..expiring(1)
        });
        scene.rig.pause();
        assert!(scene.offer());
        scene.rig.resume();
        scene.rig.wait();
        assert_eq!(scene.end().ran, 1);
    });
}

#[test]
fn a_worker_that_waits_for_the_time_of_a_task_starts_it() {
    model(2, || {
        let scene = Scene::new(paced(2, HOUR));
        let other = scene.spawn(|scene| assert!(scene.offer()));
        assert!(scene.offer());
        other.join().unwrap();
        scene.rig.wait();
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn close_racing_a_worker_that_waits_for_the_time_of_a_task_lets_it() {
    model(2, || {
        let scene = Scene::new(paced(2, HOUR));
        assert!(scene.offer() && scene.offer());
        let closer = scene.spawn(|scene| scene.rig.close());
        let accepted = usize::from(scene.offer());
        closer.join().unwrap();
        assert_eq!(scene.end().ran, 2 + accepted);
    });
}

#[test]
fn nobody_waits_for_the_time_of_a_task_that_was_cancelled() {
    // 1. A worker sees that the second task is due in decades, and is about to sleep until then.
    // 2. The task is cancelled. The worker must be woken, or not have slept: else the pool would not end.
    model(3, || {
        let scene = Scene::new(paced(1, NEVER));
        let jobs = [scene.ledger.job(|| ()), scene.ledger.job(|| ())];
        let fates = [jobs[0].fate(), jobs[1].fate()];
        for job in jobs {
            scene.rig.submit(job).expect("accepted");
        }
        let canceller = scene.spawn(move |scene| {
            for fate in fates.iter().rev() {
                if fate.cancel() {
                    scene.rig.cancelled();
                }
            }
        });
        scene.rig.wait();
        canceller.join().unwrap();
        let counts = scene.end();
        assert_eq!(counts.ran + counts.cancelled, 2);
    });
}

#[test]
fn nobody_waits_for_the_time_of_tasks_that_were_ended_with_the_queue() {
    model(2, || {
        let scene = Scene::new(paced(2, NEVER));
        assert!(scene.offer() && scene.offer());
        let closer = scene.spawn(|scene| scene.rig.close());
        scene.rig.cancel_queued();
        closer.join().unwrap();
        let counts = scene.end();
        assert_eq!(counts.ran + counts.discarded, 2);
    });
}

#[test]
fn a_submit_racing_a_worker_that_need_not_wait_any_more_is_seen() {
    // 1. A worker waits for the time of a task, which is cancelled: the worker is woken.
    // 2. Before it looks, another task is submitted. It is not summoned, for it is on its way.
    // 3. It must find the other task, and wait for its time.
    model(2, || {
        let scene = Scene::new(paced(1, HOUR));
        let jobs = [scene.ledger.job(|| ()), scene.ledger.job(|| ())];
        let fate = jobs[1].fate();
        for job in jobs {
            scene.rig.submit(job).expect("accepted");
        }
        let other = scene.spawn(|scene| assert!(scene.offer()));
        if fate.cancel() {
            scene.rig.cancelled();
        }
        other.join().unwrap();
        scene.rig.wait();
        let counts = scene.end();
        assert_eq!(counts.ran + counts.cancelled, 3);
    });
}
