//! The tasks of coroutines in line.

use std::sync::Arc;

use antspy::core::{
    Config, Entrance, Host, Refusal, Terms, Turn, Verdict, Waiter,
    sync::thread::{self, limit},
};

use super::{
    Gate, Scene, expiring,
    host::{Attached, Coroutine, Job, TestHost, begin_on},
    model, queueing, staying,
};

impl Scene {
    /// Hands in a job for a coroutine, which waits for nothing yet. `None`: it was accepted.
    fn begin(&self, job: Job) -> Option<Coroutine> {
        self.begin_on(Terms::default(), job)
    }

    fn begin_on(&self, terms: Terms, job: Job) -> Option<Coroutine> {
        match begin_on(&self.rig, self.ledger.note(job), terms) {
            Ok(Turn::Decided(())) => None,
            Ok(Turn::InLine(coroutine)) => Some(coroutine),
            Err(why) => panic!("{why:?}"),
        }
    }
}

fn nothing() -> Job {
    Job::new(|| ())
}

/// All of them are told, and their tasks accepted.
fn go_in(line: impl IntoIterator<Item = Option<Coroutine>>) {
    for coroutine in line.into_iter().flatten() {
        assert_eq!(coroutine.wait(), Verdict::Granted);
        coroutine.proceed().expect("accepted");
    }
}

#[test]
fn a_task_in_line_racing_the_end_of_the_last_one_goes_in() {
    // 1. The pool is full; a task stands in line.
    // 2. The only worker ends its task. It must let the other in before it looks at the queue, or be summoned.
    let queue = Config {
        queue_size: 1,
        ..staying(1)
    };
    for (config, line) in [(staying(1), 2), (queue, 2), (expiring(1), 1)] {
        model(4, move || {
            let scene = Scene::new(config.clone());
            assert!(scene.offer());
            let line: Vec<_> = (0..line).map(|_| scene.begin(nothing())).collect();
            // Nobody waits for them: they go in by themselves.
            scene.rig.wait();
            let ran = 1 + line.len();
            assert_eq!(scene.ledger.settle().ran, ran);
            go_in(line);
            assert_eq!(scene.end().ran, ran);
        });
    }
}

#[test]
fn a_task_in_line_racing_a_result_that_is_told_goes_in() {
    // 1. A task has ended. Its place is free, and its result about to be told.
    // 2. The worker must not go idle past the task in line; and if telling waits for that task, another worker
    //    must be summoned.
    for prompt in [true, false] {
        model(2, move || {
            let scene = Scene::new(staying(2));
            let gate = Gate::default();
            let (waits, opens) = (gate.clone(), gate);
            let tells = Job::telling(prompt, move |_, busy| {
                busy();
                waits.pass();
            });
            scene
                .rig
                .submit(scene.ledger.note(tells))
                .expect("accepted");
            let other = scene.begin(nothing());
            let last = scene.begin(Job::new(move || opens.open()));
            scene.rig.wait();
            go_in([other, last]);
            assert_eq!(scene.end().ran, 3);
        });
    }
}

#[test]
fn a_task_in_line_racing_close_goes_in_or_comes_back() {
    model(3, || {
        let scene = Scene::new(staying(1));
        assert!(scene.offer());
        let coroutine = scene.begin(nothing());
        let closer = scene.spawn(|scene| scene.rig.close());
        let accepted = coroutine.is_none_or(|coroutine| {
            let told = coroutine.wait();
            match coroutine.proceed() {
                Ok(()) => told == Verdict::Granted,
                Err(Refusal::Closed) => told != Verdict::Closed,
                Err(why) => panic!("{why:?}"),
            }
        });
        closer.join().unwrap();
        assert_eq!(scene.end().ran, 1 + usize::from(accepted));
    });
}

#[test]
fn one_that_leaves_the_line_racing_a_place_that_comes_free_goes_in_or_passes_it_on() {
    // 1. A and B stand in line, A in front.
    // 2. The place is granted to A; at the same moment A's time is up.
    // 3. A's task has gone in, or comes back: then B must get the place.
    for cancel in [false, true] {
        model(4, move || {
            let scene = Scene::new(staying(1));
            assert!(scene.offer());
            let first = scene.begin(nothing());
            let second = scene.begin(nothing());
            if let Some(first) = first {
                match if cancel {
                    first.cancel()
                } else {
                    first.proceed()
                } {
                    Ok(()) => assert_eq!(first.verdict(), Verdict::Granted),
                    Err(_) => assert_eq!(first.verdict(), Verdict::None),
                }
            }
            go_in([second]);
            let counts = scene.end();
            assert_eq!(counts.ran + counts.refused, 3);
            assert!(counts.ran >= 2);
        });
    }
}

