//! Workers that run an initializer before they come to the queue.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use antspy::core::{Config, Fault, sync::thread::limit};

use super::{Gate, Scene, host::TestHost, model, queueing};

fn initialized_by(
    config: Config,
    initializer: impl Fn() -> Result<(), Fault> + Send + Sync + 'static,
) -> Arc<Scene> {
    let host = TestHost::new();
    host.initialize_by(initializer);
    Scene::with_host(host, config)
}

/// What the first worker does, and what all others do. loom runs them all on one real thread, so a plain counter
/// is no place for a switch.
fn first_and_others(
    first: impl Fn() -> Result<(), Fault> + Send + Sync + 'static,
    other: impl Fn() -> Result<(), Fault> + Send + Sync + 'static,
) -> impl Fn() -> Result<(), Fault> + Send + Sync + 'static {
    let turn = AtomicUsize::new(0);
    move || match turn.fetch_add(1, Ordering::SeqCst) {
        0 => first(),
        _ => other(),
    }
}

#[test]
fn an_initializer_that_waits_for_another_gets_it() {
    // 1. Two tasks are queued; the first worker is started, and its initializer waits for the second's.
    // 2. Before it does, the worker must have let the second come.
    model(3, || {
        let gate = Gate::default();
        let opens = gate.clone();
        let scene = initialized_by(
            queueing(2),
            first_and_others(
                move || {
                    gate.pass();
                    Ok(())
                },
                move || {
                    opens.open();
                    Ok(())
                },
            ),
        );
        assert!(scene.offer() && scene.offer());
        scene.rig.wait();
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn two_who_submit_to_a_pool_whose_worker_prepares_lose_no_task() {
    // 1. A starts the first worker, which begins to prepare before A has queued its task.
    // 2. B queues its own: the one that prepares will come for it.
    // 3. A queues its task: now somebody must be summoned, or the one that prepares must see to that.
    model(2, || {
        let scene = initialized_by(queueing(2), || Ok(()));
        let other = scene.spawn(|scene| assert!(scene.offer()));
        assert!(scene.offer());
        other.join().unwrap();
        scene.rig.wait();
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn one_that_fails_while_another_prepares_leaves_no_task_behind() {
    // 1. Two workers prepare, for one task each.
    // 2. One fails, and ends what is queued; the other takes a task before that, or finds none.
    model(3, || {
        let fails = || Err(Fault("no licence".into()));
        let scene = initialized_by(queueing(2), first_and_others(fails, || Ok(())));
        let accepted = usize::from(scene.offer()) + usize::from(scene.offer());
        scene.rig.wait_gone();
        let counts = scene.end();
        assert_eq!(counts.ran + counts.discarded, accepted);
    });
}

#[test]
fn close_racing_a_worker_that_prepares_lets_it_run_what_was_accepted() {
    model(2, || {
        let scene = initialized_by(queueing(2), || Ok(()));
        assert!(scene.offer());
        let closer = scene.spawn(|scene| scene.rig.close());
        let accepted = 1 + usize::from(scene.offer());
        closer.join().unwrap();
        assert_eq!(scene.end().ran, accepted);
    });
}

#[test]
fn tasks_that_wait_for_a_thread_that_cannot_be_started_are_left_to_one_that_prepares() {
    // 1. The only worker that can be had prepares for the first task.
    // 2. For the second a thread is to be started, in vain: the one that prepares must run both.
    model(4, || {
        limit(1);
        let scene = initialized_by(queueing(2), || Ok(()));
        assert!(scene.offer() && scene.offer());
        scene.rig.wait();
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn tasks_left_to_one_that_prepares_and_fails_are_ended() {
    model(4, || {
        limit(1);
        let scene = initialized_by(queueing(2), || Err(Fault("no licence".into())));
        let accepted = usize::from(scene.offer()) + usize::from(scene.offer());
        scene.rig.wait_gone();
        assert_eq!(scene.end().discarded, accepted);
    });
}

#[test]
fn tune_racing_a_worker_that_prepares_keeps_the_capacity() {
    model(2, || {
        let scene = initialized_by(queueing(2), || Ok(()));
        let tuner = scene.spawn(|scene| {
            scene
                .rig
                .tune(1, &crate::host::Attached::new())
                .expect("makes sense");
        });
        assert!(scene.offer() && scene.offer());
        tuner.join().unwrap();
        scene.rig.wait();
        assert!(scene.rig.stats().running <= 2);
        assert_eq!(scene.end().ran, 2);
    });
}
