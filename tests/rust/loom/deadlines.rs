//! Tasks with a deadline, and the thread that watches them. In a model an hour passes with each look at the
//! clock.

use std::{sync::Arc, time::Duration};

use antspy::core::{Host, Refusal, Terms, sync::thread::limit};

use super::{Scene, model, queueing, staying};

/// By so many hours from now.
fn within(scene: &Scene, hours: u32) -> Terms {
    Terms {
        deadline: Some(scene.rig.host().now() + hours * Duration::from_secs(3600)),
        ..Terms::default()
    }
}

/// So far away that it never comes.
const NEVER: u32 = 1_000_000;

#[test]
fn a_deadline_racing_a_worker_ends_the_task_once() {
    // 1. The deadline passes. The watcher takes the task out of the calendar.
    // 2. The worker finds a ticket and no task; or it was faster, and runs the task; or it finds a task that
    //    is late, and leaves it to the watcher.
    model(3, || {
        let scene = Scene::new(queueing(1));
        let job = scene.ledger.job(|| ());
        scene
            .rig
            .submit_on(within(&scene, 3), job)
            .expect("accepted");
        scene.rig.wait();
        let counts = scene.end();
        assert_eq!(counts.ran + counts.discarded, 1);
    });
}

#[test]
fn a_deadline_racing_a_cancellation_ends_the_task_once() {
    // 1. The watcher takes the task out of the calendar, and is about to end it.
    // 2. The task is cancelled; its place is given back by the canceller, and must not be by the watcher.
    model(2, || {
        let scene = Scene::new(queueing(1));
        scene.rig.pause();
        let job = scene.ledger.job(|| ());
        let fate = job.fate();
        scene
            .rig
            .submit_on(within(&scene, 2), job)
            .expect("accepted");
        let canceller = scene.spawn(move |scene| {
            if fate.cancel() {
                scene.rig.cancelled();
            }
        });
        scene.rig.wait();
        canceller.join().unwrap();
        let counts = scene.end();
        assert_eq!(counts.cancelled + counts.discarded, 1);
    });
}

#[test]
fn the_place_of_a_late_task_goes_to_who_waits_for_it() {
    model(2, || {
        let scene = Scene::new(staying(1));
        scene.rig.pause();
        let late = scene.ledger.job(|| ());
        scene
            .rig
            .submit_on(within(&scene, 2), late)
            .expect("accepted");
        assert!(scene.offer());
        scene.rig.resume();
        let counts = scene.end();
        assert_eq!((counts.discarded, counts.ran), (1, 1));
    });
}

#[test]
fn the_watcher_leaving_racing_a_submit_is_replaced() {
    // 1. The watcher has had nothing to watch for long enough, and is about to leave.
    // 2. A task with a deadline is submitted. Either the watcher stays for it, or another one comes: no worker
    //    takes the task, for the pool is paused.
    model(2, || {
        let scene = Scene::new(queueing(1));
        scene.rig.pause();
        for _ in 0..2 {
            let job = scene.ledger.job(|| ());
            scene
                .rig
                .submit_on(within(&scene, 2), job)
                .expect("accepted");
            scene.rig.wait();
        }
        assert_eq!(scene.end().discarded, 2);
    });
}

#[test]
fn without_a_thread_to_watch_nobody_counts_on_one() {
    // 1. A submits a task with a deadline; a watcher is being started for it.
    // 2. B submits another. If B counts on that watcher, and the worker comes too late for B's task, then
    //    nobody ends it.
    // 3. There is no thread for the watcher.
    model(3, || {
        limit(1);
        let scene = Scene::new(queueing(1));
        assert!(scene.offer());
        let submit = |scene: &Scene| {
            let job = scene.ledger.job(|| ());
            let refusal = scene.rig.submit_on(within(scene, 1), job);
            assert!(matches!(refusal, Err(Refusal::NoThread(_))), "{refusal:?}");
        };
        let other = scene.spawn(submit);
        submit(&scene);
        other.join().unwrap();
        scene.rig.wait();
        let counts = scene.end();
        assert_eq!((counts.ran, counts.refused), (1, 2));
    });
}

#[test]
fn the_watcher_of_a_closed_pool_leaves_when_nothing_is_queued() {
    // 1. A task with a deadline far away is queued; the watcher sleeps until then.
    // 2. The pool is closed, which wakes the watcher: it looks, and sleeps again.
    // 3. The worker takes the task: now the watcher must be woken, or the pool would not end before the
    //    deadline.
    model(3, || {
        let scene = Scene::new(queueing(1));
        let job = scene.ledger.job(|| ());
        scene
            .rig
            .submit_on(within(&scene, NEVER), job)
            .expect("accepted");
        assert_eq!(scene.end().ran, 1);
        assert_eq!(Arc::strong_count(&scene.rig), 1, "joined");
    });
}

#[test]
fn a_queue_cancelled_and_closed_at_once_keeps_no_watcher() {
    model(2, || {
        let scene = Scene::new(queueing(1));
        let job = scene.ledger.job(|| ());
        scene
            .rig
            .submit_on(within(&scene, NEVER), job)
            .expect("accepted");
        let closer = scene.spawn(|scene| scene.rig.close());
        scene.rig.cancel_queued();
        closer.join().unwrap();
        let counts = scene.end();
        assert_eq!(counts.ran + counts.discarded, 1);
    });
}

#[test]
fn a_submit_with_a_deadline_racing_close_is_refused_or_runs() {
    model(2, || {
        let scene = Scene::new(queueing(1));
        let closer = scene.spawn(|scene| scene.rig.close());
        let job = scene.ledger.job(|| ());
        let accepted = scene.rig.submit_on(within(&scene, NEVER), job).is_ok();
        closer.join().unwrap();
        assert_eq!(scene.end().ran, usize::from(accepted));
    });
}
