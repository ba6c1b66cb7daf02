//! Tasks that are run by who waits for them.

use std::sync::Arc;

use antspy::core::{WaitGroup, sync::atomic::AtomicUsize, sync::atomic::Ordering};

use super::{
    Scene,
    host::{Attached, Job, TestHost, submit},
    model, queueing, staying,
};

#[test]
fn who_waits_for_a_task_racing_the_worker_that_takes_it_runs_it_once() {
    // 1. The task is queued, and a worker is on its way.
    // 2. Who waits for it is faster, and runs it. The worker finds what is left of it.
    // 3. Or the worker has it, and the waiter finds it taken. In between both books are as they should be.
    model(3, || {
        let scene = Scene::new(queueing(1));
        let job = scene.ledger.job(|| ());
        let future = job.future();
        scene.rig.submit(job).expect("accepted");
        scene.rig.run_waited(future.job(), &Attached::new());
        scene.rig.wait();
        assert_eq!(scene.end().ran, 1);
    });
}

#[test]
fn who_waits_for_a_task_racing_its_canceller_and_a_worker_ends_it_once() {
    model(2, || {
        let scene = Scene::new(queueing(1));
        let job = scene.ledger.job(|| ());
        let (future, fate) = (job.future(), job.fate());
        scene.rig.submit(job).expect("accepted");
        let canceller = scene.spawn(move |scene| {
            if fate.cancel() {
                scene.rig.cancelled();
            }
        });
        scene.rig.run_waited(future.job(), &Attached::new());
        scene.rig.wait();
        canceller.join().unwrap();
        let counts = scene.end();
        assert_eq!(counts.ran + counts.cancelled, 1);
    });
}

#[test]
fn a_task_taken_out_of_its_turn_racing_a_worker_runs_once() {
    model(3, || {
        let scene = Scene::new(queueing(1));
        for tag in 0..2 {
            let job = scene.ledger.job(|| ()).tagged(tag);
            scene.rig.submit(job).expect("accepted");
        }
        let scope = Attached::new();
        while scene.rig.run_queued(|job| job.tag() == 1, &scope) {}
        scene.rig.wait();
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn a_task_that_its_submitting_worker_runs_leaves_the_place_to_who_waits_for_it() {
    // The pool has one place. Its worker submits a task, which it must run itself; another submitter waits for
    // the place meanwhile.
    model(3, || {
        let scene = Scene::new(staying(1));
        let (pool, inner) = (scene.rig.0.clone(), scene.ledger.job(|| ()));
        let outer = scene
            .ledger
            .job(move || submit(&pool, inner).expect("run here"));
        scene.rig.submit(outer).expect("accepted");
        assert!(scene.offer());
        assert_eq!(scene.end().ran, 3);
    });
}

#[test]
fn a_worker_that_waits_for_a_group_sees_each_job_that_is_added() {
    // 1. The only worker waits for a group. It has looked for jobs of it that it could run itself, found
    //    none, and is about to sleep.
    // 2. A job of the group is queued. Nobody else can run it: the worker must be nudged, and look again.
    model(3, || {
        let scene = Scene::new(queueing(1));
        let group = Arc::new(WaitGroup::<TestHost>::new());
        let helpers = Arc::new(AtomicUsize::new(0));
        group.add(1).expect("in range");
        let (pool, waited, waiting) = (scene.rig.0.clone(), group.clone(), helpers.clone());
        let outer = Job::scoped(move |scope| {
            waiting.fetch_add(1, Ordering::SeqCst);
            let help =
                || while waited.count() > 0 && pool.run_queued(|job| job.tag() == 1, scope) {};
            assert_eq!(waited.wait(scope, None, help), Ok(true));
            waiting.fetch_sub(1, Ordering::SeqCst);
        });
        scene
            .rig
            .submit(scene.ledger.note(outer))
            .expect("accepted");
        let done = group.clone();
        let inner = scene.ledger.job(move || done.done().expect("in range"));
        scene.rig.submit(inner.tagged(1)).expect("accepted");
        if helpers.load(Ordering::SeqCst) > 0 {
            group.nudge();
        }
        scene.rig.wait();
        assert_eq!(group.count(), 0);
        assert_eq!(scene.end().ran, 2);
    });
}
