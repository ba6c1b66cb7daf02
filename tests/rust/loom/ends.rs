//! How a pool ends: by being closed, by breaking down.

use std::sync::Arc;

use antspy::core::{Refusal, sync::thread};

use super::{
    Scene, expiring,
    host::{Attached, TestHost},
    model, queueing, staying,
};

#[test]
fn a_submit_racing_close_is_refused_or_runs() {
    model(3, || {
        let scene = Scene::new(staying(1));
        let closer = scene.spawn(|scene| scene.rig.close());
        let accepted = scene.offer();
        closer.join().unwrap();
        let counts = scene.end();
        assert_eq!(
            (counts.ran, counts.refused),
            (accepted.into(), (!accepted).into())
        );
    });
}

#[test]
fn a_submit_to_an_idle_worker_racing_close_is_refused_or_runs() {
    // 1. The worker is idle. It is summoned for a task, or sent home by `close`, whichever comes first.
    // 2. In the first case it runs the task and ends; in the second the task is refused.
    model(3, || {
        let scene = Scene::new(staying(1));
        assert!(scene.offer());
        scene.rig.wait();
        let closer = scene.spawn(|scene| scene.rig.close());
        let accepted = scene.offer();
        closer.join().unwrap();
        assert_eq!(scene.end().ran, 1 + usize::from(accepted));
    });
}

#[test]
fn a_submitter_that_waits_for_a_place_racing_close_is_sent_away_or_goes_in() {
    // 1. A submitter waits for a place.
    // 2. It is granted one, and the pool is closed before it has woken: it must give the place back.
    //    Or it is sent away before it is about to park: the wake-up must have been kept for it.
    model(4, || {
        let scene = Scene::new(staying(1));
        assert!(scene.offer());
        let waits = scene.spawn(|scene| {
            if let Err(refusal) = scene.rig.submit(scene.ledger.job(|| ())) {
                assert!(matches!(refusal, Refusal::Closed), "{refusal:?}");
            }
        });
        scene.rig.close();
        waits.join().unwrap();
        let counts = scene.end();
        assert_eq!(counts.ran + counts.refused, 2);
    });
}

#[test]
fn a_closed_pool_runs_its_queue_and_ends_its_threads() {
    model(3, || {
        let scene = Scene::new(queueing(2));
        assert!(scene.offer() && scene.offer());
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn when_all_threads_are_gone_they_have_been_joined() {
    // A thread holds the pool until it is really over, so who holds it says whether it was joined.
    model(3, || {
        let scene = Scene::new(queueing(2));
        assert!(scene.offer() && scene.offer());
        scene.rig.finish();
        assert_eq!(Arc::strong_count(&scene.rig), 1);
        scene.end();
    });
}

#[test]
fn they_have_been_joined_whoever_started_them() {
    // 1. A submits, and has just started a thread for it; it has not put the thread's handle down yet.
    // 2. The thread finds the pool closed, and ends.
    // 3. B waits for the threads. There is one that B cannot join, so B must not be told that all are gone.
    model(3, || {
        let scene = Scene::new(staying(1));
        let starter = scene.spawn(|scene| {
            scene.offer();
        });
        while scene.ledger.len() == 0 {
            thread::yield_now();
        }
        scene.rig.finish();
        assert_eq!(Arc::strong_count(&scene.rig), 1);
        starter.join().unwrap();
        scene.end();
    });
}

#[test]
fn threads_that_expire_one_after_the_other_are_all_joined_in_the_end() {
    model(3, || {
        let scene = Scene::new(expiring(1));
        for _ in 0..2 {
            assert!(scene.offer());
            scene.rig.wait();
        }
        scene.rig.finish();
        assert_eq!(Arc::strong_count(&scene.rig), 1);
        scene.end();
    });
}

#[test]
fn a_reboot_racing_the_last_worker_s_end_opens_the_pool() {
    model(4, || {
        let scene = Scene::new(staying(1));
        assert!(scene.offer());
        scene.rig.close();
        scene
            .rig
            .reboot(&Attached::new())
            .expect("no signal")
            .expect("threads");
        assert!(scene.offer());
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn two_who_reboot_at_once_both_go_on() {
    // 1. Both find the pool closed.
    // 2. One opens it. A task comes, and its worker stays.
    // 3. The other must not wait for the end of that worker.
    model(3, || {
        let scene = Scene::new(staying(1));
        scene.rig.close();
        let reboot = |scene: &Scene| {
            let opened = scene.rig.reboot(&Attached::new());
            opened.expect("no signal").expect("threads");
        };
        let other = scene.spawn(reboot);
        reboot(&scene);
        assert!(scene.offer());
        other.join().unwrap();
        assert_eq!(scene.end().ran, 1);
    });
}

#[test]
fn a_submit_racing_a_pool_that_breaks_is_refused_or_ended() {
    // 1. The worker finds that it is not fit.
    // 2. A task is queued before the pool is marked as broken, or refused after.
    // 3. The worker ends what is queued: it must not look before the pool is marked.
    model(5, || {
        let host = TestHost::new();
        host.fail_to_initialize("no licence");
        let scene = Scene::with_host(host, queueing(1));
        for _ in 0..2 {
            scene.offer();
        }
        scene.rig.wait_gone();
        let counts = scene.end();
        assert_eq!(counts.discarded + counts.refused, 2);
    });
}
