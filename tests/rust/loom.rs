//! The races of the core, each checked in all interleavings that a model of it has:
//! `RUSTFLAGS="--cfg loom" cargo test --no-default-features --release --test loom`.
//!
//! loom runs a model again and again, each time with other switches between its threads. A lost wake-up
//! is a deadlock there, which loom reports; that nothing else is lost, each model checks at its end, by the
//! ledger of its jobs and the books of the pool. So the models are small: two or three threads, one or two
//! jobs. There is no time in a model: see `host/sleep_model.rs`.
#![cfg(loom)]

#[allow(dead_code, reason = "the tests on real threads need more of it")]
mod host;
/// What all models have in common.
mod scene;

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

use scene::{Gate, Scene, expiring, queueing, staying};

/// Runs `body` in all interleavings with at most so many switches where nobody had to wait. Models that
/// are small enough have more; of the faults planted to try them, each was found with two. `shuttle.rs` runs the large
/// ones with many.
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
