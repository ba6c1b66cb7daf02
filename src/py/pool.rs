//! The pool as Python sees it: `antspy.Pool` and `antspy.PoolWithFunc` derive from this class.

use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, Instant},
};

use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyBaseException, PyRuntimeError, PyTimeoutError},
    prelude::*,
    types::{PyDict, PySet, PyTuple},
};

use super::{
    adaptive::Capacity,
    arguments::{self, Timeout},
    drain, errors,
    fork::Slot,
    future::{Future, Work},
    host::{Hooks, Host, crew, waits_for_itself},
    mailbox::{Mailbox, Wait},
    order::Order,
    stats,
    subpool::Quota,
    task::{Call, Draft, Task, WaitGroup},
};
use crate::core::{
    self, Adaptive, Config, Entrance, Host as _, Overflow, Refusal, Refused, Staff, Stats,
    Task as _, Terms, Unfinished,
};

/// The core that runs Python tasks.
pub(super) type Core = core::Pool<Host>;

/// The base of `antspy.Pool`.
#[pyclass(frozen, subclass, name = "_Pool", module = "antspy._antspy")]
#[derive(Default)]
pub struct Pool {
    slot: Slot,
}

impl Pool {
    #[inline]
    pub(super) fn core(&self, py: Python<'_>) -> PyResult<&Arc<Core>> {
        let core = self.slot.get(py, |inherited| {
            let hooks = inherited
                .host()
                .hooks()
                .renew(py, inherited.config().daemon)?;
            let outline = inherited.outline();
            let core = open(py, Host::new(hooks), inherited.config().clone())?;
            core.become_like(outline, py)
                .map_err(|why| errors::invalid(&why))?;
            Ok(core)
        })?;
        core.ok_or_else(|| PyRuntimeError::new_err("the pool's __init__() has not been called"))
    }

    pub(super) fn holds_function(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.core(py)?.host().hooks().function.is_some())
    }

    fn stats(&self, py: Python<'_>) -> PyResult<Stats> {
        Ok(self.core(py)?.stats())
    }

    /// Hands in a call whose result nobody waits for.
    #[inline]
    pub(super) fn go(
        &self,
        py: Python<'_>,
        call: Call,
        group: Option<Arc<WaitGroup>>,
        order: Option<&Order>,
    ) -> PyResult<()> {
        let core = self.core(py)?;
        let Some(order) = order else {
            return submit(py, core, Task::Go { call, group }, &Terms::default());
        };
        submit_by(py, core, order, None, call, |call| {
            Ok(Task::Go { call, group })
        })
    }

    /// Hands in a call and makes the future for its result.
    #[inline]
    pub(super) fn submit<'py>(
        &self,
        py: Python<'py>,
        call: Call,
        order: Option<&Order>,
    ) -> PyResult<Bound<'py, Future>> {
        let core = self.core(py)?;
        let pool = core.clone();
        let Some(order) = order else {
            let future = Future::pending(py, Work { call, pool })?;
            let task = Task::Submit(future.clone().unbind());
            submit(py, core, task, &Terms::default())?;
            return Ok(future);
        };
        let mut made = None;
        submit_by(py, core, order, None, call, |call| {
            let future = Future::pending(py, Work { call, pool })?;
            let task = Task::Submit(future.clone().unbind());
            made = Some(future);
            Ok(task)
        })?;
        made.ok_or_else(|| PyRuntimeError::new_err("a task without a future"))
    }
}

#[allow(clippy::inline_always, reason = "the path of every task")]
#[inline(always)]
pub(super) fn submit(py: Python<'_>, core: &Arc<Core>, task: Task, terms: &Terms) -> PyResult<()> {
    core.submit(task, terms, py)
        .map_err(|refused| not_accepted(py, core, *refused))
}

/// Hands in a task as a view says; it is made of its draft once it has its place in the sub-pool. `until`: how long
/// to wait for a place, if that is not for the view to say.
pub(super) fn submit_by<D: Draft>(
    py: Python<'_>,
    core: &Arc<Core>,
    order: &Order,
    until: Option<Instant>,
    mut draft: D,
    make: impl FnOnce(D) -> PyResult<Task>,
) -> PyResult<()> {
    let mut terms = order.apply(py, draft.extras(), core.host().now());
    terms.timeout = until.or(terms.timeout);
    let entrance = match order.quota(core) {
        None => None,
        Some(quota) => {
            let entered = core.enter(&quota, &terms, py);
            Some(entered.map_err(|why| not_entered(py, core, &quota, why))?)
        }
    };
    match enter(py, core, entrance, draft, make)? {
        Some(task) => submit(py, core, task, &terms),
        None => Ok(()),
    }
}

