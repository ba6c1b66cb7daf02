//! The line of those who wait for a place: threads, and the tasks of coroutines, which go in by themselves.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::{self, Scope},
    time::Instant,
};

use antspy::core::{
    Config, Overflow, Park, Parked,
    Priority::{self, High, Low, Normal},
    Refusal, Terms, Turn, UNLIMITED, Verdict, Waiter,
};

use crate::{
    host::{Attached, Coroutine, Job, Ledger, Rig, begin_on, sized},
    support::{Gate, Log, eventually, occupy, within_limit},
};

/// Who waits for a place.
#[derive(Clone, Copy)]
enum Who {
    Thread,
    Coroutine,
}

use Who::{Coroutine as C, Thread as T};

fn of(priority: Priority) -> Terms {
    Terms {
        priority,
        ..Terms::default()
    }
}

/// Has one more stand in line, at its end. A coroutine need not come back for its task to go in.
fn join_line<'scope>(
    threads: &'scope Scope<'scope, '_>,
    rig: &'scope Rig,
    (who, priority): (Who, Priority),
    job: Job,
) {
    let waiting = rig.stats().waiting;
    match who {
        C => drop(rig.line_up_on(of(priority), job)),
        T => {
            threads.spawn(move || rig.submit_on(of(priority), job).expect("accepted"));
            eventually(|| rig.stats().waiting == waiting + 1);
        }
    }
}

/// In which order the tasks of those run who came in this one, all of whom wait for the same place.
fn order(line: &[(Who, Priority)]) -> Vec<usize> {
    let (rig, log) = (Rig::new(sized(1)), Log::default());
    let gate = occupy(&rig);
    thread::scope(|threads| {
        for (number, submitter) in line.iter().enumerate() {
            join_line(threads, &rig, *submitter, Job::new(log.writes(number)));
        }
        gate.open();
    });
    rig.wait();
    log.lines()
}

#[test]
fn a_task_in_line_goes_in_by_itself_when_a_place_comes_free() {
    within_limit(|| {
        for prompt in [None, Some(true), Some(false)] {
            let rig = Rig::new(sized(1));
            let gate = Gate::default();
            let job = match prompt {
                None => Job::new(gate.waits()),
                Some(prompt) => Job::working_and_telling(gate.waits(), prompt, |_, _| ()),
            };
            assert!(matches!(rig.begin(job), Ok(Turn::Decided(()))));
            let job = Job::new(|| ());
            let fate = job.fate();
            let coroutine = rig.line_up(job);
            assert_eq!((rig.stats().waiting, rig.stats().in_flight), (1, 1));
            assert_eq!(coroutine.verdict(), Verdict::None);
            gate.open();
            // The coroutine's thread has others to look after meanwhile.
            eventually(|| fate.ran());
            assert_eq!(coroutine.verdict(), Verdict::Granted);
            assert_eq!(rig.stats().waiting, 0);
            coroutine.proceed().expect("accepted");
            rig.wait();
        }
    });
}

#[test]
fn threads_and_coroutines_go_in_as_they_came() {
    within_limit(|| {
        for line in [
            [C, C, C, C, C, C],
            [T, C, T, C, T, C],
            [C, T, T, C, C, T],
            [T, T, C, C, C, T],
        ] {
            assert_eq!(order(&line.map(|who| (who, Normal))), [0, 1, 2, 3, 4, 5]);
        }
    });
}

#[test]
fn they_go_in_by_lane() {
    within_limit(|| {
        let line = [(C, Low), (T, Normal), (C, High), (C, Normal), (T, High)];
        assert_eq!(order(&line), [2, 4, 1, 3, 0]);
        // The lane that has been passed over often enough is next.
        let mut line = vec![(T, Low), (C, Low)];
        line.extend((0..18).map(|number| (if number % 2 == 0 { C } else { T }, High)));
        let order = order(&line);
        assert_eq!((order[16], order[19]), (0, 1), "{order:?}");
    });
}

#[test]
fn in_the_queue_they_stand_in_their_lanes_too() {
    within_limit(|| {
        let rig = Rig::new(Config {
            queue_size: 3,
            ..sized(1)
        });
        let (gate, log) = (occupy(&rig), Log::default());
        let jobs = [0, 1, 2].map(|number| Job::new(log.writes(number)));
        let fates = jobs.each_ref().map(Job::fate);
        for job in jobs {
            rig.submit(job).expect("accepted");
        }
        let line = [(3, Low), (4, High)]
            .map(|(number, priority)| rig.line_up_on(of(priority), Job::new(log.writes(number))));
        for fate in &fates[..2] {
            assert!(fate.cancel());
            rig.cancelled();
        }
        assert!(line.iter().all(|it| it.verdict() == Verdict::Granted));
        gate.open();
        rig.wait();
        assert_eq!(log.lines(), [4, 2, 3]);
    });
}

