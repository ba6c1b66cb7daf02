//! How a task finds its worker.

use antspy::core::{
    Config,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
        thread,
    },
};

use super::{Gate, Scene, expiring, host::Job, model, queueing, staying};
use crate::host::Attached;

#[test]
fn a_submit_racing_a_worker_that_goes_to_sleep_is_not_missed() {
    // 1. The worker has found the queue empty and is about to park.
    // 2. A second task is submitted; the worker is taken from the idle and woken.
    // 3. It parks. The wake-up must have been kept for it.
    model(4, || {
        let scene = Scene::new(queueing(1));
        assert!(scene.offer() && scene.offer());
        scene.rig.wait();
        assert!(scene.offer());
        scene.rig.wait();
        assert_eq!(scene.end().ran, 3);
    });
}

#[test]
fn what_the_submitter_wrote_is_seen_by_the_task_and_what_that_wrote_by_who_waits() {
    // `Relaxed`, so a load may see any value that nothing has ordered before it.
    model(3, || {
        let scene = Scene::new(queueing(1));
        let written = Arc::new(AtomicUsize::new(0));
        written.store(1, Relaxed);
        let seen = Arc::clone(&written);
        let task = scene.ledger.job(move || {
            assert_eq!(seen.load(Relaxed), 1);
            seen.store(2, Relaxed);
        });
        scene.rig.submit(task).expect("accepted");
        scene.rig.wait();
        assert_eq!(written.load(Relaxed), 2);
        assert_eq!(scene.end().ran, 1);
    });
}

