//! How much of its stack a worker has left. Tasks that run in each other's midst nest calls from Rust to Python
//! and back, which take more of it than a Python frame does: with a high `sys.setrecursionlimit` the stack could
//! end before the limit is reached, and the process with it.

#[cfg(target_os = "linux")]
pub(super) fn is_low() -> bool {
    use std::cell::Cell;

    thread_local! {
        /// The lowest address down to which tasks may nest; 0: not looked up yet.
        static FLOOR: Cell<usize> = const { Cell::new(0) };
    }

    if FLOOR.get() == 0 {
        FLOOR.set(floor().unwrap_or(1));
    }
    let here = 0_u8;
    (&raw const here).addr() < FLOOR.get()
}

/// A quarter of the stack, up to 512 KiB, is left to the innermost task itself.
#[cfg(target_os = "linux")]
fn floor() -> Option<usize> {
    const RESERVE: usize = 512 * 1024;
    let (mut lowest, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: the attributes are filled by the first call and destroyed by the last; all are of this thread.
    unsafe {
        let mut attributes = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) != 0 {
            return None;
        }
        libc::pthread_attr_getstack(&raw const attributes, &raw mut lowest, &raw mut size);
        libc::pthread_attr_destroy(&raw mut attributes);
    }
    Some(lowest.addr() + RESERVE.min(size / 4))
}

/// Not known here: the recursion limit is all there is.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_low() -> bool {
    false
}
