//! Larger scenes than loom can go through, in many random schedules:
//! `RUSTFLAGS="--cfg shuttle" cargo test --no-default-features --release --test shuttle`.
//!
//! shuttle draws each switch between the threads of a scene from a seed. A lost wake-up is a deadlock there; that
//! nothing else is lost, each scene checks at its end, as a model does. loom's own models are run, too: loom goes
//! through all schedules with a few switches, this one through some with many. `ANTSPY_SOAK=n` tries `n` schedules
//! of each. One that fails is printed: `shuttle::replay` does it again.
#![cfg(shuttle)]

#[allow(dead_code, reason = "the tests on real threads need more of it")]
mod host;
/// What all models have in common.
mod scene;

/// Several workers, several who hand in, and all that can happen to a pool meanwhile.
#[path = "shuttle/crowd.rs"]
mod crowd;
#[path = "loom/mod.rs"]
mod models;

use shuttle::{Config, Runner, scheduler::RandomScheduler};

use scene::{Gate, Scene, expiring, queueing, staying};

/// Schedules of a scene.
const SHORT: usize = 200;

/// Runs `body` in random schedules. How many switches loom would try is of no matter.
fn model(_preemptions: usize, body: impl Fn() + Send + Sync + 'static) {
    let schedules = std::env::var("ANTSPY_SOAK").map_or(SHORT, |schedules| {
        schedules.parse().expect("ANTSPY_SOAK is a number")
    });
    let mut config = Config::new();
    config.stack_size = 1 << 18;
    let runner = Runner::new(RandomScheduler::new(schedules), config);
    runner.run(move || {
        // As many as it likes, unless it says so.
        antspy::core::sync::thread::limit(usize::MAX);
        body();
    });
}
