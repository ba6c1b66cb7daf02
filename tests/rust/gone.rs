//! Tasks that are gone before they start: they take no time in a pool with a rate.

use std::time::Duration;

use crate::{
    host::Job,
    rate::{INTERVAL, Scene},
    support::{Gate, eventually, occupy, within_limit},
};

fn cancel(scene: &Scene, job: Job) {
    let fate = job.fate();
    scene.rig.submit(job).expect("accepted");
    assert!(fate.cancel());
    scene.rig.cancelled();
}

#[test]
fn nobody_waits_for_the_time_of_tasks_that_are_gone() {
    within_limit(|| {
        // In each case a worker sleeps until the second task is due, which is never: the clock stands.
        for close_first in [true, false] {
            for one_by_one in [true, false] {
                let scene = Scene::new(2);
                scene.submit(1);
                let fates = [(); 3].map(|()| {
                    let job = scene.job(|| ());
                    let fate = job.fate();
                    scene.rig.submit(job).expect("accepted");
                    fate
                });
                scene.advance(Duration::ZERO, 1);
                if close_first {
                    scene.rig.close();
                }
                if one_by_one {
                    for fate in fates {
                        assert!(fate.cancel());
                        scene.rig.cancelled();
                    }
                } else {
                    scene.rig.cancel_queued();
                }
                scene.rig.wait();
                scene.finish();
                assert_eq!(scene.ledger.settle().ran, 1);
            }
        }
    });
}

#[test]
fn cancelled_tasks_take_no_time_from_those_that_run() {
    within_limit(|| {
        let scene = Scene::new(1);
        let gate = occupy(&scene.rig); // it takes the first start
        for _ in 0..10 {
            let job = scene.job(|| ());
            cancel(&scene, job);
        }
        scene.submit(1);
        gate.open();
        scene.advance(INTERVAL, 1);
        scene.rig.wait();
        scene.rig.finish();
    });
}

/// Who drops it waits.
struct Heavy(Gate, Gate);

impl Drop for Heavy {
    fn drop(&mut self) {
        self.0.open();
        self.1.pass();
    }
}

#[test]
fn a_cancelled_task_that_is_being_dropped_lets_no_other_start_early() {
    within_limit(|| {
        let scene = Scene::new(2);
        scene.submit(1);
        scene.advance(Duration::ZERO, 1);
        let (begun, gate) = (Gate::default(), Gate::default());
        let heavy = Heavy(begun.clone(), gate.clone());
        cancel(&scene, scene.job(move || drop(heavy)));
        begun.pass();
        let before = scene.rig.host().worker_blocks();
        scene.submit(1);
        // Another worker waits for the task's time.
        eventually(|| scene.rig.host().worker_blocks() > before || scene.starts.len() > 1);
        assert_eq!(scene.starts.len(), 1);
        scene.advance(INTERVAL, 2);
        gate.open();
        scene.rig.wait();
        assert_eq!(scene.starts(), [0, 100]);
        scene.finish();
    });
}