#[test]
fn a_thread_and_a_coroutine_in_one_line_both_go_in() {
    for queue_size in [0, 1] {
        model(2, move || {
            let scene = Scene::new(Config {
                queue_size,
                ..staying(1)
            });
            assert!(scene.offer());
            let thread = scene.spawn(|scene| assert!(scene.offer()));
            let line = [scene.begin(nothing()), scene.begin(nothing())];
            assert!(scene.rig.stats().in_flight <= 1 + queue_size);
            thread.join().unwrap();
            go_in(line);
            assert_eq!(scene.end().ran, 4);
        });
    }
}

#[test]
fn a_newcomer_racing_a_searcher_overtakes_no_thread() {
    // 1. A worker is woken, and on its way to the queue. A place comes free, and the thread in line waits until the
    //    worker has come.
    // 2. Now somebody else submits. There is a place, but not for a newcomer.
    model(2, || {
        let scene = Scene::new(Config {
            prealloc: true,
            queue_size: 1,
            ..staying(1)
        });
        scene.rig.pause();
        let job = scene.ledger.job(|| ());
        let fate = job.fate();
        scene.rig.submit(job).expect("accepted");
        assert!(scene.offer());
        let thread = scene.spawn(|scene| assert!(scene.offer()));
        while scene.rig.stats().waiting == 0 {
            thread::yield_now();
        }
        scene.rig.resume();
        if fate.cancel() {
            scene.rig.cancelled();
        }
        let newcomer = scene.begin(nothing());
        assert!(newcomer.is_some() || scene.rig.stats().waiting == 0);
        go_in([newcomer]);
        thread.join().unwrap();
        let counts = scene.end();
        assert_eq!(counts.ran + counts.cancelled, 4);
    });
}