/// What became of a draft at the entrance of a sub-pool. `None`: it is over; else the task goes to the pool.
pub(super) fn enter<D: Draft>(
    py: Python<'_>,
    core: &Arc<Core>,
    entrance: Option<Entrance<Host>>,
    mut draft: D,
    make: impl FnOnce(D) -> PyResult<Task>,
) -> PyResult<Option<Task>> {
    match entrance {
        Some(Entrance::Here) => core.run_here(make(draft)?, py),
        Some(Entrance::Discarded) => core.drop_task(make(draft)?, py),
        Some(Entrance::Admitted(guard)) => {
            draft.extras().get_or_insert_default().guard = Some(guard);
            return make(draft).map(Some);
        }
        None => return make(draft).map(Some),
    }
    Ok(None)
}

/// A sub-pool has refused a call.
pub(super) fn not_entered(
    py: Python<'_>,
    core: &Core,
    quota: &Quota,
    why: Refusal<PyErr>,
) -> PyErr {
    core.count_refusal();
    errors::refused(py, why, Some(quota.numbers().0), core.host().hooks())
}

/// The pool has refused a task.
pub(super) fn not_accepted(py: Python<'_>, core: &Core, refused: Refused<Host>) -> PyErr {
    let Refused { task, why } = refused;
    drop(task);
    errors::refused(py, why, core.stats().capacity, core.host().hooks())
}

fn open(py: Python<'_>, host: Host, config: Config) -> PyResult<Arc<Core>> {
    let core =
        Core::new(host, config, py).map_err(|error| errors::no_thread(&error.to_string()))?;
    drain::register(py, &core);
    Ok(core)
}

impl Hooks {
    /// The same for a pool whose threads are not these.
    fn renew(&self, py: Python<'_>, daemon: bool) -> PyResult<Self> {
        let clone = |hook: &Option<Py<PyAny>>| hook.as_ref().map(|hook| hook.clone_ref(py));
        Ok(Self {
            function: clone(&self.function),
            exception_handler: clone(&self.exception_handler),
            initializer: clone(&self.initializer),
            initargs: self.initargs.clone_ref(py),
            finalizer: clone(&self.finalizer),
            stands_in: self.stands_in,
            crew: crew(py, daemon)?,
            driver: clone(&self.driver),
            via: clone(&self.via),
        })
    }
}

