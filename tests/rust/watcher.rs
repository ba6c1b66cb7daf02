//! The thread that watches deadlines: when it comes, and when it leaves.

use std::{sync::Arc, thread, time::Duration};

use antspy::core::{Refusal, UNLIMITED};

use crate::{
    deadline::{Scene, late, seconds},
    host::{Interrupt, Job},
    support::{Log, eventually, occupy, threads_named, within_limit},
};

#[test]
fn closing_does_not_wait_for_the_deadlines_of_tasks_that_have_run() {
    within_limit(|| {
        // 1. A task with a deadline stands in the queue of a pool that is closed. The watcher stays for it.
        // 2. The task runs in time. Nobody is left to end, long before the deadline.
        // 3. The watcher must leave: who waits for the threads would wait for the deadline.
        for cancel in [false, true] {
            let scene = Scene::new(UNLIMITED);
            let gate = occupy(&scene.rig);
            scene.submit(seconds(3600));
            let first = scene.submit(seconds(1));
            scene.rig.close();
            scene.clock.advance(seconds(1));
            eventually(|| first.ends() == late());
            // It has nothing to do now but to go to sleep, which takes no time to speak of.
            thread::sleep(Duration::from_millis(5));
            if cancel {
                scene.rig.cancel_queued();
            }
            gate.open();
            scene.rig.wait_gone();
            assert_eq!(scene.ledger.settle().ran, usize::from(!cancel));
            scene.check_books();
        }
    });
}

#[test]
fn a_closed_pool_still_ends_what_is_late() {
    within_limit(|| {
        let scene = Scene::new(UNLIMITED);
        let gate = occupy(&scene.rig);
        let fate = scene.submit(seconds(1));
        scene.rig.close();
        scene.clock.advance(seconds(1));
        eventually(|| fate.ends() == late());
        gate.open();
        scene.rig.wait_gone();
        scene.check_books();
    });
}

#[test]
fn it_comes_with_the_first_deadline_and_leaves_when_there_is_nothing_to_watch() {
    within_limit(|| {
        let scene = Scene::named("wa", UNLIMITED);
        let watchers = || threads_named("wa_deadl");
        scene.rig.submit(Job::new(|| ())).expect("accepted");
        scene.rig.wait();
        assert_eq!(watchers(), 0, "no deadline, no thread");
        for _ in 0..3 {
            scene.submit(seconds(1));
            scene.submit(seconds(2));
            scene.rig.wait();
            eventually(|| watchers() == 1);
            // It looks after the first deadline, and after nothing.
            eventually(|| {
                scene.clock.advance(seconds(10));
                watchers() == 0
            });
        }
    });
}

#[test]
fn it_stays_for_a_while_after_the_last_deadline() {
    within_limit(|| {
        // Else each of many short deadlines would have a thread of its own.
        let scene = Scene::new(UNLIMITED);
        let watchers = Log::default();
        let log = watchers.clone();
        scene
            .rig
            .host()
            .hold_visitors(move || log.write(thread::current().id()));
        let gate = occupy(&scene.rig);
        for _ in 0..20 {
            let fate = scene.submit(Duration::from_millis(1));
            scene.clock.advance(Duration::from_millis(1));
            eventually(|| fate.ends() == late());
            eventually(|| scene.rig.stats().in_flight == 1);
            // If it were to leave, it would by then.
            thread::sleep(Duration::from_millis(1));
        }
        let watchers = watchers.lines();
        assert!(watchers.iter().all(|watcher| *watcher == watchers[0]));
        gate.open();
    });
}

#[test]
fn it_is_gone_with_the_workers_when_the_pool_is_closed() {
    within_limit(|| {
        let scene = Scene::named("wc", UNLIMITED);
        scene.submit(seconds(3600));
        scene.rig.wait();
        scene.rig.finish();
        assert_eq!(Arc::strong_count(&scene.rig), 1, "nobody holds the pool");
        eventually(|| threads_named("wc_") == 0);
    });
}

#[test]
fn it_does_not_come_for_a_task_that_is_refused_by_a_closed_pool() {
    within_limit(|| {
        let scene = Scene::new(UNLIMITED);
        scene.rig.finish();
        for _ in 0..20 {
            let refusal = scene.submit_job(seconds(1), Job::new(|| ()));
            assert!(matches!(refusal, Err(Refusal::Closed)), "{refusal:?}");
            assert_eq!(Arc::strong_count(&scene.rig), 1, "a thread for nothing");
        }
    });
}

#[test]
fn it_stays_for_a_task_in_line_and_no_longer() {
    within_limit(|| {
        let scene = Scene::named("cw", 0);
        let watchers = || threads_named("cw_deadl");
        let leaves = || {
            eventually(|| {
                scene.clock.advance(seconds(20));
                watchers() == 0
            });
        };
        let line_up = |after| {
            scene
                .rig
                .line_up_on(scene.within(seconds(after)), scene.ledger.job(|| ()))
        };
        let gate = occupy(&scene.rig);
        let coroutine = line_up(1_000_000);
        eventually(|| watchers() == 1);
        for _ in 0..10 {
            scene.clock.advance(seconds(20));
            // If it were to leave, it would by then.
            thread::sleep(Duration::from_millis(1));
            assert_eq!(watchers(), 1);
        }
        let refusal = coroutine.cancel().expect_err("cancelled");
        assert!(matches!(refusal, Refusal::Interrupted(Interrupt)));
        leaves();
        // One that goes in and is not ended by its coroutine is not waited for.
        let coroutine = line_up(1_000_000);
        gate.open();
        scene.rig.wait();
        leaves();
        coroutine.proceed().expect("accepted");
        scene.rig.finish();
        scene.check_books();
    });
}

#[test]
fn a_closed_pool_does_not_wait_for_a_coroutine_to_take_its_task_back() {
    within_limit(|| {
        // Its event loop may be what waits for the pool's end.
        let scene = Scene::new(0);
        let gate = occupy(&scene.rig);
        let job = scene.ledger.job(|| ());
        let coroutine = scene.rig.line_up_on(scene.within(seconds(10)), job);
        scene.rig.close();
        gate.open();
        scene.rig.wait_gone();
        let refusal = coroutine.proceed().expect_err("closed");
        assert!(matches!(refusal, Refusal::Closed), "{refusal:?}");
        scene.check_books();
    });
}
