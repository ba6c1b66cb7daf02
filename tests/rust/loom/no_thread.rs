//! What becomes of tasks when there is no thread for them.

use antspy::core::{Config, Refusal, sync::thread::limit};

use super::{Scene, host::Rig, model, queueing};

#[test]
fn without_any_thread_each_task_comes_back_or_is_ended() {
    // 1. A submits; for its task a thread is being started.
    // 2. B submits. A worker is on its way, so B's task is queued for it.
    // 3. There is no thread. A's task goes back to A; B's was accepted, and is ended.
    model(5, || {
        limit(0);
        let scene = Scene::new(queueing(1));
        let other = scene.spawn(|scene| {
            scene.offer();
        });
        if let Err(refusal) = scene.rig.submit(scene.ledger.job(|| ())) {
            assert!(matches!(refusal, Refusal::NoThread(_)), "{refusal:?}");
        }
        other.join().unwrap();
        scene.rig.wait();
        let counts = scene.end();
        assert_eq!(counts.refused + counts.discarded, 2);
    });
}

#[test]
fn a_queue_cancelled_while_a_start_fails_loses_nothing() {
    model(5, || {
        limit(0);
        let scene = Scene::new(queueing(2));
        let canceller = scene.spawn(|scene| scene.rig.cancel_queued());
        scene.offer();
        canceller.join().unwrap();
        let counts = scene.end();
        assert_eq!(counts.refused + counts.discarded, 1);
    });
}

#[test]
fn a_task_that_came_while_a_start_failed_is_not_forgotten() {
    // 1. The only worker is busy. A submits; for its task a second worker is being started.
    // 2. The first comes free, runs A's task, finds nothing more, and goes idle.
    // 3. B submits. A worker is on its way, so nobody else is woken.
    // 4. The start fails. Now the idle worker must be woken for B's task.
    model(3, || {
        limit(1);
        let scene = Scene::new(queueing(2));
        assert!(scene.offer());
        let other = scene.spawn(|scene| assert!(scene.offer()));
        assert!(scene.offer());
        other.join().unwrap();
        scene.rig.wait();
        assert_eq!(scene.end().ran, 3);
    });
}

#[test]
fn a_worker_that_ends_while_a_start_fails_leaves_no_task_behind() {
    // The task that could not have a worker of its own is left to one that is about to leave.
    model(4, || {
        limit(1);
        let scene = Scene::new(queueing(2));
        assert!(scene.offer());
        let closer = scene.spawn(|scene| scene.rig.close());
        let accepted = scene.offer();
        closer.join().unwrap();
        let counts = scene.end();
        assert_eq!(counts.ran + counts.discarded, 1 + usize::from(accepted));
    });
}

#[test]
fn a_preallocated_pool_that_lacks_a_thread_ends_those_it_has() {
    model(5, || {
        limit(1);
        let config = Config {
            prealloc: true,
            ..queueing(2)
        };
        let host = super::host::TestHost::new();
        assert!(Rig::try_with_host(host, config).is_err());
    });
}