#[test]
fn new_places_are_a_thread_s_at_once_also_while_a_searcher_is_on_its_way() {
    model(2, || {
        let scene = Scene::new(Config {
            prealloc: true,
            ..staying(1)
        });
        scene.rig.pause();
        assert!(scene.offer());
        let thread = scene.spawn(|scene| assert!(scene.offer()));
        while scene.rig.stats().waiting == 0 {
            thread::yield_now();
        }
        scene.rig.resume();
        scene.rig.tune(2, &Attached::new()).expect("a good size");
        assert_eq!(scene.rig.stats().waiting, 0);
        thread.join().unwrap();
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn a_task_in_line_racing_tune_gets_its_worker() {
    // Two tasks that wait for each other, at capacity 1: the second stands in line until there are two places.
    model(2, || {
        let scene = Scene::new(staying(1));
        let gate = Gate::default();
        let (waits, opens) = (gate.clone(), gate);
        let first = scene.ledger.job(move || waits.pass());
        scene.rig.submit(first).expect("accepted");
        let tuner = scene.spawn(|scene| {
            scene.rig.tune(2, &Attached::new()).expect("a good size");
        });
        go_in([scene.begin(Job::new(move || opens.open()))]);
        tuner.join().unwrap();
        assert_eq!(scene.end().ran, 2);
    });
}

#[test]
fn a_searcher_that_hesitates_is_not_too_late_for_a_task_in_line() {
    // 1. A searcher found nothing, so the next one hesitates.
    // 2. A task ends, and its place goes to one in line. The searcher is about to go back to sleep.
    // 3. The task is run by the worker whose place it got, or by the searcher.
    model(2, || {
        let scene = Scene::new(Config {
            prealloc: true,
            ..staying(2)
        });
        assert!(scene.offer() && scene.offer());
        let gate = Gate::default();
        let (waits, opens) = (gate.clone(), gate);
        let first = scene.begin(Job::new(move || waits.pass()));
        let second = scene.begin(Job::new(move || opens.open()));
        go_in([first, second]);
        assert_eq!(scene.end().ran, 4);
    });
}

#[test]
fn a_task_that_goes_in_while_a_worker_prepares_gets_another_if_it_needs_one() {
    // 1. A worker runs its initializer. One task of the two in the queue is left for it.
    // 2. The other is cancelled, and one in line goes in, for which the first waits.
    model(2, || {
        let host = TestHost::new();
        host.initialize_by(|| Ok(()));
        let scene = Scene::with_host(host, staying(2));
        let gate = Gate::default();
        let (waits, opens) = (gate.clone(), gate);
        let job = scene.ledger.job(|| ());
        let fate = job.fate();
        scene.rig.submit(job).expect("accepted");
        let first = scene.ledger.job(move || waits.pass());
        scene.rig.submit(first).expect("accepted");
        let second = scene.begin(Job::new(move || opens.open()));
        if fate.cancel() {
            scene.rig.cancelled();
        }
        go_in([second]);
        let counts = scene.end();
        assert_eq!(counts.ran + counts.cancelled, 3);
    });
}

#[test]
fn a_task_that_goes_in_during_a_pause_is_not_forgotten_after_it() {
    model(3, || {
        let scene = Scene::new(expiring(1));
        scene.rig.pause();
        let job = scene.ledger.job(|| ());
        let fate = job.fate();
        scene.rig.submit(job).expect("accepted");
        let coroutine = scene.begin(nothing());
        let resumer = scene.spawn(|scene| scene.rig.resume());
        if fate.cancel() {
            scene.rig.cancelled();
        }
        go_in([coroutine]);
        resumer.join().unwrap();
        scene.rig.wait();
        let counts = scene.end();
        assert_eq!(counts.ran + counts.cancelled, 2);
    });
}

/// By so many hours from now: one passes with each look at the clock.
fn within(scene: &Scene, hours: u32) -> Terms {
    let hour = std::time::Duration::from_secs(3600);
    Terms {
        deadline: Some(scene.rig.host().now() + hours * hour),
        ..Terms::default()
    }
}

/// So far away that it never comes.
const NEVER: u32 = 1_000_000;

#[test]
fn a_task_in_line_whose_deadline_comes_first_is_watched_once_it_is_in() {
    // 1. The watcher sleeps until a deadline that never comes.
    // 2. That task is cancelled, and one in line goes in, with a deadline that comes soon. No worker takes it.
    model(2, || {
        let scene = Scene::new(staying(1));
        scene.rig.pause();
        let job = scene.ledger.job(|| ());
        let fate = job.fate();
        scene
            .rig
            .submit_on(within(&scene, NEVER), job)
            .expect("accepted");
        let coroutine = scene.begin_on(within(&scene, 2), nothing());
        assert!(fate.cancel());
        scene.rig.cancelled();
        scene.rig.wait();
        go_in([coroutine]);
        let counts = scene.end();
        assert_eq!((counts.cancelled, counts.discarded), (1, 1));
    });
}

#[test]
fn the_watcher_of_a_closed_pool_waits_for_no_coroutine() {
    // 1. A task with a deadline stands in line; the watcher stays for it.
    // 2. The pool is closed. The coroutine may be on the very thread that waits for the pool's end.
    model(3, || {
        let scene = Scene::new(staying(1));
        assert!(scene.offer());
        let coroutine = scene.begin_on(within(&scene, NEVER), nothing());
        scene.rig.finish();
        let refused = coroutine.is_some_and(|coroutine| coroutine.proceed().is_err());
        let counts = scene.end();
        assert_eq!(
            (counts.ran, counts.refused),
            (2 - usize::from(refused), refused.into())
        );
    });
}

#[test]
fn the_watcher_leaving_racing_a_task_that_lines_up_is_replaced_or_stays() {
    // 1. The watcher has had nothing to watch for long enough, and is about to leave.
    // 2. A task with a deadline stands in line, and goes in. No worker takes it, for the pool is paused: somebody
    //    must be there to end it.
    model(2, || {
        let scene = Scene::new(staying(1));
        scene.rig.pause();
        let job = scene.ledger.job(|| ());
        scene
            .rig
            .submit_on(within(&scene, 2), job)
            .expect("accepted");
        scene.rig.wait();
        let job = scene.ledger.job(|| ());
        let fate = job.fate();
        scene.rig.submit(job).expect("accepted");
        let coroutine = scene.begin_on(within(&scene, 4), nothing());
        assert!(fate.cancel());
        scene.rig.cancelled();
        scene.rig.wait();
        go_in([coroutine]);
        let counts = scene.end();
        assert_eq!((counts.discarded, counts.cancelled), (2, 1));
    });
}

#[test]
fn a_task_in_line_racing_a_pool_that_breaks_is_ended_or_comes_back() {
    model(4, || {
        let host = TestHost::new();
        host.fail_to_initialize("no licence");
        let scene = Scene::with_host(host, staying(1));
        let job = || scene.ledger.job(|| ());
        let turns = [job(), job()].map(|job| begin_on(&scene.rig, job, Terms::default()));
        for turn in turns {
            if let Ok(Turn::InLine(coroutine)) = turn {
                let told = coroutine.wait();
                match coroutine.proceed() {
                    Ok(()) => assert_eq!(told, Verdict::Granted),
                    Err(why) => assert!(matches!(why, Refusal::Broken(_)), "{why:?}"),
                }
            }
        }
        scene.rig.wait_gone();
        let counts = scene.end();
        assert_eq!(counts.discarded + counts.refused, 2);
    });
}

#[test]
fn without_any_thread_a_task_in_line_comes_back_or_is_ended() {
    // 1. A submits; for its task a thread is being started. B's task stands in line.
    // 2. There is no thread. A's task goes back to A; B's goes in, and has nobody either.
    model(4, || {
        limit(0);
        let scene = Scene::new(staying(1));
        let other = scene.spawn(|scene| {
            let turn = begin_on(&scene.rig, scene.ledger.job(|| ()), Terms::default());
            if let Ok(Turn::InLine(coroutine)) = turn {
                assert_eq!(coroutine.wait(), Verdict::Granted);
            }
        });
        scene.offer();
        other.join().unwrap();
        scene.rig.wait();
        let counts = scene.end();
        assert_eq!(counts.refused + counts.discarded, 2);
    });
}

#[test]
fn a_coroutine_that_waits_for_the_threads_racing_the_end_of_the_last_is_told() {
    model(5, || {
        let scene = Scene::new(staying(1));
        assert!(scene.offer());
        scene.rig.close();
        let waiter = Arc::default();
        if scene.rig.join_gone(&waiter) {
            let told = waiter.wait::<TestHost>(&Attached::new(), None);
            assert_eq!(told.expect("no deadline, no signal"), Verdict::Granted);
        }
        // They have said that they are done: now the last is joined.
        scene.rig.wait_gone();
        assert_eq!(Arc::strong_count(&scene.rig), 1);
        assert_eq!(scene.end().ran, 1);
    });
}

/// A coroutine at the entrance of a sub-pool with one place, which is taken. `leave`: it does not wait.
fn enters(scene: &Scene, quota: &Arc<antspy::core::Quota<TestHost>>, leave: bool) -> bool {
    let (terms, scope) = (Terms::default(), Attached::new());
    let waiter = Arc::new(Waiter::default());
    let entered = match scene.rig.begin_enter(quota, &terms, &waiter, &scope) {
        Ok(Turn::InLine(())) => {
            let outcome = if leave {
                Err(antspy::core::Cut::TimedOut)
            } else {
                waiter.wait::<TestHost>(&scope, None)
            };
            scene.rig.end_enter(quota, &waiter, outcome)
        }
        Ok(Turn::Decided(entrance)) => Ok(entrance),
        Err(why) => Err(why),
    };
    match entered {
        Ok(Entrance::Admitted(_)) => true,
        Err(Refusal::Closed | Refusal::TimedOut) => false,
        Ok(_) => panic!("it waits"),
        Err(why) => panic!("{why:?}"),
    }
}

#[test]
fn coroutines_at_the_entrance_of_a_sub_pool_racing_a_place_that_comes_free_pass_it_on() {
    model(4, || {
        let scene = Scene::new(queueing(1));
        let quota = scene.rig.quota(1);
        let Ok(entrance) = scene.rig.enter(&quota, &Terms::default(), &Attached::new()) else {
            panic!("a place");
        };
        let places = quota.clone();
        let leaves = scene.spawn(move |scene| {
            enters(scene, &places, true);
        });
        let places = quota.clone();
        let stays = scene.spawn(move |scene| assert!(enters(scene, &places, false)));
        drop(entrance);
        leaves.join().unwrap();
        stays.join().unwrap();
        assert_eq!(quota.numbers(), (1, 0, 0));
        scene.end();
    });
}

#[test]
fn a_coroutine_at_the_entrance_of_a_sub_pool_racing_close_goes_in_or_is_sent_away() {
    model(5, || {
        let scene = Scene::new(queueing(1));
        let quota = scene.rig.quota(1);
        let Ok(entrance) = scene.rig.enter(&quota, &Terms::default(), &Attached::new()) else {
            panic!("a place");
        };
        let places = quota.clone();
        let waits = scene.spawn(move |scene| {
            enters(scene, &places, false);
        });
        let closer = scene.spawn(|scene| scene.rig.close());
        drop(entrance);
        waits.join().unwrap();
        closer.join().unwrap();
        assert_eq!(quota.numbers(), (1, 0, 0));
        scene.end();
    });
}
