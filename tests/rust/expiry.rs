//! Rule 4: the newest idle worker wakes first, the oldest expires. On a clock that the tests set.

use std::{
    sync::{Arc, Mutex},
    thread::{self, ThreadId},
    time::Duration,
};

use antspy::core::Config;

use crate::{
    host::{Clock, Job, Rig, TestHost, sized},
    support::{Gate, eventually, within_limit},
};

const EXPIRY: Duration = Duration::from_secs(10);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A pool whose workers the test can tell apart.
struct Crew {
    rig: Rig,
    clock: Clock,
}

impl Crew {
    fn new(config: Config) -> Self {
        let clock = Clock::toy();
        let rig = Rig::with_host(TestHost::with_clock(clock.clone()), config);
        Self { rig, clock }
    }

    /// Starts or wakes `count` workers and lets them go idle one after the other, `apart`: the thread of
    /// each, the oldest idle first.
    fn idle_one_by_one(&self, count: usize, apart: Duration) -> Vec<ThreadId> {
        let idle = self.rig.stats().idle;
        assert!(idle <= count, "it takes them all");
        let jobs: Vec<_> = (0..count).map(|_| self.occupy()).collect();
        for (number, (gate, _)) in jobs.iter().enumerate() {
            if number > 0 {
                self.clock.advance(apart);
            }
            gate.open();
            eventually(|| self.rig.stats().idle == number + 1);
        }
        jobs.iter().map(|(_, thread)| thread()).collect()
    }

    /// Keeps one worker busy until the gate opens, and tells which.
    fn occupy(&self) -> (Gate, impl Fn() -> ThreadId + use<>) {
        let (gate, begun) = (Gate::default(), Gate::default());
        let thread: Arc<Mutex<Option<ThreadId>>> = Arc::default();
        let body = {
            let (gate, begun, thread) = (gate.clone(), begun.clone(), thread.clone());
            move || {
                *thread.lock().unwrap() = Some(thread::current().id());
                begun.open();
                gate.pass();
            }
        };
        self.rig.submit(Job::new(body)).expect("a free place");
        begun.pass();
        (gate, move || thread.lock().unwrap().expect("it has begun"))
    }

    /// Has one tiny task done; by whom?
    fn serve(&self) -> ThreadId {
        let (gate, thread) = self.occupy();
        let in_flight = self.rig.stats().in_flight;
        gate.open();
        // It gives its place back and becomes idle at the same moment.
        eventually(|| self.rig.stats().in_flight < in_flight);
        thread()
    }

    /// Waits until there are just so many workers, and no thread that is still about to leave.
    fn shrinks_to(&self, workers: u64) {
        let tally = &self.rig.host().tally;
        eventually(|| {
            let ended = tally.ended.load(std::sync::atomic::Ordering::SeqCst);
            tally.entered.load(std::sync::atomic::Ordering::SeqCst) - ended == workers
        });
        assert_eq!(self.rig.stats().running as u64, workers);
        assert_eq!(self.rig.stats().idle as u64, workers);
    }
}

fn expiring(capacity: usize, min_workers: usize) -> Config {
    Config {
        expiry: Some(EXPIRY),
        min_workers,
        ..sized(capacity)
    }
}

#[test]
fn the_newest_idle_worker_wakes_first() {
    within_limit(|| {
        let crew = Crew::new(expiring(3, 0));
        let [_, second, third] = crew.idle_one_by_one(3, seconds(1))[..] else {
            panic!("three workers");
        };
        // Again and again the same.
        for _ in 0..5 {
            assert_eq!(crew.serve(), third);
        }
        // The next to it, if it is busy.
        let (gate, by) = crew.occupy();
        assert_eq!(by(), third);
        assert_eq!(crew.serve(), second);
        gate.open();
    });
}

#[test]
fn the_oldest_idle_worker_expires_first() {
    within_limit(|| {
        let crew = Crew::new(expiring(3, 0));
        // Idle since 0, 4 and 8 seconds; now it is 8.
        let [_, second, third] = crew.idle_one_by_one(3, seconds(4))[..] else {
            panic!("three workers");
        };
        crew.clock.advance(Duration::from_millis(1999));
        assert_eq!(crew.rig.stats().idle, 3, "not before its time");
        crew.clock.advance(Duration::from_millis(1));
        crew.shrinks_to(2);
        let (gates, left): (Vec<_>, Vec<_>) = (0..2)
            .map(|_| crew.occupy())
            .map(|(gate, by)| (gate, by()))
            .unzip();
        assert_eq!(left, [third, second]);
        gates.iter().for_each(Gate::open);
    });
}

