//! Python as the host of the core: how a worker's thread enters it, and how it lets go of it.

use std::{
    cell::RefCell,
    mem::ManuallyDrop,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use pyo3::{
    exceptions::PyRuntimeError,
    prelude::*,
    types::{PyDict, PySet, PyString, PyTuple},
};

use super::{
    ctrl_c, errors, fork, interpreter, interrupt,
    parker::Parker,
    running_loop,
    seat::{self, Seat},
    stack, switch_interval,
    task::{Name, Task},
};
use crate::core;

/// How long a worker waits for a task of its own pool before it looks again whether it must run it itself.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The Python objects that a pool was made with.
#[derive(Debug)]
pub(super) struct Hooks {
    /// What `invoke` calls.
    pub(super) function: Option<Py<PyAny>>,
    pub(super) exception_handler: Option<Py<PyAny>>,
    pub(super) initializer: Option<Py<PyAny>>,
    pub(super) initargs: Py<PyTuple>,
    pub(super) finalizer: Option<Py<PyAny>>,
    /// Whether the pool stands in for the standard library's.
    pub(super) stands_in: bool,
    /// The workers' threads: `antspy.worker.Crew`.
    pub(super) crew: Py<PySet>,
    /// What runs the tasks of a pool without workers, for somebody who waits; see `antspy.testing`.
    pub(super) driver: Option<Py<PyAny>>,
    /// What makes the calls of the tasks elsewhere: `via(fn, args, kwargs, name)`; see `antspy.dask`.
    pub(super) via: Option<Py<PyAny>>,
}

impl Hooks {
    /// Calls `function(*args, **kwargs)`: here, or via what makes the pool's calls elsewhere. Makes no object for that:
    /// a garbage collection would be as open to interrupts as the task is.
    #[inline]
    pub(super) fn call<'py>(
        &self,
        py: Python<'py>,
        function: &Py<PyAny>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Py<PyDict>>,
        name: Option<&Name>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match (&self.via, name) {
            (None, None) => seat::doing(py, function, || {
                interpreter::call(py, function, args, kwargs)
            }),
            (None, Some(name)) => seat::doing(py, name.text.as_any(), || {
                name.call(py, function, args, kwargs)
            }),
            (Some(via), name) => {
                let what = name.map_or(function, |name| name.text.as_any());
                let none = py.None();
                let kwargs = kwargs.map_or(none.as_ptr(), Py::as_ptr);
                let name = name.map_or(none.as_ptr(), |name| name.text.as_ptr());
                let items = [function.as_ptr(), args.as_ptr(), kwargs, name];
                seat::doing(py, what, || {
                    // SAFETY: borrowed from live references.
                    unsafe { interpreter::call_items(py, via, &items, None) }
                })
            }
        }
    }

    /// Whether what a future raised that nobody has looked at is reported. In the standard library it is not, so
    /// where the pool stands in for that, only to a handler of its own.
    pub(super) fn reports_unseen(&self) -> bool {
        !self.stands_in || self.exception_handler.is_some()
    }

    /// Nobody can ask for the workers' threads any more: those that have ended need not stay for the last of them.
    pub(super) fn forget_crew(&self, py: Python<'_>) {
        self.crew.bind(py).clear();
    }
}

/// A pool's host. Its last owner may be a worker that has left the interpreter, so the hooks are dropped
/// by hand.
#[derive(Debug)]
pub(super) struct Host {
    hooks: ManuallyDrop<Hooks>,
    /// How many nanoseconds the pool's clock is ahead of the machine's: for tests. `Relaxed`: whoever changes
    /// it then wakes all who sleep by it.
    ahead: AtomicU64,
    /// In a pool without workers the clock stands still, but for that: since when.
    origin: Option<Instant>,
}

impl Host {
    pub(super) fn new(hooks: Hooks) -> Self {
        Self {
            origin: hooks.driver.is_some().then(Instant::now),
            hooks: ManuallyDrop::new(hooks),
            ahead: AtomicU64::new(0),
        }
    }

