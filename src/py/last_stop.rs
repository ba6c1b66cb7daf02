//! The last stop of a worker's thread that the interpreter ends.
//!
//! Up to 3.13.7 `CPython` ends a thread that comes back to a finalized interpreter with `pthread_exit`, which unwinds
//! its stack. A worker can meet that wherever Python code may run: in a task, and in every drop of a Python object,
//! whose destructor may be written in Python. Between it and the thread's start lie Rust frames that must not be
//! unwound so: the process would abort.
//!
//! A C library keeps a list of functions that it calls as it unwinds, each once the frame is left that its entry lies
//! in. An entry that lies in no frame is due at once, before the first frame is left. Ours parks the thread for ever;
//! the process is about to exit under it. This costs nothing while the thread lives.
//!
//! A `longjmp` through the thread forgets the entry, as it forgets all that seem to lie in frames that it leaves: where
//! a library that a task calls has done so, a worker has no last stop any more.
//!
//! The functions are those behind `pthread_cleanup_push` of old. glibc and musl have them. Other systems end a thread
//! without unwinding it.

#[cfg(target_os = "linux")]
pub(super) use linux::{prepare, with};

/// There is nothing to be found.
#[cfg(not(target_os = "linux"))]
pub(super) fn prepare() {}

/// Runs `body` on a thread that stays where it is when the interpreter would end it.
#[cfg(not(target_os = "linux"))]
pub(super) fn with<R>(body: impl FnOnce() -> R) -> R {
    body()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        ffi::{CStr, c_int, c_void},
        mem, ptr,
        sync::LazyLock,
    };

    use crate::py::interpreter;

    type Routine = extern "C" fn(*mut c_void);
    type Push = unsafe extern "C" fn(*mut Entry, Routine, *mut c_void);
    type Pop = unsafe extern "C" fn(*mut Entry, c_int);

    /// The library's: a function, its argument, an int and the entry before in glibc, less in musl.
    #[derive(Default)]
    struct Entry {
        _room: [usize; 4],
    }

    /// Looked for by name: headers have hidden them for long, and glibc has moved them.
    static FUNCTIONS: LazyLock<Option<(Push, Pop)>> = LazyLock::new(|| {
        let push = find(c"_pthread_cleanup_push")?;
        let pop = find(c"_pthread_cleanup_pop")?;
        // SAFETY: these are their types, for as long as there have been threads.
        unsafe {
            Some((
                mem::transmute::<*mut c_void, Push>(push),
                mem::transmute::<*mut c_void, Pop>(pop),
            ))
        }
    });

    /// Finds the functions: were a process forked while a worker does, its child would wait for it.
    pub(in crate::py) fn prepare() {
        LazyLock::force(&FUNCTIONS);
    }

    fn find(name: &CStr) -> Option<*mut c_void> {
        // SAFETY: a string with its end; it is only looked for.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        (!found.is_null()).then_some(found)
    }

    extern "C" fn stay(_: *mut c_void) {
        while interpreter::is_gone() {
            std::thread::park();
        }
        // Somebody else ends the thread, and knows what that does.
    }

    /// On the heap: on the stack it would lie in a frame.
    struct Stop {
        /// From `Box::into_raw`: the library keeps it, too, until it is popped.
        entry: *mut Entry,
        pop: Pop,
    }

    impl Drop for Stop {
        fn drop(&mut self) {
            // SAFETY: pushed by `with`, on this thread; what was pushed since has been popped. Then nobody has the
            // entry but this.
            unsafe {
                (self.pop)(self.entry, 0);
                drop(Box::from_raw(self.entry));
            }
        }
    }

    /// Runs `body` on a thread that stays where it is when the interpreter would end it.
    pub(in crate::py) fn with<R>(body: impl FnOnce() -> R) -> R {
        let _stop = FUNCTIONS.map(|(push, pop)| {
            let entry = Box::into_raw(Box::<Entry>::default());
            // SAFETY: the entry lives until `Stop` has popped it.
            unsafe { push(entry, stay, ptr::null_mut()) };
            Stop { entry, pop }
        });
        body()
    }
}
