//! Several workers, several who hand in, and all that can happen to a pool meanwhile.

use std::{sync::Arc, time::Duration};

use antspy::core::{
    Config, Host, Priority, Refusal, Terms, Turn,
    sync::{checker, thread},
};

use super::{
    Gate, Scene, expiring,
    host::{Attached, Coroutine, begin_on, submit},
    model, queueing, staying,
};

const LANES: [Priority; 3] = [Priority::High, Priority::Normal, Priority::Low];

/// Hands in so many jobs, in any lane; every third is cancelled right after.
fn hand_in(scene: &Scene, jobs: usize) {
    for number in 0..jobs {
        let job = scene.ledger.job(thread::yield_now);
        let fate = job.fate();
        let terms = Terms {
            priority: LANES[number % LANES.len()],
            ..Terms::default()
        };
        let accepted = scene.rig.submit_on(terms, job);
        if accepted.is_ok() && number % 3 == 2 && fate.cancel() {
            scene.rig.cancelled();
        }
    }
}

/// So many threads do it at once.
fn spawn_all(
    scene: &Arc<Scene>,
    threads: usize,
    body: impl Fn(&Scene) + Clone + Send + 'static,
) -> Vec<thread::JoinHandle<()>> {
    (0..threads).map(|_| scene.spawn(body.clone())).collect()
}

