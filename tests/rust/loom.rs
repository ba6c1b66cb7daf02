//! The races of the core, each checked in all interleavings that a model of it has:
//! `RUSTFLAGS="--cfg loom" cargo test --no-default-features --release --test loom`.
//!
//! loom runs a model again and again, each time with other switches between its threads. A lost wake-up
//! is a deadlock there, which loom reports; that nothing else is lost, each model checks at its end, by the
//! ledger of its jobs and the books of the pool. So the models are small: two or three threads, one or two
//! jobs. There is no time in a model: see `host/sleep_loom.rs`.
#![cfg(loom)]

#[allow(dead_code, reason = "the tests on real threads need more of it")]
mod host;

/// Tasks with a deadline, and the thread that watches them.
#[path = "loom/deadlines.rs"]
mod deadlines;
/// How a pool ends: by being closed, by expiry, by breaking down, for want of threads.
#[path = "loom/ends.rs"]
mod ends;
/// Workers that run an initializer before they come to the queue.
#[path = "loom/initializer.rs"]
mod initializer;
/// The tasks of coroutines in line.
#[path = "loom/line.rs"]
mod line;
/// Tasks that are run by who waits for them.
#[path = "loom/nested.rs"]
mod nested;
/// What becomes of tasks when there is no thread for them.
#[path = "loom/no_thread.rs"]
mod no_thread;
/// When tasks start: pauses and the rate.
#[path = "loom/starts.rs"]
mod starts;
/// The places of sub-pools.
#[path = "loom/sub_pools.rs"]
mod sub_pools;
/// Who waits for a place, for tasks, for threads, for a group.
#[path = "loom/waits.rs"]
mod waits;
/// How a task finds its worker.
#[path = "loom/work.rs"]
mod work;

use std::{sync::Arc, time::Duration};

use antspy::core::{Config, UNLIMITED};
use loom::thread;

use host::{Counts, Ledger, Rig, sized};

/// Runs `body` in all interleavings with at most so many switches where nobody had to wait. Models that
/// are small enough have more; of the faults planted to try them, each was found with two.
fn model(preemptions: usize, body: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 5_000;
    builder.check(move || {
        // As many as it likes, unless it says so.
        antspy::core::sync::thread::limit(usize::MAX);
        body();
    });
}

/// A pool that all threads of a model share, and its jobs.
struct Scene {
    rig: Rig,
    ledger: Ledger,
}

impl Scene {
    fn new(config: Config) -> Arc<Self> {
        Self::with_host(host::TestHost::new(), config)
    }

    fn with_host(host: host::TestHost, config: Config) -> Arc<Self> {
        Arc::new(Self {
            rig: Rig::with_host(host, config),
            ledger: Ledger::default(),
        })
    }

    /// Submits a job that does nothing; whether it was accepted.
    fn offer(&self) -> bool {
        self.rig.submit(self.ledger.job(|| ())).is_ok()
    }

    /// The same for a thread of its own.
    fn spawn(self: &Arc<Self>, body: impl FnOnce(&Self) + 'static) -> thread::JoinHandle<()> {
        let scene = self.clone();
        thread::spawn(move || body(&scene))
    }

    /// Closes the pool and sees its threads off. Then the books must be even.
    fn end(&self) -> Counts {
        self.rig.finish();
        let stats = self.rig.stats();
        assert_eq!(
            (stats.in_flight, stats.queued, stats.waiting),
            (0, 0, 0),
            "{stats:?}"
        );
        assert_eq!((stats.running, stats.idle), (0, 0), "{stats:?}");
        let tally = self.rig.stats_and_tally().1;
        let ended = tally.completed + tally.failed + tally.cancelled;
        assert_eq!(tally.submitted, ended, "{tally:?}");
        self.ledger.settle()
    }
}

/// Something in a model that happens once.
#[derive(Clone, Default)]
struct Gate(Arc<(loom::sync::Mutex<bool>, loom::sync::Condvar)>);

impl Gate {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let mut open = self.0.0.lock().unwrap();
        while !*open {
            open = self.0.1.wait(open).unwrap();
        }
    }
}

/// A pool whose workers stay.
fn staying(capacity: usize) -> Config {
    Config {
        expiry: None,
        ..sized(capacity)
    }
}

/// A pool whose workers stay, and with a queue.
fn queueing(capacity: usize) -> Config {
    Config {
        queue_size: UNLIMITED,
        ..staying(capacity)
    }
}

/// A pool whose workers expire whenever the model likes.
fn expiring(capacity: usize) -> Config {
    Config {
        expiry: Some(Duration::from_secs(3600)),
        ..sized(capacity)
    }
}