#[pymethods]
impl Pool {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self::default()
    }

    /// What `__init__` calls: the settings, for a `PoolWithFunc` its function, and whether the pool stands in
    /// for the standard library's.
    #[allow(clippy::too_many_arguments, reason = "the settings of a pool")]
    #[pyo3(signature = (capacity, *, queue_size, overflow, max_blocking, expiry, min_workers, prealloc,
                        daemon, rate, exception_handler, initializer, initargs, finalizer, thread_name_prefix,
                        stack_size, function, stands_in = false, driver = None, inline = false, via = None))]
    fn _open(
        &self,
        py: Python<'_>,
        capacity: &Bound<'_, PyAny>,
        queue_size: &Bound<'_, PyAny>,
        overflow: &Bound<'_, PyAny>,
        max_blocking: &Bound<'_, PyAny>,
        expiry: &Bound<'_, PyAny>,
        min_workers: &Bound<'_, PyAny>,
        prealloc: &Bound<'_, PyAny>,
        daemon: &Bound<'_, PyAny>,
        rate: &Bound<'_, PyAny>,
        exception_handler: &Bound<'_, PyAny>,
        initializer: &Bound<'_, PyAny>,
        initargs: &Bound<'_, PyAny>,
        finalizer: &Bound<'_, PyAny>,
        thread_name_prefix: String,
        stack_size: Option<usize>,
        function: &Bound<'_, PyAny>,
        stands_in: bool,
        driver: Option<Py<PyAny>>,
        inline: bool,
        via: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let daemon = arguments::flag("daemon", daemon)?;
        let hooks = Hooks {
            function: arguments::hook("fn", function)?,
            exception_handler: arguments::hook("exception_handler", exception_handler)?,
            initializer: arguments::hook("initializer", initializer)?,
            initargs: arguments::tuple("initargs", initargs)?.unbind(),
            finalizer: arguments::hook("finalizer", finalizer)?,
            stands_in,
            crew: crew(py, daemon)?,
            driver,
            via,
        };
        let staff = match (&hooks.driver, inline) {
            (None, _) => Staff::Workers,
            (Some(_), true) => Staff::Submitters,
            (Some(_), false) => Staff::Waiters,
        };
        let capacity = Capacity::of(capacity)?;
        let config = capacity.within(Config {
            queue_size: arguments::limit("queue_size", queue_size, 0)?,
            overflow: arguments::overflow(overflow)?,
            max_blocking: arguments::limit("max_blocking", max_blocking, 0)?,
            expiry: arguments::expiry(expiry)?,
            min_workers: arguments::count("min_workers", min_workers, 0, "")?,
            prealloc: arguments::flag("prealloc", prealloc)?,
            daemon,
            rate: arguments::rate(rate)?,
            thread_name_prefix,
            stack_size,
            staff,
            ..Config::default()
        });
        config.check().map_err(|why| errors::invalid(&why))?;
        if self.slot.peek().is_some() {
            return Err(PyRuntimeError::new_err(
                "the pool's __init__() was called twice",
            ));
        }
        let core = open(py, Host::new(hooks), config)?;
        if !self.slot.set(py, core) {
            return Err(PyRuntimeError::new_err(
                "the pool's __init__() was called twice",
            ));
        }
        Ok(())
    }

    #[doc = doc!("_Pool.tune")]
    fn tune(&self, py: Python<'_>, capacity: &Bound<'_, PyAny>) -> PyResult<()> {
        let core = self.core(py)?;
        let tuned = match Capacity::of(capacity)? {
            Capacity::Fixed(capacity) => core.tune(capacity, py),
            Capacity::Adaptive(bounds) => core.adapt(bounds, py),
        };
        tuned.map_err(|why| errors::invalid(&why))
    }

    #[doc = doc!("_Pool.wait")]
    #[pyo3(signature = (timeout = Timeout(None)), text_signature = "($self, timeout=None)")]
    fn wait(&self, py: Python<'_>, timeout: Timeout) -> PyResult<bool> {
        in_time("wait()", self.core(py)?.wait(py, timeout.deadline()))
    }

    #[doc = doc!("_Pool.release")]
    #[pyo3(signature = (timeout = Timeout(Some(Duration::ZERO))), text_signature = "($self, timeout=0)")]
    fn release(&self, py: Python<'_>, timeout: Timeout) -> PyResult<()> {
        let core = self.core(py)?;
        core.close(py);
        if timeout.0 == Some(Duration::ZERO)
            || in_time("release()", core.wait_gone(py, timeout.deadline()))?
        {
            return Ok(());
        }
        let message = format!(
            "the pool still has {} workers after {timeout:?}; release() may be called again",
            core.stats().running
        );
        Err(PyTimeoutError::new_err(message))
    }

    /// Has a coroutine told when all workers are gone, by `told`, a future of its loop. `None`: they are.
    fn _join(&self, mailbox: &Bound<'_, Mailbox>, told: Py<PyAny>) -> PyResult<Option<Wait>> {
        let core = self.core(mailbox.py())?;
        if core.has_this_worker() {
            return Err(waits_for_itself("arelease()"));
        }
        let wait = Wait::new(mailbox, told, false);
        Ok(core.join_gone(wait.waiter()).then_some(wait))
    }

    /// A coroutine waits no more.
    fn _leave(&self, py: Python<'_>, wait: &Bound<'_, Wait>) -> PyResult<()> {
        self.core(py)?.leave_joiners(wait.get().waiter());
        wait.get().forget();
        Ok(())
    }

    /// The workers have said that they are done: has their threads really gone. On a pool that has been opened again
    /// since nothing happens.
    fn _see_off(&self, py: Python<'_>) -> PyResult<()> {
        let seen_off = self.core(py)?.wait_gone(py, Some(Instant::now()));
        in_time("arelease()", seen_off).map(drop)
    }

    #[doc = doc!("_Pool.reboot")]
    fn reboot(&self, py: Python<'_>) -> PyResult<()> {
        match self.core(py)?.reboot(py) {
            Ok(started) => started.map_err(|error| errors::no_thread(&error.to_string())),
            Err(why) => in_time("reboot()", Err(why)).map(drop),
        }
    }

    #[doc = doc!("_Pool.shutdown")]
    #[pyo3(signature = (wait = true, *, cancel_futures = false))]
    fn shutdown(&self, py: Python<'_>, wait: bool, cancel_futures: bool) -> PyResult<()> {
        let core = self.core(py)?;
        if cancel_futures {
            core.close_and_cancel(py);
        } else {
            core.close(py);
        }
        if wait {
            in_time("shutdown()", core.wait_gone(py, None))?;
        }
        Ok(())
    }

    #[doc = doc!("_Pool.pause")]
    fn pause(&self, py: Python<'_>) -> PyResult<()> {
        self.core(py)?.pause();
        Ok(())
    }

    #[doc = doc!("_Pool.resume")]
    fn resume(&self, py: Python<'_>) -> PyResult<()> {
        self.core(py)?.resume(py);
        Ok(())
    }

    /// All numbers of `Pool.stats`, by name.
    fn _stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        stats::numbers(py, self.core(py)?)
    }

    /// Lets time pass for the pool: for tests.
    fn _advance_clock(&self, py: Python<'_>, seconds: f64) -> PyResult<()> {
        let core = self.core(py)?;
        core.host().advance(Duration::from_secs_f64(seconds));
        core.look_at_clock();
        Ok(())
    }

    /// Runs the queued task of this number, by lane and then in order, in a pool without workers. `false`: there is
    /// none.
    fn _run_queued(&self, py: Python<'_>, number: usize) -> PyResult<bool> {
        let before = Cell::new(0);
        let wanted = |task: &Task| {
            if task.is_cancelled() {
                return false;
            }
            before.replace(before.get() + 1) == number
        };
        Ok(self.core(py)?.run_queued(wanted, py))
    }

    /// Ends the tasks whose deadline has passed, in a pool without workers.
    fn _end_late(&self, py: Python<'_>) -> PyResult<()> {
        self.core(py)?.end_late(py);
        Ok(())
    }

    #[doc = doc!("_Pool.paused")]
    #[getter]
    fn paused(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.stats(py)?.paused)
    }

    /// Its workers' threads.
    #[getter]
    fn _crew(&self, py: Python<'_>) -> PyResult<Py<PySet>> {
        Ok(self.core(py)?.host().hooks().crew.clone_ref(py))
    }

    /// What its workers' names begin with, which is the pool's own name where several are shown.
    #[getter]
    fn _name(&self, py: Python<'_>) -> PyResult<&str> {
        Ok(&self.core(py)?.config().thread_name_prefix)
    }

    /// Waits until as many workers have come as the queue asks for; `False` if that takes longer.
    fn _settle(&self, py: Python<'_>, timeout: Timeout) -> PyResult<bool> {
        in_time("_settle()", self.core(py)?.settle(py, timeout.deadline()))
    }

    /// What its futures and later submits raise, if an initializer has failed; else `None`.
    fn _fault<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBaseException>>> {
        let fault = self.core(py)?.fault();
        Ok(fault.map(|fault| errors::broken(py, &fault.0).into_value(py).into_bound(py)))
    }

    /// Tasks accepted and unfinished: what `MultiPool` compares.
    #[getter]
    fn _in_flight(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.stats(py)?.in_flight)
    }

    #[doc = doc!("_Pool.capacity")]
    #[getter]
    fn capacity(&self, py: Python<'_>) -> PyResult<Option<usize>> {
        Ok(self.stats(py)?.capacity)
    }

    #[doc = doc!("_Pool.running")]
    #[getter]
    fn running(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.stats(py)?.running)
    }

    #[doc = doc!("_Pool.free")]
    #[getter]
    fn free(&self, py: Python<'_>) -> PyResult<Option<usize>> {
        Ok(self.stats(py)?.free())
    }

    #[doc = doc!("_Pool.waiting")]
    #[getter]
    fn waiting(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.stats(py)?.waiting)
    }

    #[doc = doc!("_Pool.busy")]
    #[getter]
    fn busy(&self, py: Python<'_>) -> PyResult<usize> {
        let stats = self.stats(py)?;
        Ok(stats.running - stats.idle)
    }

    #[doc = doc!("_Pool.idle")]
    #[getter]
    fn idle(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.stats(py)?.idle)
    }

    #[doc = doc!("_Pool.queued")]
    #[getter]
    fn queued(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.stats(py)?.queued)
    }

    #[doc = doc!("_Pool.closed")]
    #[getter]
    fn closed(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.stats(py)?.closed)
    }

    /// How many tasks may be in flight: what `map` looks ahead by default. `None`: no limit.
    #[getter]
    fn _places(&self, py: Python<'_>) -> PyResult<Option<usize>> {
        let core = self.core(py)?;
        // It may become as many: what looks less far ahead would never ask for more. Where it does not wait for a
        // place, as many as there always are.
        let waits = core.config().overflow == Overflow::Block;
        let most = |bounds: Adaptive| {
            if waits {
                bounds.maximum
            } else {
                bounds.minimum
            }
        };
        let adaptive = core.outline().adaptive.map(most);
        let capacity = adaptive.or_else(|| core.stats().capacity);
        Ok(capacity.and_then(|capacity| capacity.checked_add(core.config().queue_size)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // While tasks are in flight the hooks may be called at any moment: they are alive.
        let Some(core) = self.slot.peek().filter(|core| core.is_quiet()) else {
            return Ok(());
        };
        let hooks = core.host().hooks();
        visit.call(&hooks.function)?;
        visit.call(&hooks.exception_handler)?;
        visit.call(&hooks.initializer)?;
        visit.call(&hooks.initargs)?;
        visit.call(&hooks.finalizer)?;
        visit.call(&hooks.driver)?;
        visit.call(&hooks.via)?;
        visit.call(&hooks.crew)
    }
}

/// Whether a wait came to its end in time.
fn in_time(what: &str, waited: Result<(), Unfinished<PyErr>>) -> PyResult<bool> {
    match waited {
        Ok(()) => Ok(true),
        Err(why) => errors::unfinished(what, why).map_or(Ok(false), Err),
    }
}