#[test]
fn two_who_submit_at_once_share_one_worker() {
    model(3, || {
        let scene = Scene::new(queueing(1));
        let other = scene.spawn(|scene| assert!(scene.offer()));
        assert!(scene.offer());
        other.join().unwrap();
        scene.rig.wait();
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn tasks_that_wait_for_each_other_get_a_worker_each() {
    // 1. The first worker has been started for A, and is searching.
    // 2. B is submitted. Somebody is searching, so nobody is summoned.
    // 3. The worker takes A, which waits for B: before it runs A, it must have summoned another.
    model(3, || run_two_that_wait(queueing(2)));
}

/// The first of two tasks waits for the second, so each needs a worker.
fn run_two_that_wait(config: Config) {
    let scene = Scene::new(config);
    let gate = Gate::default();
    let (waits, opens) = (gate.clone(), gate);
    let ledger = &scene.ledger;
    scene
        .rig
        .submit(ledger.job(move || waits.pass()))
        .expect("accepted");
    scene
        .rig
        .submit(ledger.job(move || opens.open()))
        .expect("accepted");
    assert_eq!(scene.end().ran, 2);
}

/// Two idle workers. In a model the second that is woken stands by.
fn two_idle() -> Config {
    Config {
        prealloc: true,
        ..queueing(2)
    }
}

#[test]
fn a_worker_that_stands_by_comes_when_the_busy_one_stays_away() {
    model(3, || run_two_that_wait(two_idle()));
}

#[test]
fn a_task_that_comes_while_one_stands_by_and_none_is_busy_is_not_missed() {
    // 1. One worker runs both tasks and goes idle; the other, which was woken for the second, stands by.
    // 2. A third task is submitted: the idle one must be woken, or the one that stands by must come.
    model(2, || {
        let scene = Scene::new(two_idle());
        assert!(scene.offer() && scene.offer());
        scene.rig.wait();
        assert!(scene.offer());
        scene.rig.wait();
        assert_eq!(scene.end().ran, 3);
    });
}

#[test]
fn a_worker_that_stands_by_is_sent_home() {
    model(2, || {
        let scene = Scene::new(two_idle());
        let closer = scene.spawn(|scene| scene.rig.close());
        let accepted = usize::from(scene.offer()) + usize::from(scene.offer());
        closer.join().unwrap();
        assert_eq!(scene.end().ran, accepted);
    });
}

#[test]
fn a_second_one_that_would_stand_by_does_not_take_the_place_of_the_first() {
    // 1. X and W are busy, and S, which was woken for a third task, stands by.
    // 2. W runs that task, too. X has ended its own, offers itself as idle, and begins to tell its result. Then W
    //    goes idle. Nobody is busy, and S has not looked yet.
    // 3. A task is submitted, and W is woken for it.
    // 4. Telling takes foreign code after all, so X is busy again, without a search.
    // 5. W finds two busy ones, itself and X, and would stand by: nobody would have known of S any more.
    model(1, || {
        let scene = Scene::new(Config {
            prealloc: true,
            ..queueing(3)
        });
        let [started, ends, offered, idle, tells, over]: [Gate; 6] = Default::default();
        let submit = |job| scene.rig.submit(scene.ledger.note(job)).expect("accepted");
        let [has_started, may_end, has_offered, may_tell, is_over] =
            [&started, &ends, &offered, &tells, &over].map(Clone::clone);
        submit(Job::working_and_telling(
            move || {
                has_started.open();
                may_end.pass();
            },
            true,
            move |_, busy| {
                has_offered.open();
                may_tell.pass();
                busy();
                is_over.pass();
            },
        ));
        started.pass();
        let [second, goes_on] = [Gate::default(), Gate::default()];
        let (has_come, may_go_on) = (second.clone(), goes_on.clone());
        submit(Job::new(move || {
            has_come.open();
            may_go_on.pass();
        }));
        second.pass();
        let goes_idle = idle.clone();
        submit(Job::new(move || {
            ends.open();
            offered.pass();
            goes_idle.open();
        }));
        goes_on.open();
        idle.pass();
        submit(Job::new(move || over.open()));
        tells.open();
        while scene.rig.stats().idle < 3 {
            thread::yield_now();
        }
        assert_eq!(scene.end().ran, 4);
    });
}

#[test]
fn a_pool_tuned_up_racing_a_submit_gets_its_second_worker() {
    // Two tasks that wait for each other, at capacity 1: the second submit has to wait for a place, or
    // comes after `tune` and finds it. Either way there must be a second worker in the end.
    model(3, || {
        let scene = Scene::new(staying(1));
        let gate = Gate::default();
        let (waits, opens) = (gate.clone(), gate);
        scene
            .rig
            .submit(scene.ledger.job(move || waits.pass()))
            .expect("accepted");
        let tuner = scene.spawn(|scene| {
            scene.rig.tune(2, &Attached::new()).expect("a good size");
        });
        scene
            .rig
            .submit(scene.ledger.job(move || opens.open()))
            .expect("accepted");
        tuner.join().unwrap();
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn a_pool_tuned_down_racing_a_submit_keeps_a_worker_for_it() {
    model(2, || {
        let scene = Scene::new(queueing(2));
        assert!(scene.offer());
        let tuner = scene.spawn(|scene| {
            scene.rig.tune(1, &Attached::new()).expect("a good size");
        });
        assert!(scene.offer());
        tuner.join().unwrap();
        scene.rig.wait();
        assert!(scene.rig.stats().running <= 1);
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn a_worker_summoned_while_it_withdraws_sends_another() {
    // 1. The worker has offered itself as idle, and begins to tell its result.
    // 2. A task is submitted, and this worker is summoned for it.
    // 3. Telling takes foreign code after all, which waits for that very task.
    model(3, || {
        let scene = Scene::new(staying(2));
        let gate = Gate::default();
        let (waits, opens) = (gate.clone(), gate);
        let tells = Job::telling(true, move |_, busy| {
            busy();
            waits.pass();
        });
        scene
            .rig
            .submit(scene.ledger.note(tells))
            .expect("accepted");
        scene
            .rig
            .submit(scene.ledger.job(move || opens.open()))
            .expect("accepted");
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn a_result_told_promptly_leaves_a_worker_for_the_next_task() {
    model(5, || {
        let scene = Scene::new(staying(1));
        let gate = Gate::default();
        let opens = gate.clone();
        let tells = Job::telling(true, move |_, _| opens.open());
        scene
            .rig
            .submit(scene.ledger.note(tells))
            .expect("accepted");
        gate.pass();
        // The place is free and the worker idle by now: nobody waits, nobody is started.
        let scope = Attached::new();
        scene.rig.submit_from(&scope, scene.ledger.job(|| ()));
        assert_eq!(scope.blocks(), 0);
        assert_eq!(scene.rig.stats().started, 1);
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn the_last_worker_that_expires_racing_a_submit_is_woken_or_replaced() {
    // 1. The only worker's deadline passes.
    // 2. It is dismissed, or a submit takes it from the idle first.
    // 3. The task has its worker in both cases: this one, or a new one.
    model(3, || {
        let scene = Scene::new(expiring(1));
        assert!(scene.offer());
        scene.rig.wait();
        assert!(scene.offer());
        scene.rig.wait();
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn a_searcher_that_hesitates_is_not_too_late_for_a_task_that_waits() {
    // 1. A searcher found nothing: the one worker did both tasks. So the next searcher will hesitate.
    // 2. The next two tasks wait for each other. One worker has the first; the searcher for the second
    //    hesitates, and is about to go back to sleep because the queue is empty.
    // 3. The second task is queued. The searcher must go on, or be called again.
    model(2, || {
        let scene = Scene::new(Config {
            prealloc: true,
            ..queueing(2)
        });
        assert!(scene.offer() && scene.offer());
        let gate = Gate::default();
        let (waits, opens) = (gate.clone(), gate);
        scene
            .rig
            .submit(scene.ledger.job(move || waits.pass()))
            .expect("accepted");
        scene
            .rig
            .submit(scene.ledger.job(move || opens.open()))
            .expect("accepted");
        assert_eq!(scene.end().ran, 4);
    });
}

#[test]
fn a_cancellation_racing_a_worker_ends_the_task_once() {
    // 1. The worker takes the task out of the queue.
    // 2. The task is cancelled; its place is given back by the canceller.
    // 3. The worker finds it cancelled, and must not give the place back again. Or it has begun before,
    //    and the canceller must not.
    model(3, || {
        let scene = Scene::new(queueing(1));
        let job = scene.ledger.job(|| ());
        let fate = job.fate();
        scene.rig.submit(job).expect("accepted");
        let canceller = scene.spawn(move |scene| {
            if fate.cancel() {
                scene.rig.cancelled();
            }
        });
        scene.rig.wait();
        canceller.join().unwrap();
        let counts = scene.end();
        assert_eq!(counts.ran + counts.cancelled, 1);
    });
}

#[test]
fn a_cancelled_task_s_place_goes_to_who_waits_for_it() {
    model(3, || {
        let scene = Scene::new(staying(1));
        let job = scene.ledger.job(|| ());
        let fate = job.fate();
        scene.rig.submit(job).expect("accepted");
        let waits = scene.spawn(|scene| assert!(scene.offer()));
        if fate.cancel() {
            scene.rig.cancelled();
        }
        waits.join().unwrap();
        scene.rig.wait();
        let counts = scene.end();
        assert_eq!(counts.ran + counts.cancelled, 2);
        assert!(counts.ran >= 1);
    });
}

#[test]
fn the_queue_ended_racing_a_worker_and_a_canceller() {
    model(4, || {
        let scene = Scene::new(queueing(1));
        let job = scene.ledger.job(|| ());
        let fate = job.fate();
        scene.rig.submit(job).expect("accepted");
        let canceller = scene.spawn(move |scene| {
            if fate.cancel() {
                scene.rig.cancelled();
            }
        });
        scene.rig.cancel_queued();
        canceller.join().unwrap();
        let counts = scene.end();
        assert_eq!(counts.ran + counts.cancelled + counts.discarded, 1);
    });
}
