//! The counter that can be waited for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use antspy::core::{OutOfRange, Verdict, WaitGroup, Waiter};

use crate::{
    host::{Attached, Job, Rig, TestHost, sized},
    support::{soon, within_limit},
};

type Group = WaitGroup<TestHost>;

fn wait(group: &Group) {
    assert_eq!(group.wait(&Attached::new(), None, || ()), Ok(true));
}

#[test]
fn it_counts() {
    let group = Group::new();
    assert_eq!(group.count(), 0);
    group.add(5).expect("in range");
    group.done().expect("in range");
    group.add(-3).expect("in range");
    assert_eq!(group.count(), 1);
    assert_eq!(format!("{group:?}"), "WaitGroup(count=1)");
}

#[test]
fn a_call_that_fails_leaves_the_count_as_it_was() {
    let group = Group::new();
    group.add(2).expect("in range");
    let below = OutOfRange {
        count: 2,
        delta: -3,
    };
    assert_eq!(group.add(-3), Err(below));
    assert_eq!(group.count(), 2);
    group.add(-2).expect("in range");
    assert_eq!(group.done().map_err(|error| error.count), Err(0));
    for _ in 0..2 {
        group.add(i64::MAX).expect("in range");
    }
    assert!(group.add(2).is_err(), "beyond what it can count");
    assert_eq!(group.count(), u64::MAX - 1);
}

#[test]
fn nobody_waits_for_nothing() {
    within_limit(|| {
        let (group, scope) = (Group::new(), Attached::new());
        assert_eq!(group.wait(&scope, None, || ()), Ok(true));
        group.add(1).expect("in range");
        group.done().expect("in range");
        assert_eq!(group.wait(&scope, None, || ()), Ok(true));
        assert_eq!(scope.blocks(), 0);
    });
}

#[test]
fn all_who_wait_are_woken_at_zero() {
    within_limit(|| {
        let group = Group::new();
        group.add(3).expect("in range");
        thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| wait(&group));
            }
            for _ in 0..3 {
                threads.spawn(|| group.done().expect("in range"));
            }
        });
        assert_eq!(group.count(), 0);
    });
}

#[test]
fn a_wait_with_a_deadline_says_whether_it_came_in_time() {
    within_limit(|| {
        let group = Group::new();
        group.add(1).expect("in range");
        assert_eq!(group.wait(&Attached::new(), Some(soon()), || ()), Ok(false));
        group.done().expect("in range");
        assert_eq!(group.wait(&Attached::new(), Some(soon()), || ()), Ok(true));
    });
}

#[test]
fn it_can_be_used_again_at_once() {
    within_limit(|| {
        let group = Group::new();
        // One who is woken late must not be held by the next round.
        for _ in 0..500 {
            group.add(1).expect("in range");
            thread::scope(|threads| {
                threads.spawn(|| wait(&group));
                group.done().expect("in range");
                group.add(1).expect("in range");
                group.done().expect("in range");
            });
        }
    });
}

#[test]
fn jobs_of_a_pool_are_waited_for() {
    within_limit(|| {
        let rig = Rig::new(sized(3));
        let (group, ran) = (Arc::new(Group::new()), Arc::new(AtomicUsize::new(0)));
        for _ in 0..200 {
            group.add(1).expect("in range");
            let (group, ran) = (group.clone(), ran.clone());
            rig.submit(Job::new(move || {
                ran.fetch_add(1, Ordering::SeqCst);
                group.done().expect("in range");
            }))
            .expect("accepted");
        }
        wait(&group);
        assert_eq!(ran.load(Ordering::SeqCst), 200);
    });
}

#[test]
fn one_who_joins_without_sleeping_is_told_once_the_count_is_zero() {
    let group = Group::new();
    group.add(2).expect("in range");
    let (stays, leaves) = <(Arc<Waiter<_>>, Arc<Waiter<_>>)>::default();
    assert!(group.join(&stays) && group.join(&leaves));
    group.leave(&leaves);
    group.done().expect("in range");
    assert_eq!(stays.verdict(), Verdict::None);
    group.done().expect("in range");
    assert_eq!(stays.verdict(), Verdict::Granted);
    assert_eq!(leaves.verdict(), Verdict::None, "it has left");
    assert!(!group.join(&leaves), "there is nothing to wait for");
}
