//! The pure core on real threads: `cargo test --no-default-features`. Each test is named as the promise
//! it checks, and each file after the noun it is about. The models are in `loom.rs`.
#![cfg(not(loom))]

mod host;
mod support;

mod accounting;
mod cancel;
mod expiry;
mod interrupt;
mod lifecycle;
#[cfg(target_os = "linux")]
mod no_thread;
mod places;
mod reboot;
mod tune;
mod wait_group;
mod workers;
