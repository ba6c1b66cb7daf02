//! A sub-pool's places: so many of a pool's tasks at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use antspy::core::{Config, Entrance, Guard, Overflow, Quota, Refusal, Terms, UNLIMITED};

use crate::{
    host::{Attached, Interrupt, Job, Ledger, Rig, TestHost, TestPool, sized},
    support::{occupy, panic_quietly, soon, within_limit},
};

pub(crate) type Places = Arc<Quota<TestHost>>;

pub(crate) fn queueing(capacity: usize) -> Config {
    Config {
        queue_size: UNLIMITED,
        ..sized(capacity)
    }
}

pub(crate) fn enter(
    pool: &TestPool,
    quota: &Places,
    terms: Terms,
) -> Result<Entrance<TestHost>, Refusal<Interrupt>> {
    pool.enter(quota, &terms, &Attached::new())
}

/// Takes a place. It must be free, or come free.
pub(crate) fn admitted(pool: &TestPool, quota: &Places) -> Guard<TestHost> {
    match enter(pool, quota, Terms::default()) {
        Ok(Entrance::Admitted(guard)) => guard,
        Ok(_) => panic!("no place, and nobody waited for one"),
        Err(why) => panic!("{why:?}"),
    }
}

/// A job that holds its place until it is over.
fn holding(guard: Guard<TestHost>, body: impl FnOnce() + Send + 'static) -> Job {
    Job::new(move || {
        body();
        drop(guard);
    })
}

#[test]
fn never_more_run_than_there_are_places_and_all_others_go_on() {
    within_limit(|| {
        let rig = Rig::new(queueing(8));
        let quota = rig.quota(2);
        let (now, most) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        // Another sub-pool and the pool itself are not concerned.
        let other = rig.quota(1);
        let (gate, held) = (occupy(&rig), admitted(&rig, &other));
        thread::scope(|threads| {
            for _ in 0..6 {
                threads.spawn(|| {
                    for _ in 0..100 {
                        let (now, most) = (now.clone(), most.clone());
                        let job = holding(admitted(&rig, &quota), move || {
                            most.fetch_max(
                                now.fetch_add(1, Ordering::SeqCst) + 1,
                                Ordering::SeqCst,
                            );
                            thread::yield_now();
                            now.fetch_sub(1, Ordering::SeqCst);
                        });
                        rig.submit(job).expect("accepted");
                    }
                });
            }
        });
        assert_eq!(quota.wait(&Attached::new(), None), Ok(true));
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
        assert_eq!(quota.numbers(), (2, 0, 0));
        assert_eq!(other.numbers(), (1, 1, 0));
        drop(held);
        gate.open();
    });
}

#[test]
fn a_place_comes_back_however_its_task_ends() {
    within_limit(|| {
        let rig = Rig::new(queueing(1));
        let (quota, ledger) = (rig.quota(1), Ledger::default());
        let job = |body: fn()| ledger.note(holding(admitted(&rig, &quota), body));
        let freed = || assert_eq!(quota.numbers(), (1, 0, 0));
        // It runs, or panics.
        for body in [(|| ()) as fn(), || panic_quietly()] {
            rig.submit(job(body)).expect("accepted");
            assert_eq!(quota.wait(&Attached::new(), None), Ok(true));
            freed();
        }
        // It is cancelled, alone or with the whole queue, before its turn.
        let gate = occupy(&rig);
        let cancelled = job(|| ());
        let future = cancelled.future();
        rig.submit(cancelled).expect("accepted");
        assert_eq!(quota.numbers(), (1, 1, 0));
        assert!(future.cancel());
        rig.cancelled();
        freed();
        rig.submit(job(|| ())).expect("accepted");
        rig.cancel_queued();
        freed();
        // Nobody takes it.
        drop(admitted(&rig, &quota));
        freed();
        let last = job(|| ());
        gate.open();
        rig.finish();
        rig.submit(last).expect_err("closed");
        freed();
        let counts = ledger.settle();
        assert_eq!((counts.ran, counts.cancelled), (2, 1));
        assert_eq!((counts.discarded, counts.refused), (1, 1));
    });
}

pub(crate) fn told(entrance: &Result<Entrance<TestHost>, Refusal<Interrupt>>) -> &'static str {
    match entrance {
        Ok(Entrance::Admitted(_)) => "in",
        Ok(Entrance::Here) => "here",
        Ok(Entrance::Discarded) => "discarded",
        Err(Refusal::Closed) => "closed",
        Err(Refusal::Broken(_)) => "broken",
        Err(Refusal::Overload) => "overload",
        Err(Refusal::TimedOut) => "late",
        Err(Refusal::Interrupted(Interrupt)) => "interrupted",
        Err(why) => panic!("{why:?}"),
    }
}

/// What a submitter is told without a place, or with one, which it gives back.
pub(crate) fn told_at_once(rig: &Rig, quota: &Places) -> &'static str {
    told(&enter(rig, quota, Terms::default()))
}

#[test]
fn without_a_place_the_submitter_does_what_the_pool_does_when_it_is_full() {
    within_limit(|| {
        for (overflow, answer) in [
            (Overflow::Raise, "overload"),
            (Overflow::CallerRuns, "here"),
            (Overflow::Discard, "discarded"),
        ] {
            let rig = Rig::new(Config {
                overflow,
                ..queueing(4)
            });
            let quota = rig.quota(1);
            let guard = admitted(&rig, &quota);
            assert_eq!(told_at_once(&rig, &quota), answer);
            assert_eq!(quota.numbers(), (1, 1, 0));
            drop(guard);
        }
    });
}

#[test]
fn a_worker_of_the_pool_does_not_wait_for_a_place() {
    within_limit(|| {
        let (rig, (tell, answer)) = (Rig::new(queueing(2)), mpsc::channel());
        let (pool, quota) = (rig.0.clone(), rig.quota(1));
        let guard = admitted(&rig, &quota);
        let outer = holding(guard, move || {
            let entrance = enter(&pool, &quota, Terms::default());
            tell.send(told(&entrance)).unwrap();
        });
        rig.submit(outer).expect("accepted");
        assert_eq!(answer.recv().unwrap(), "here");
    });
}

#[test]
fn a_place_is_free_before_the_result_is_told_and_a_wait_ends_after() {
    within_limit(|| {
        let rig = Rig::new(queueing(2));
        let quota = rig.quota(1);
        let mut guard = admitted(&rig, &quota);
        guard.free_place();
        assert_eq!(told_at_once(&rig, &quota), "in");
        let scope = Attached::new();
        assert_eq!(quota.wait(&scope, Some(soon())), Ok(false));
        thread::scope(|threads| {
            let waits = threads.spawn(|| quota.wait(&Attached::new(), None));
            assert!(!waits.is_finished());
            drop(guard);
            assert_eq!(waits.join().unwrap(), Ok(true));
        });
        assert_eq!(quota.wait(&scope, Some(soon())), Ok(true));
        assert_eq!(quota.numbers(), (1, 0, 0), "freed once");
    });
}
