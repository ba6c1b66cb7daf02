//! The kernel's table of waiting threads, wide enough for thousands of them.
//!
//! A recent Linux (6.18 here) gives each process with threads such a table of its own, of 16 places on a machine with
//! two processors. Of 10,000 threads, each of which waits for its own lock, hundreds stand in each place, and whoever
//! wakes one of them looks through all of these. A program can ask for a wider table by `prctl(PR_FUTEX_HASH)`.

/// Widens the table, once in each process: a forked child has a table of its own. A kernel without such tables refuses,
/// and needs none.
#[cfg(target_os = "linux")]
#[cold]
pub(super) fn widen() {
    use std::sync::atomic::{AtomicU32, Ordering};

    use crate::py::fork;

    /// `PR_FUTEX_HASH`, `PR_FUTEX_HASH_SET_SLOTS` and `PR_FUTEX_HASH_GET_SLOTS`, which `libc` does not have yet.
    const FUTEX_HASH: i32 = 78;
    const SET_SLOTS: u64 = 1;
    const GET_SLOTS: u64 = 2;
    /// Places. A mebibyte of the kernel's memory.
    const WANTED: u64 = 16_384;

    /// The forks that led to the process that has widened its table, and one. `Relaxed`: nothing depends on it.
    static WIDENED: AtomicU32 = AtomicU32::new(0);

    let this = fork::forks() + 1;
    if WIDENED.swap(this, Ordering::Relaxed) == this {
        return;
    }
    // SAFETY: no pointers; it asks for a number, or sets one.
    unsafe {
        let slots = libc::prctl(FUTEX_HASH, GET_SLOTS, 0_u64, 0_u64, 0_u64);
        // 0: the table that all processes share, by the program's choice.
        if u64::try_from(slots).is_ok_and(|slots| (1..WANTED).contains(&slots)) {
            libc::prctl(FUTEX_HASH, SET_SLOTS, WANTED, 0_u64, 0_u64);
        }
    }
}

/// Only Linux has such a table.
#[cfg(not(target_os = "linux"))]
pub(super) fn widen() {}
