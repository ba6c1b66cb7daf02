//! The wait group as Python sees it: `antspy.WaitGroup` derives from this class.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicUsize, Ordering},
};

use pyo3::{
    PyTraverseError, PyVisit,
    prelude::*,
    types::{PyDict, PyTuple},
};

use super::{
    arguments::{self, Count, Timeout},
    errors, fork,
    mailbox::{Mailbox, Wait},
    pool::{Core as PoolCore, Pool},
    stack,
    task::{Call, Task, WaitGroup as Core},
};
use crate::core::sync::Mutex;

/// The base of `antspy.WaitGroup`.
#[pyclass(frozen, subclass, name = "_WaitGroup", module = "antspy._antspy")]
#[derive(Debug)]
pub(super) struct WaitGroup {
    core: Arc<Core>,
    /// Where its jobs run: the pool whose workers can help.
    pool: Mutex<Option<(u32, Weak<PoolCore>)>>,
    /// Workers that wait and would help. `SeqCst`: a worker counts itself and then looks at the queue, a
    /// submitter queues and then looks here; one of them sees the other.
    helpers: AtomicUsize,
}

impl WaitGroup {
    fn known_pool(&self) -> Option<Arc<PoolCore>> {
        let (forks, pool) = self.pool.lock().clone()?;
        (forks == fork::forks()).then(|| pool.upgrade()).flatten()
    }

    /// The pool, if this thread is one of its workers.
    fn own_pool(&self) -> Option<Arc<PoolCore>> {
        self.known_pool().filter(|pool| pool.has_this_worker())
    }

    /// The pool, if it has no workers: whoever waits runs its tasks.
    fn pool_alone(&self) -> Option<Arc<PoolCore>> {
        self.known_pool().filter(|pool| !pool.has_workers())
    }

    /// Whether there are no jobs any more.
    fn is_over(&self) -> bool {
        self.core.count() == 0
    }

    /// Remembers the pool, the first of this process.
    fn remember(&self, core: &Arc<PoolCore>) {
        let mut pool = self.pool.lock();
        let forks = fork::forks();
        if pool.as_ref().is_none_or(|(made, _)| *made != forks) {
            std::mem::forget(pool.replace((forks, Arc::downgrade(core))));
        }
    }

    /// Runs the jobs of the group that nobody has started, for a worker of their pool that would wait for them.
    fn help(&self, py: Python<'_>, pool: &Arc<PoolCore>) -> PyResult<()> {
        if self.core.count() > 0 && stack::is_low() {
            return Err(errors::too_deep());
        }
        self.run_own(py, pool);
        Ok(())
    }

    fn run_own(&self, py: Python<'_>, pool: &Arc<PoolCore>) {
        let is_own = |task: &Task| task.is_of(&self.core);
        while self.core.count() > 0 && pool.run_queued(is_own, py) {}
    }

    fn add_to(&self, n: i64) -> PyResult<()> {
        self.core.add(n).map_err(errors::out_of_range)
    }
}

#[pymethods]
impl WaitGroup {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self {
            core: Arc::new(Core::new()),
            pool: Mutex::new(None),
            helpers: AtomicUsize::new(0),
        }
    }

    #[doc = doc!("_WaitGroup.add")]
    #[pyo3(signature = (n = Count(1)), text_signature = "($self, n=1)")]
    fn add(&self, n: Count) -> PyResult<()> {
        self.add_to(n.0)
    }

    #[doc = doc!("_WaitGroup.done")]
    fn done(&self) -> PyResult<()> {
        self.add_to(-1)
    }

    #[doc = doc!("_WaitGroup.wait")]
    #[pyo3(signature = (timeout = Timeout(None)), text_signature = "($self, timeout=None)")]
    fn wait(&self, py: Python<'_>, timeout: Timeout) -> PyResult<bool> {
        let deadline = timeout.deadline();
        if let Some(pool) = self.pool_alone() {
            return pool.step_until(|| self.is_over(), deadline.is_some(), py);
        }
        let Some(pool) = self.own_pool() else {
            return self.core.wait(py, deadline, || ());
        };
        // A worker: jobs that nobody has started may have nobody else to run them.
        self.helpers.fetch_add(1, Ordering::SeqCst);
        let waited = self.help(py, &pool).and_then(|()| {
            let help = || self.run_own(py, &pool);
            self.core.wait(py, deadline, help)
        });
        self.helpers.fetch_sub(1, Ordering::SeqCst);
        waited
    }

    #[doc = doc!("_WaitGroup.count")]
    #[getter]
    fn count(&self) -> u64 {
        self.core.count()
    }

    /// Says where its jobs will run: a worker may wait for the group before the first is started.
    fn _use(&self, py: Python<'_>, pool: &Bound<'_, Pool>) -> PyResult<()> {
        let core = pool.get().core(py)?;
        self.remember(core);
        Ok(())
    }

    /// `WaitGroup.go`, on the pool that the Python class found.
    #[pyo3(signature = (pool, r#fn, /, *args, **kwargs))]
    fn _go(
        &self,
        py: Python<'_>,
        pool: &Bound<'_, Pool>,
        r#fn: Bound<'_, PyAny>,
        args: Bound<'_, PyTuple>,
        kwargs: Option<Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        arguments::callable("fn", &r#fn)?;
        let core = pool.get().core(py)?;
        let call = Call::new(Some(r#fn.unbind()), args, kwargs)?;
        let group = Some(self.core.clone());
        self.add_to(1)?;
        // Before the job can be seen: a worker that waits for it must know where it is.
        self.remember(core);
        let pool = pool.get();
        let accepted = pool.go(py, call, group, None);
        if accepted.is_err() {
            self.add_to(-1)?;
            return accepted;
        }
        if self.helpers.load(Ordering::SeqCst) > 0 {
            self.core.nudge();
        }
        Ok(())
    }

    /// Has a coroutine told when the count reaches zero, by `told`, a future of its loop. `None`: it is zero now.
    fn _join(&self, mailbox: &Bound<'_, Mailbox>, told: Py<PyAny>) -> PyResult<Option<Wait>> {
        if let Some(pool) = self.pool_alone() {
            pool.step_until(|| self.is_over(), true, mailbox.py())?;
        }
        let wait = Wait::new(mailbox, told, self.own_pool().is_some());
        Ok(self.core.join(wait.waiter()).then_some(wait))
    }

    /// A coroutine waits no more.
    fn _leave(&self, wait: &Bound<'_, Wait>) {
        self.core.leave(wait.get().waiter());
        wait.get().forget();
    }

    /// In a loop that a worker runs: jobs that nobody has started may have nobody else to run them. Returns whether
    /// to look again.
    fn _help(&self, py: Python<'_>) -> PyResult<bool> {
        if let Some(pool) = self.own_pool().filter(|pool| !pool.has_others()) {
            self.help(py, &pool)?;
        }
        Ok(self.core.count() > 0)
    }

    /// Jobs hold the core, and will tell those who wait: as long as there are any, they are alive.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if Arc::strong_count(&self.core) > 1 {
            return Ok(());
        }
        for bell in self
            .core
            .waiters()
            .iter()
            .filter_map(|it| it.parker().bell())
        {
            bell.traverse(&visit)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        for waiter in self.core.waiters() {
            if let Some(bell) = waiter.parker().bell() {
                bell.forget();
            }
        }
    }
}