fn join(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn many_submit_and_cancel_while_the_pool_is_tuned_and_paused() {
    for config in [staying(3), queueing(3), expiring(3)] {
        model(0, move || {
            let scene = Scene::new(config.clone());
            let submitters = spawn_all(&scene, 3, |scene| hand_in(scene, 6));
            let tuner = scene.spawn(|scene| {
                for capacity in [1, 4, 2] {
                    scene.rig.tune(capacity, &Attached::new()).expect("a size");
                }
            });
            let pauser = scene.spawn(|scene| {
                for _ in 0..3 {
                    scene.rig.pause();
                    scene.rig.resume();
                }
            });
            join(submitters.into_iter().chain([tuner, pauser]));
            scene.rig.wait();
            let stats = scene.rig.stats();
            assert_eq!((stats.in_flight, stats.waiting), (0, 0), "{stats:?}");
            let counts = scene.end();
            assert_eq!(counts.ran + counts.cancelled, 18);
        });
    }
}

#[test]
fn a_pool_is_closed_and_opened_again_while_many_submit() {
    for cancels in [false, true] {
        model(0, move || {
            let scene = Scene::new(Config {
                queue_size: 2,
                ..expiring(2)
            });
            let submitters = spawn_all(&scene, 3, |scene| hand_in(scene, 5));
            for _ in 0..2 {
                scene.rig.close();
                if cancels {
                    scene.rig.cancel_queued();
                }
                let opened = scene.rig.reboot(&Attached::new());
                opened.expect("no signal").expect("threads");
            }
            join(submitters);
            let counts = scene.end();
            let ended = counts.ran + counts.cancelled + counts.discarded + counts.refused;
            assert_eq!(ended, 15);
        });
    }
}

#[test]
fn threads_and_coroutines_stand_in_line_while_the_pool_is_closed() {
    for closes in [false, true] {
        model(0, move || {
            let scene = Scene::new(staying(2));
            let threads = spawn_all(&scene, 2, |scene| hand_in(scene, 4));
            let coroutines = spawn_all(&scene, 2, |scene| {
                let line: Vec<_> = (0..4).filter_map(|_| begin(scene)).collect();
                for (number, coroutine) in line.into_iter().enumerate() {
                    let ended = if number % 2 == 0 {
                        coroutine.wait();
                        coroutine.proceed()
                    } else {
                        coroutine.cancel()
                    };
                    drop(ended); // the ledger has noted how it ended
                }
            });
            if closes {
                scene.rig.close();
            }
            join(threads.into_iter().chain(coroutines));
            if !closes {
                scene.rig.wait();
            }
            let counts = scene.end();
            assert_eq!(counts.ran + counts.cancelled + counts.refused, 16);
        });
    }
}

/// Hands in a job for a coroutine. `None`: it was accepted, or refused at once.
fn begin(scene: &Scene) -> Option<Coroutine> {
    match begin_on(&scene.rig, scene.ledger.job(|| ()), Terms::default()) {
        Ok(Turn::InLine(coroutine)) => Some(coroutine),
        Ok(Turn::Decided(())) => None,
        Err(why) => {
            assert!(matches!(why, Refusal::Closed), "{why:?}");
            None
        }
    }
}

#[test]
fn deadlines_pass_while_workers_and_cancellers_are_at_the_queue() {
    // An hour passes with each look at the clock.
    model(0, || {
        let scene = Scene::new(queueing(2));
        let submitters = spawn_all(&scene, 2, |scene| {
            for hours in 1..6 {
                let job = scene.ledger.job(thread::yield_now);
                let fate = job.fate();
                let deadline = scene.rig.host().now() + hours * Duration::from_secs(3600);
                let terms = Terms {
                    deadline: Some(deadline),
                    ..Terms::default()
                };
                let accepted = scene.rig.submit_on(terms, job);
                if accepted.is_ok() && hours % 2 == 0 && fate.cancel() {
                    scene.rig.cancelled();
                }
                scene.offer();
            }
        });
        join(submitters);
        scene.rig.wait();
        let counts = scene.end();
        let ended = counts.ran + counts.cancelled + counts.discarded + counts.refused;
        assert_eq!(ended, 20);
    });
}

#[test]
fn pairs_that_wait_for_each_other_get_their_workers_in_bursts() {
    // Workers are summoned, stand by, and are needed after all, again and again.
    model(0, || {
        let scene = Scene::new(Config {
            prealloc: true,
            ..queueing(4)
        });
        let submitters = spawn_all(&scene, 2, |scene| {
            for _ in 0..3 {
                assert!(scene.offer());
                let gate = Gate::default();
                let (waits, opens) = (gate.clone(), gate);
                let waiting = scene.ledger.job(move || waits.pass());
                scene.rig.submit(waiting).expect("accepted");
                let opening = scene.ledger.job(move || opens.open());
                scene.rig.submit(opening).expect("accepted");
            }
        });
        join(submitters);
        scene.rig.wait();
        assert_eq!(scene.end().ran, 18);
    });
}

#[test]
fn tasks_submit_tasks_and_wait_for_them_in_a_full_pool() {
    for config in [staying(2), queueing(2)] {
        model(0, move || {
            let scene = Scene::new(config.clone());
            let submitters = spawn_all(&scene, 2, |scene| {
                for _ in 0..3 {
                    let (pool, inner) = (scene.rig.0.clone(), scene.ledger.job(|| ()));
                    let future = inner.future();
                    let outer = scene.ledger.note(super::host::Job::scoped(move |scope| {
                        submit(&pool, inner).expect("accepted, or run here");
                        pool.run_waited(future.job(), scope);
                    }));
                    scene.rig.submit(outer).expect("accepted");
                }
            });
            join(submitters);
            scene.rig.wait();
            assert_eq!(scene.end().ran, 12);
        });
    }
}

#[test]
fn the_checker_finds_a_wake_up_that_is_lost() {
    // What would be left if a pool forgot to wake somebody: shuttle must say so.
    let lost = std::panic::catch_unwind(|| {
        model(0, || {
            let bell = Arc::new((
                checker::sync::Mutex::new(false),
                checker::sync::Condvar::new(),
            ));
            let other = bell.clone();
            let sleeper = thread::spawn(move || {
                if !*other.0.lock().unwrap() {
                    let looked = other.0.lock().unwrap();
                    drop(other.1.wait(looked).unwrap());
                }
            });
            *bell.0.lock().unwrap() = true;
            bell.1.notify_one();
            sleeper.join().unwrap();
        });
    });
    assert!(lost.is_err());
}