#[test]
fn a_place_is_given_to_a_task_in_line_before_any_newcomer_can_see_it() {
    within_limit(|| {
        for prompt in [true, false] {
            let (rig, gate) = (Rig::new(sized(1)), Gate::default());
            // The first who could take the place is the worker that has just given it back.
            let (pool, (tell, told)) = (rig.0.clone(), mpsc::channel());
            let tells = Job::working_and_telling(gate.waits(), prompt, move |scope, _| {
                // It goes on with that task itself: nobody is on the way to it.
                let settled = pool.settle(scope, Some(Instant::now())).is_ok();
                tell.send((pool.stats(), settled)).unwrap();
            });
            rig.submit(tells).expect("accepted");
            drop(rig.line_up(Job::new(|| ())));
            gate.open();
            let (stats, settled) = told.recv().unwrap();
            assert_eq!((stats.in_flight, stats.waiting), (1, 0));
            assert!(settled);
            rig.wait();
        }
    });
}

#[test]
fn a_worker_goes_on_with_the_tasks_in_line_and_does_not_sleep_in_between() {
    within_limit(|| {
        for prompt in [None, Some(true)] {
            let rig = Rig::new(sized(1));
            let gate = occupy(&rig);
            let job = || match prompt {
                None => Job::new(|| ()),
                Some(prompt) => Job::telling(prompt, |_, _| ()),
            };
            let line: Vec<_> = (0..100).map(|_| rig.line_up(job())).collect();
            let before = rig.host().worker_blocks();
            gate.open();
            rig.wait();
            assert!(line.iter().all(|it| it.verdict() == Verdict::Granted));
            // Once when all is done, and now and then for the sake of others.
            let blocks = rig.host().worker_blocks() - before;
            assert!(blocks <= 20, "{blocks} times");
        }
    });
}

#[test]
fn as_many_go_in_as_there_are_new_places() {
    within_limit(|| {
        let rig = Rig::new(sized(1));
        let gate = occupy(&rig);
        let line: Vec<_> = (0..5)
            .map(|_| rig.line_up(Job::new(gate.waits())))
            .collect();
        let inside = || {
            let granted = |it: &&Coroutine| it.verdict() == Verdict::Granted;
            line.iter().filter(granted).count()
        };
        rig.tune(3, &Attached::new()).expect("a good size");
        assert_eq!((inside(), rig.stats().waiting), (2, 3));
        eventually(|| rig.stats().running == 3 && rig.stats().queued == 0);
        rig.tune(1, &Attached::new()).expect("a good size");
        rig.tune(2, &Attached::new()).expect("a good size");
        assert_eq!((inside(), rig.stats().waiting), (2, 3));
        rig.tune(UNLIMITED, &Attached::new()).expect("a good size");
        assert_eq!((inside(), rig.stats().waiting), (5, 0));
        gate.open();
        rig.wait();
    });
}

#[test]
fn in_a_pool_tuned_down_nobody_goes_in_before_there_is_a_place() {
    within_limit(|| {
        let rig = Rig::new(sized(3));
        let gates = [occupy(&rig), occupy(&rig), occupy(&rig)];
        let coroutine = rig.line_up(Job::new(|| ()));
        rig.tune(1, &Attached::new()).expect("a good size");
        for (gate, left) in gates[..2].iter().zip([2, 1]) {
            gate.open();
            eventually(|| rig.stats().in_flight == left);
            assert_eq!(coroutine.verdict(), Verdict::None);
        }
        gates[2].open();
        assert_eq!(coroutine.wait(), Verdict::Granted);
        rig.wait();
        eventually(|| rig.stats().running == 1);
    });
}

#[test]
fn never_more_run_than_the_capacity_nor_are_in_flight_than_there_are_places() {
    within_limit(|| {
        for queue_size in [0, 2] {
            let rig = Rig::new(Config {
                queue_size,
                ..sized(3)
            });
            let (now, most) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
            let ledger = Ledger::default();
            let job = || {
                let (pool, now, most) = (rig.0.clone(), now.clone(), most.clone());
                ledger.job(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    assert!(pool.stats().in_flight <= 3 + queue_size);
                    thread::yield_now();
                    now.fetch_sub(1, Ordering::SeqCst);
                })
            };
            thread::scope(|threads| {
                for _ in 0..3 {
                    threads.spawn(|| {
                        for _ in 0..200 {
                            rig.submit(job()).expect("accepted");
                        }
                    });
                    // An event loop with ten coroutines.
                    threads.spawn(|| {
                        for _ in 0..30 {
                            let turns = (0..10).map(|_| rig.begin(job()).expect("accepted"));
                            for turn in turns.collect::<Vec<_>>() {
                                if let Turn::InLine(coroutine) = turn {
                                    assert_eq!(coroutine.wait(), Verdict::Granted);
                                    coroutine.proceed().expect("accepted");
                                }
                            }
                        }
                    });
                }
            });
            rig.wait();
            assert!(most.load(Ordering::SeqCst) <= 3);
            assert_eq!(ledger.settle().ran, 3 * 500);
            assert_eq!((rig.stats().in_flight, rig.stats().waiting), (0, 0));
        }
    });
}

