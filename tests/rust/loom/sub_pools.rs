//! The places of sub-pools.

use std::sync::Arc;

use antspy::core::{Entrance, Guard, Quota, Refusal, Terms};

use super::{
    Scene,
    host::{Attached, Interrupt, TestHost, interrupt_this_thread},
    model, queueing,
};

type Places = Arc<Quota<TestHost>>;

fn enter(scene: &Scene, quota: &Places) -> Result<Guard<TestHost>, Refusal<Interrupt>> {
    match scene
        .rig
        .enter(quota, &Terms::default(), &Attached::new())?
    {
        Entrance::Admitted(guard) => Ok(guard),
        Entrance::Here | Entrance::Discarded => panic!("it waits"),
    }
}

#[test]
fn a_place_given_back_racing_who_comes_for_it_is_not_lost() {
    // 1. There is no place; a submitter is about to stand in line.
    // 2. The place is given back. The submitter must see it, or be granted it.
    model(5, || {
        let scene = Scene::new(queueing(1));
        let quota = scene.rig.quota(1);
        let guard = enter(&scene, &quota).expect("a place");
        let places = quota.clone();
        let waits = scene.spawn(move |scene| drop(enter(scene, &places).expect("a place")));
        drop(guard);
        waits.join().unwrap();
        assert_eq!(quota.numbers(), (1, 0, 0));
        scene.end();
    });
}

#[test]
fn close_racing_who_comes_for_a_place_sends_it_away() {
    // 1. A submitter has found the pool open, and is about to stand in line.
    // 2. The pool is closed, and all who stand in line are sent away.
    // 3. The submitter stands in line. Nobody would ever tell it.
    model(5, || {
        let scene = Scene::new(queueing(1));
        let quota = scene.rig.quota(1);
        let guard = enter(&scene, &quota).expect("a place");
        let places = quota.clone();
        let waits = scene.spawn(move |scene| {
            let refusal = enter(scene, &places).expect_err("no place");
            assert!(matches!(refusal, Refusal::Closed), "{refusal:?}");
        });
        scene.rig.close();
        waits.join().unwrap();
        drop(guard);
        assert_eq!(quota.numbers(), (1, 0, 0));
        scene.end();
    });
}

#[test]
fn a_place_granted_racing_close_is_used_or_given_back() {
    model(4, || {
        let scene = Scene::new(queueing(1));
        let quota = scene.rig.quota(1);
        let guard = enter(&scene, &quota).expect("a place");
        let places = quota.clone();
        let waits = scene.spawn(move |scene| match enter(scene, &places) {
            Ok(_) | Err(Refusal::Closed) => {}
            Err(why) => panic!("{why:?}"),
        });
        let closer = scene.spawn(|scene| scene.rig.close());
        drop(guard);
        waits.join().unwrap();
        closer.join().unwrap();
        assert_eq!(quota.numbers(), (1, 0, 0));
        scene.end();
    });
}

#[test]
fn a_signal_racing_a_granted_place_passes_the_place_on() {
    // 1. A and B wait for the only place, A in front.
    // 2. It is granted to A; at the same moment a signal wakes A.
    // 3. A goes in, or is broken off: then B must get the place.
    model(2, || {
        let scene = Scene::new(queueing(1));
        let quota = scene.rig.quota(1);
        let guard = enter(&scene, &quota).expect("a place");
        let places = quota.clone();
        let broken_off = scene.spawn(move |scene| {
            interrupt_this_thread();
            match enter(scene, &places) {
                Ok(_) | Err(Refusal::Interrupted(Interrupt)) => {}
                Err(why) => panic!("{why:?}"),
            }
        });
        let places = quota.clone();
        let waits = scene.spawn(move |scene| drop(enter(scene, &places).expect("a place")));
        drop(guard);
        broken_off.join().unwrap();
        waits.join().unwrap();
        assert_eq!(quota.numbers(), (1, 0, 0));
        scene.end();
    });
}

#[test]
fn a_wait_for_all_tasks_of_a_sub_pool_racing_the_last_comes_back() {
    // The place of a task is free before its result is told, which is what the wait is for.
    model(4, || {
        let scene = Scene::new(queueing(1));
        let quota = scene.rig.quota(1);
        let mut guard = enter(&scene, &quota).expect("a place");
        let job = scene.ledger.job(move || {
            guard.free_place();
            drop(guard);
        });
        scene.rig.submit(job).expect("accepted");
        assert_eq!(quota.wait(&Attached::new(), None), Ok(true));
        assert_eq!(quota.numbers(), (1, 0, 0));
        assert_eq!(scene.end().ran, 1);
    });
}