    /// Lets time pass.
    pub(super) fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.ahead.fetch_add(nanos, Ordering::Relaxed);
    }

    pub(super) fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    /// An exception that nobody waits for goes to the pool's handler. Nothing leaves this function.
    pub(super) fn handle(&self, py: Python<'_>, error: PyErr, name: Option<&Py<PyString>>) {
        let handler = self.hooks.exception_handler.as_ref();
        errors::handle(py, handler, error.into_value(py), name);
    }

    /// Makes a worker's state: what the initializer returns.
    fn initialize(&self, py: Python<'_>) -> Result<Py<PyAny>, core::Fault> {
        let Some(initializer) = &self.hooks.initializer else {
            return Ok(py.None());
        };
        let initargs = self.hooks.initargs.bind(py);
        match interpreter::call(py, initializer, initargs, None) {
            Ok(state) => Ok(state.unbind()),
            Err(error) => {
                let text = format!("the initializer raised {error}");
                errors::log_initializer(py, error);
                Err(core::Fault(text.into()))
            }
        }
    }
}

impl Host {
    /// Gives the state of a worker that leaves to the finalizer.
    fn finalize(&self, py: Python<'_>, state: Py<PyAny>) {
        let Some(finalizer) = &self.hooks.finalizer else {
            return;
        };
        let called = PyTuple::new(py, [state])
            .and_then(|args| interpreter::call(py, finalizer, &args, None).map(drop));
        if let Err(error) = called {
            errors::log_finalizer(py, error);
        }
    }
}

thread_local! {
    /// What this worker's initializer returned. Taken out before the thread leaves the interpreter.
    static STATE: RefCell<Option<Py<PyAny>>> = const { RefCell::new(None) };
}

#[doc = doc!("worker_state")]
#[pyfunction]
pub(super) fn worker_state(py: Python<'_>) -> PyResult<Py<PyAny>> {
    let state = STATE.with_borrow(|state| state.as_ref().map(|it| it.clone_ref(py)));
    state.ok_or_else(|| PyRuntimeError::new_err("worker_state() was not called in a pool's worker"))
}

impl Drop for Host {
    fn drop(&mut self) {
        // SAFETY: not used again. If the interpreter is gone, so are the objects: they are left alone.
        let hooks = unsafe { ManuallyDrop::take(&mut self.hooks) };
        let mut hooks = Some(hooks);
        interpreter::attach(|_| drop(hooks.take()));
        std::mem::forget(hooks);
    }
}

impl core::Host for Host {
    type Task = Task;
    type Parker = Parker;
    type Scope<'s> = Python<'s>;
    type Interrupt = PyErr;