#[test]
fn beyond_max_blocking_nobody_stands_in_line() {
    within_limit(|| {
        let rig = Rig::new(Config {
            max_blocking: 2,
            ..sized(1)
        });
        let (gate, ledger) = (occupy(&rig), Ledger::default());
        thread::scope(|threads| {
            join_line(threads, &rig, (C, Normal), ledger.job(|| ()));
            join_line(threads, &rig, (T, Normal), ledger.job(|| ()));
            let refusals = [
                rig.begin(ledger.job(|| ())).err(),
                rig.submit(ledger.job(|| ())).err(),
            ];
            assert!(matches!(
                refusals,
                [Some(Refusal::Overload), Some(Refusal::Overload)]
            ));
            gate.open();
        });
        rig.wait();
        let counts = ledger.settle();
        assert_eq!((counts.ran, counts.refused), (2, 2));
        assert_eq!(rig.stats_and_tally().1.rejected, 2);
    });
}

#[test]
fn a_full_pool_does_with_a_coroutine_s_task_as_it_says() {
    within_limit(|| {
        for overflow in [Overflow::Raise, Overflow::Discard, Overflow::CallerRuns] {
            let rig = Rig::new(Config {
                overflow,
                ..sized(1)
            });
            let (gate, ledger) = (occupy(&rig), Ledger::default());
            let ran_by = Arc::new(Mutex::new(None));
            let writes = ran_by.clone();
            let job = ledger.job(move || *writes.lock().unwrap() = Some(thread::current().id()));
            let turn = rig.begin(job);
            match overflow {
                Overflow::Raise => assert!(matches!(turn, Err(Refusal::Overload))),
                Overflow::Discard => assert!(matches!(turn, Ok(Turn::Decided(())))),
                // It would block the coroutine's thread, so it waits.
                _ => assert!(matches!(turn, Ok(Turn::InLine(_)))),
            }
            gate.open();
            rig.wait();
            let counts = ledger.settle();
            let ended = (counts.refused, counts.discarded, counts.ran);
            assert_eq!(
                ended,
                match overflow {
                    Overflow::Raise => (1, 0, 0),
                    Overflow::Discard => (0, 1, 0),
                    _ => (0, 0, 1),
                }
            );
            assert_ne!(*ran_by.lock().unwrap(), Some(thread::current().id()));
        }
    });
}

#[test]
fn a_coroutine_on_a_worker_of_the_pool_runs_its_task_there() {
    within_limit(|| {
        for overflow in [Overflow::Block, Overflow::CallerRuns] {
            let rig = Rig::new(Config {
                overflow,
                ..sized(1)
            });
            let (pool, log) = (rig.0.clone(), Log::default());
            let seen = log.clone();
            let outer = Job::new(move || {
                let by = seen.clone();
                let inner = Job::new(move || by.write(thread::current().id()));
                let turn = begin_on(&pool, inner, Terms::default());
                assert!(
                    matches!(turn, Ok(Turn::Decided(()))),
                    "it would wait for itself"
                );
                seen.write(thread::current().id());
            });
            rig.submit(outer).expect("accepted");
            rig.wait();
            let ids = log.lines();
            assert_eq!(ids.len(), 2);
            assert_eq!(ids[0], ids[1]);
        }
    });
}

#[test]
fn a_coroutine_is_told_and_not_woken_to_look_around() {
    /// How often it was rung.
    #[derive(Default)]
    struct Bell(AtomicUsize);

    impl Park for Bell {
        fn park(&self, _: Option<Instant>) -> Parked {
            unreachable!("a coroutine does not sleep")
        }
        fn is_woken(&self) -> bool {
            unreachable!("a coroutine does not sleep")
        }
        fn unpark(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        fn is_thread(&self) -> bool {
            false
        }
    }

    let waiter = Waiter::new(Bell::default());
    waiter.nudge();
    assert_eq!(waiter.parker().0.load(Ordering::SeqCst), 0);
    waiter.decide(Verdict::Granted);
    waiter.wake();
    assert_eq!(waiter.parker().0.load(Ordering::SeqCst), 1);
}
