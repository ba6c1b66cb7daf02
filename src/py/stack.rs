//! How much of its stack a worker has left. Tasks that run in each other's midst nest calls from Rust to Python
//! and back, which take more of it than a Python frame does: with a high `sys.setrecursionlimit` the stack could
//! end before the limit is reached, and the process with it.

use std::cell::Cell;

thread_local! {
    /// The lowest address down to which tasks may nest; 0: not looked up yet.
    static FLOOR: Cell<usize> = const { Cell::new(0) };
}

pub(super) fn is_low() -> bool {
    if FLOOR.get() == 0 {
        FLOOR.set(limits().map_or(1, floor));
    }
    let here = 0_u8;
    (&raw const here).addr() < FLOOR.get()
}

/// A stack's lowest address, and its bytes.
type Limits = (usize, usize);

/// A quarter of the stack, up to 512 KiB, is left to the innermost task itself.
fn floor((lowest, size): Limits) -> usize {
    const RESERVE: usize = 512 * 1024;
    lowest + RESERVE.min(size / 4)
}

#[cfg(target_os = "linux")]
fn limits() -> Option<Limits> {
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
    Some((lowest.addr(), size))
}

#[cfg(target_os = "macos")]
fn limits() -> Option<Limits> {
    // SAFETY: both read what the library knows of this thread.
    let (top, size) = unsafe {
        let thread = libc::pthread_self();
        let top = libc::pthread_get_stackaddr_np(thread);
        (top.addr(), libc::pthread_get_stacksize_np(thread))
    };
    Some((top.checked_sub(size)?, size))
}

#[cfg(windows)]
fn limits() -> Option<Limits> {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetCurrentThreadStackLimits(lowest: *mut usize, top: *mut usize);
    }

    let (mut lowest, mut top) = (0, 0);
    // SAFETY: it writes the two numbers.
    unsafe { GetCurrentThreadStackLimits(&raw mut lowest, &raw mut top) };
    Some((lowest, top.checked_sub(lowest)?))
}

/// Not known here: the recursion limit is all there is.
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn limits() -> Option<Limits> {
    None
}