#[test]
fn a_pool_with_little_to_do_shrinks_to_what_it_needs() {
    within_limit(|| {
        let crew = Crew::new(expiring(5, 0));
        crew.idle_one_by_one(5, Duration::ZERO);
        for _ in 0..11 {
            crew.clock.advance(seconds(1));
            crew.serve();
        }
        crew.shrinks_to(1);
    });
}

#[test]
fn a_worker_in_use_does_not_expire() {
    within_limit(|| {
        let crew = Crew::new(expiring(2, 0));
        let (gate, by) = crew.occupy();
        crew.clock.advance(seconds(100));
        gate.open();
        eventually(|| crew.rig.stats().idle == 1);
        crew.clock.advance(seconds(9));
        assert_eq!(crew.serve(), by(), "idle since then, not since the start");
    });
}

#[test]
fn an_idle_pool_goes_back_to_its_least_number_of_workers_and_stays_there() {
    within_limit(|| {
        let crew = Crew::new(expiring(6, 2));
        let all = crew.idle_one_by_one(6, seconds(1));
        // Twice the expiry after the last was idle.
        crew.clock.advance(seconds(20));
        crew.shrinks_to(2);
        crew.clock.advance(seconds(1_000_000));
        assert_eq!(crew.rig.stats().idle, 2);
        // The newest have stayed, and work.
        assert!(all[4..].contains(&crew.serve()));
        // Those that slept without a deadline have one again when there are more than may stay.
        crew.idle_one_by_one(4, seconds(1));
        assert_eq!(crew.rig.stats().idle, 4);
        crew.clock.advance(seconds(20));
        crew.shrinks_to(2);
    });
}

#[test]
fn a_pool_that_has_expired_works_again() {
    within_limit(|| {
        let crew = Crew::new(expiring(2, 0));
        for round in 1..=20 {
            crew.serve();
            crew.clock.advance(EXPIRY);
            crew.shrinks_to(0);
            assert_eq!(crew.rig.stats().started, round);
        }
    });
}

#[test]
fn without_expiry_workers_stay_for_ever() {
    within_limit(|| {
        let crew = Crew::new(Config {
            expiry: None,
            ..sized(3)
        });
        let [.., newest] = crew.idle_one_by_one(3, seconds(1))[..] else {
            panic!("three workers");
        };
        crew.clock.advance(seconds(1_000_000_000));
        assert_eq!(crew.serve(), newest);
        assert_eq!(crew.rig.stats().idle, 3);
    });
}

#[test]
fn preallocated_workers_are_there_from_the_start_and_expire_like_others() {
    within_limit(|| {
        for least in [0, 2, 4] {
            let crew = Crew::new(Config {
                prealloc: true,
                ..expiring(4, least)
            });
            assert_eq!(crew.rig.stats().running, 4);
            eventually(|| crew.rig.stats().idle == 4);
            crew.clock.advance(seconds(20));
            crew.shrinks_to(least as u64);
        }
    });
}

#[test]
fn preallocated_workers_without_expiry_stay() {
    within_limit(|| {
        let crew = Crew::new(Config {
            prealloc: true,
            expiry: None,
            ..sized(4)
        });
        eventually(|| crew.rig.stats().idle == 4);
        crew.clock.advance(seconds(1_000_000_000));
        crew.serve();
        assert_eq!(crew.rig.stats().started, 4);
        assert_eq!(crew.rig.stats().idle, 4);
    });
}

#[test]
fn preallocated_workers_above_the_least_number_expire_though_one_is_always_in_use() {
    within_limit(|| {
        // 1. Preallocation starts a first worker, which goes idle while it is the only one: it may stay,
        //    and sleeps without a deadline. So, with two that may stay, does the second.
        // 2. The third goes idle, too, with a deadline; but it is the newest, is woken by each task, and
        //    its deadline moves on each time.
        // 3. If nobody had given the first two a deadline, nobody's would ever pass.
        let crew = Crew::new(Config {
            prealloc: true,
            ..expiring(3, 2)
        });
        eventually(|| crew.rig.stats().idle == 3);
        for _ in 0..30 {
            crew.clock.advance(seconds(1));
            crew.serve();
        }
        crew.shrinks_to(2);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn the_process_has_the_fewer_threads_for_it() {
    within_limit(|| {
        let crew = Crew::new(Config {
            thread_name_prefix: "expiring".into(),
            ..expiring(5, 1)
        });
        crew.idle_one_by_one(5, Duration::ZERO);
        assert_eq!(crate::support::threads_named("expiring_"), 5);
        crew.clock.advance(EXPIRY);
        eventually(|| crate::support::threads_named("expiring_") == 1);
    });
}
