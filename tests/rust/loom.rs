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

#[path = "loom/mod.rs"]
mod models;

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