    fn enter(&self, worker: &str, body: impl FnOnce(Python<'_>)) {
        // Once for the thread's whole life: a thread state made for each task would end
        // `threading.local` with it.
        switch_interval::come();
        attach(Some(&self.hooks.crew), |py| {
            switch_interval::adapt(py);
            let seat = register(py, worker, &self.hooks.crew);
            let seat = seat.map_err(|error| errors::report(py, Err(error))).ok();
            set_system_name(worker);
            errors::report(py, install_hooks(py));
            seat::taken(seat.as_ref(), || body(py));
            if let Some(state) = STATE.take() {
                self.finalize(py, state);
            }
        });
    }

    fn prepare(&self, py: Python<'_>) -> Result<(), core::Fault> {
        let state = self.initialize(py)?;
        STATE.set(Some(state));
        Ok(())
    }

    fn has_initializer(&self) -> bool {
        self.hooks.initializer.is_some()
    }

    fn visit(&self, body: impl FnOnce(Python<'_>)) {
        // Callbacks may ask `threading` for this thread, which is known there for no longer.
        attach(None, |py| {
            errors::report(py, install_hooks(py));
            body(py);
        });
    }

    fn nest<R>(py: Python<'_>, body: impl FnOnce() -> R) -> R {
        // Interrupts of the task in whose midst it runs wait first: what comes then is Python code.
        let result = interrupt::nest(py, || running_loop::out_of_sight(py, body));
        ctrl_c::pass_on(py);
        result
    }

    fn can_nest(_py: Python<'_>) -> bool {
        !stack::is_low()
    }

    fn now(&self) -> Instant {
        self.origin.unwrap_or_else(Instant::now)
            + Duration::from_nanos(self.ahead.load(Ordering::Relaxed))
    }

    fn skip_to(&self, time: Instant) -> bool {
        if self.origin.is_some() {
            self.advance(time.saturating_duration_since(self.now()));
        }
        self.origin.is_some()
    }

    fn step(&self, timed: bool, py: Python<'_>) -> PyResult<bool> {
        match &self.hooks.driver {
            Some(driver) => driver.call1(py, (timed,))?.extract(py),
            None => Ok(false),
        }
    }

    fn alarm(&self, deadline: Instant) -> Instant {
        let ahead = Duration::from_nanos(self.ahead.load(Ordering::Relaxed));
        deadline.checked_sub(ahead).unwrap_or(deadline)
    }

    fn block<R>(py: Python<'_>, wait: impl FnOnce() -> R) -> R {
        interpreter::detached(py, wait)
    }

    fn is_free() -> bool {
        interpreter::is_free()
    }

    fn rest<R>(py: Python<'_>, wait: impl FnOnce() -> R) -> R {
        switch_interval::go(py);
        let result = Self::block(py, || {
            let result = wait();
            switch_interval::come();
            result
        });
        switch_interval::adapt(py);
        result
    }

    fn give_way(py: Python<'_>) {
        // Only the evaluation of bytecode hands the interpreter over to those who wait for it. No interrupt can be
        // pending here: the task has ended.
        errors::report(py, interpreter::checkpoint(py));
    }

    fn interrupted(py: Python<'_>) -> PyResult<()> {
        py.check_signals()
    }
}

/// Runs `body` attached, and has `threading` forget the thread, and its crew.
///
/// That comes after the end of the thread state, and with it of `threading.local`: what ends there may ask
/// for the current thread (to log, say), finds this one, and does not leave another one in its place.
fn attach(crew: Option<&Py<PySet>>, body: impl FnOnce(Python<'_>)) {
    let forks = fork::forks();
    interpreter::attach(body);
    // In a child that a task has forked this is the only thread, and ends the process. Up to 3.12 the interpreter
    // does not get over the end of its last thread state.
    if fork::forks() == forks {
        interpreter::attach(|py| {
            errors::report(py, unregister(py, crew));
            if crew.is_some() {
                switch_interval::go(py);
            }
        });
    }
}

/// Installs what debuggers, profilers and coverage have set for all threads.
///
/// From here and not from Python code: a debugger that has put a function of its own in the place of
/// `sys.settrace` warns of Python code that calls it.
fn install_hooks(py: Python<'_>) -> PyResult<()> {
    let threading = py.import("threading")?;
    for (get, set) in [("getprofile", "setprofile"), ("gettrace", "settrace")] {
        let hook = threading.call_method0(get)?;
        if !hook.is_none() {
            let set = py.import("sys")?.getattr(set)?.unbind();
            interpreter::call(py, &set, &PyTuple::new(py, [hook])?, None)?;
        }
    }
    Ok(())
}

/// Makes the thread known to `threading` by its name, and returns its seat.
fn register<'py>(py: Python<'py>, name: &str, crew: &Py<PySet>) -> PyResult<Bound<'py, Seat>> {
    let register = worker_module(py)?.getattr("register")?.unbind();
    let seat = Bound::new(py, Seat::default())?;
    let args = (name, crew, &seat).into_pyobject(py)?;
    interpreter::call(py, &register, &args, None)?;
    Ok(seat)
}

fn unregister(py: Python<'_>, crew: Option<&Py<PySet>>) -> PyResult<()> {
    let unregister = worker_module(py)?.getattr("unregister")?.unbind();
    interpreter::call(py, &unregister, &(crew,).into_pyobject(py)?, None).map(drop)
}

/// An empty `antspy.worker.Crew`.
pub(super) fn crew(py: Python<'_>, daemon: bool) -> PyResult<Py<PySet>> {
    let crew = worker_module(py)?.getattr("Crew")?.call1((daemon,))?;
    Ok(crew.cast_into::<PySet>()?.unbind())
}

fn worker_module(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("antspy.worker")
}

/// From 3.14 on `CPython` has told the system the name as well, and cut it where the system's room ends: through
/// a character, or the number. So the system is told again what the core has told it.
#[cfg(all(Py_3_14, target_os = "linux"))]
fn set_system_name(name: &str) {
    let Ok(name) = std::ffi::CString::new(&*core::system_name(name)) else {
        return;
    };
    // SAFETY: a string of at most 15 bytes and its end, which is copied.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
}

#[cfg(not(all(Py_3_14, target_os = "linux")))]
fn set_system_name(_name: &str) {}

/// What a thread says that would wait for itself.
pub(super) fn waits_for_itself(what: &str) -> PyErr {
    PyRuntimeError::new_err(format!(
        "{what} was called by a task of the same pool: it would wait for itself"
    ))
}
