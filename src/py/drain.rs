//! The end of the program: every pool is closed, and what it had accepted still runs, as with
//! `concurrent.futures`. The package registers [`_drain`] with `threading`, which calls it before it waits
//! for its own threads. And who watches the process finds all pools here.

use std::{
    ptr,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicPtr, Ordering},
    },
};

use pyo3::{prelude::*, types::PyDict};

use super::{errors, pool::Core, stats};

/// All pools of this process, until it ends.
#[derive(Default)]
struct Registry {
    closed: bool,
    pools: Vec<Weak<Core>>,
    /// Length at which dropped pools are next cleared out: twice what was left the last time.
    crowded: usize,
}

/// Made when first used, never freed. A forked child forgets it, for a thread that is not there may hold
/// its lock; `AcqRel` so that whoever reads the pointer sees the registry behind it.
static REGISTRY: AtomicPtr<Mutex<Registry>> = AtomicPtr::new(ptr::null_mut());

fn registry() -> &'static Mutex<Registry> {
    let found = REGISTRY.load(Ordering::Acquire);
    // SAFETY: null, or leaked below and so never freed.
    if let Some(found) = unsafe { found.as_ref() } {
        return found;
    }
    let made = Box::into_raw(Box::<Mutex<Registry>>::default());
    match REGISTRY.compare_exchange(ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: leaked on purpose.
        Ok(_) => unsafe { &*made },
        Err(faster) => {
            // SAFETY: `made` is known to nobody else; `faster` was leaked by somebody else.
            unsafe {
                drop(Box::from_raw(made));
                &*faster
            }
        }
    }
}

fn lock() -> std::sync::MutexGuard<'static, Registry> {
    registry().lock().unwrap_or_else(PoisonError::into_inner)
}

/// Remembers a pool until the program ends. One that comes too late is closed at once.
pub(super) fn register(py: Python<'_>, pool: &Arc<Core>) {
    let mut registry = lock();
    if registry.closed {
        drop(registry);
        pool.close(py);
        return;
    }
    if registry.pools.len() >= registry.crowded {
        registry.pools.retain(|pool| pool.strong_count() > 0);
        registry.crowded = 2 * registry.pools.len() + 64;
    }
    registry.pools.push(Arc::downgrade(pool));
}

/// Whether the program is ending: all pools are closed.
pub(super) fn has_begun() -> bool {
    lock().closed
}

/// In a forked child: there is no pool of this process yet.
pub(super) fn forget_all() {
    REGISTRY.store(ptr::null_mut(), Ordering::Release);
}

/// The pools of this process: of each its numbers, name, workers' threads, and what tells it from others of that name.
#[pyfunction]
pub(super) fn _pools(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let pools: Vec<Arc<Core>> = lock().pools.iter().filter_map(Weak::upgrade).collect();
    let pools = pools.iter().map(|pool| {
        let numbers = stats::numbers(py, pool)?;
        numbers.set_item("id", Arc::as_ptr(pool).addr())?;
        numbers.set_item("name", &pool.config().thread_name_prefix)?;
        numbers.set_item("crew", &pool.host().hooks().crew)?;
        Ok(numbers)
    });
    pools.collect()
}

/// Closes every pool and waits until their workers have ended, but for a daemon's; Ctrl-C ends the wait.
#[pyfunction]
pub(super) fn _drain(py: Python<'_>) -> PyResult<()> {
    let pools: Vec<Arc<Core>> = {
        let mut registry = lock();
        registry.closed = true;
        registry.pools.iter().filter_map(Weak::upgrade).collect()
    };
    for pool in &pools {
        pool.close_at_end(py);
    }
    for pool in &pools {
        if let Err(why) = pool.wait_at_end(py)
            && let Some(error) = errors::unfinished("the end of the program", why)
        {
            return Err(error);
        }
    }
    Ok(())
}
