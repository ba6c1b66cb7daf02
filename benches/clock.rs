//! A clock in the place of libc's, for `instructions.py`, which loads it before libc: each reading is a microsecond
//! after the last one. What is done from time to time is done more often, by the real clock, the slower a machine
//! is, and would be counted so.
//!
//! It is far in the future, so what sleeps until a deadline by this clock sleeps until it is woken: as the threads do
//! that wait for Python's interpreter.

use std::sync::atomic::{AtomicI64, Ordering};

const START: i64 = 4_000_000_000;

/// As of libc, for every clock.
///
/// # Safety
/// As of libc: `time` can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(_clock: i32, time: *mut [i64; 2]) -> i32 {
    static READINGS: AtomicI64 = AtomicI64::new(0);
    // Relaxed: nothing but the number itself.
    let micros = READINGS.fetch_add(1, Ordering::Relaxed);
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    // SAFETY: the caller's promise; on 64-bit Linux it is 64 bits of seconds and 64 of nanoseconds.
    unsafe { *time = [START + seconds, rest * 1_000] };
    0
}
