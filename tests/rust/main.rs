//! The pure core on real threads: `cargo test --no-default-features`. Each test is named as the promise
//! it checks, and each file after the noun it is about. The models are in `loom.rs` and `shuttle.rs`.
#![cfg(not(any(loom, shuttle)))]

mod host;
mod support;

mod accounting;
mod cancel;
mod candidate;
mod deadline;
mod entrance;
mod expiry;
mod gone;
mod initializer;
mod interrupt;
mod lanes;
mod lifecycle;
mod line;
mod nested;
#[cfg(target_os = "linux")]
mod no_thread;
mod pause;
mod places;
mod quota;
mod rate;
mod reboot;
mod stats;
mod tune;
mod wait_group;
#[cfg(target_os = "linux")]
mod watcher;
mod workers;
