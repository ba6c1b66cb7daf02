//! A sub-pool's places. A forked child makes them anew, as it does the pool: the core's are left alone there.

use std::sync::Arc;

use pyo3::prelude::*;

use super::{fork, host::Host, pool::Core};
use crate::core::{self, sync::Mutex};

/// The places in the core.
pub(super) type Quota = core::Quota<Host>;

#[derive(Debug)]
struct Made {
    quota: Arc<Quota>,
    forks: u32,
    places: usize,
}

/// Shared by a sub-pool and the views of it.
#[derive(Debug)]
pub(super) struct Places {
    /// Held by threads that are attached and do nothing else meanwhile, so no fork finds it locked.
    made: Mutex<Made>,
}

impl Places {
    pub(super) fn new(core: &Core, places: usize) -> Arc<Self> {
        let made = Mutex::new(Made {
            quota: core.quota(places),
            forks: fork::forks(),
            places,
        });
        Arc::new(Self { made })
    }

    /// The places of this process; `core` is the pool's of this process.
    pub(super) fn quota(&self, core: &Core) -> Arc<Quota> {
        let mut made = self.made.lock();
        if made.forks != fork::forks() {
            let quota = core.quota(made.places);
            std::mem::forget(std::mem::replace(&mut made.quota, quota));
            made.forks = fork::forks();
        }
        made.quota.clone()
    }

    pub(super) fn tune(&self, core: &Core, places: usize) {
        self.quota(core).tune(places);
        self.made.lock().places = places;
    }

    /// Waits until all tasks of the sub-pool are done. `None`: a task of the pool would wait for itself.
    pub(super) fn wait(
        &self,
        py: Python<'_>,
        core: &Core,
        deadline: Option<std::time::Instant>,
    ) -> Option<PyResult<bool>> {
        let quota = self.quota(core);
        let wait = || {
            if core.has_workers() {
                quota.wait(py, deadline)
            } else {
                core.step_until(|| quota.is_quiet(), deadline.is_some(), py)
            }
        };
        (!core.has_this_worker() || quota.is_quiet()).then(wait)
    }
}
