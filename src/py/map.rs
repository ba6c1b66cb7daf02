//! `map`: takes items, submits a task for each, and gives their results in order.
//!
//! No future is made. An item's task puts its result into a ring ([`ring.rs`](super::ring)), from where whoever
//! iterates takes all that is there at once.

use std::{collections::VecDeque, mem, sync::Arc, time::Instant};

use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyRuntimeError, PyStopIteration, PyTimeoutError, PyValueError},
    ffi,
    prelude::*,
    types::{PyTuple, PyWeakrefMethods, PyWeakrefReference},
};

use super::{
    arguments, errors, fork,
    host::LOOK_AGAIN,
    interpreter,
    item::Item,
    order::{Order, View},
    pool::{self, Core, Pool},
    ring::{Answer, Ring},
    stack,
    task::Task,
};
use crate::core::{Cut, Host as _, Terms};

/// So often signals are handled, and the interpreter is handed over to those who have asked for it: in steps.
const STRIDE: u32 = 64;

/// Where the tasks go.
enum Target {
    Pool(Py<Pool>),
    View(Py<View>),
    /// A pool that the map does not keep. If nobody else does, the map ends with what has been submitted.
    Executor(Py<PyWeakrefReference>),
}

impl Target {
    fn order(&self) -> Option<&Order> {
        match self {
            Self::View(view) => Some(&view.get().order),
            Self::Pool(_) | Self::Executor(_) => None,
        }
    }

    /// The pool, unless it is gone.
    fn pool(&self, py: Python<'_>) -> PyResult<Option<Py<Pool>>> {
        match self {
            Self::Pool(pool) => Ok(Some(pool.clone_ref(py))),
            Self::View(view) => Ok(Some(view.get().pool.clone_ref(py))),
            Self::Executor(weak) => {
                let pool = weak.bind(py).upgrade_as::<Pool>()?;
                Ok(pool.map(Bound::unbind))
            }
        }
    }

    fn is_gone(&self, py: Python<'_>) -> bool {
        matches!(self, Self::Executor(weak) if weak.bind(py).upgrade().is_none())
    }
}

/// A map that has not ended.
struct Mapping {
    target: Target,
    /// `None`: it has ended, and is not asked again.
    source: Option<Py<PyAny>>,
    ring: Arc<Ring>,
    /// Taken out of the ring.
    ready: VecDeque<Answer>,
    /// How many items have been submitted, and how many results given.
    submitted: u64,
    given: u64,
    /// How many tasks to look ahead at most.
    ahead: u64,
    deadline: Option<Instant>,
    /// Whether it behaves as that of the standard library's executor.
    stands_in: bool,
    /// Whether a result has been asked for. Until then the tasks run whatever becomes of the map, as in the standard
    /// library.
    asked: bool,
    steps: u32,
    /// In which process the ring was made: see `fork.rs`.
    forks: u32,
}

impl Mapping {
    /// How far a pool that finds its capacity itself lets it look: not to the most that there may be, for results
    /// would be kept back until so many tasks have been accepted, or some refused.
    fn places_of_now(&self) -> u64 {
        let core = &self.ring.core;
        let outline = core.outline();
        if outline.adaptive.is_none() {
            return u64::MAX;
        }
        let places = outline.capacity.saturating_add(core.config().queue_size);
        u64::try_from(places).unwrap_or(u64::MAX)
    }

    /// Submits as many items as may be submitted, and `extra` more.
    fn refill(&mut self, py: Python<'_>, extra: u64) -> PyResult<()> {
        let ahead = self.ahead.min(self.places_of_now()).saturating_add(extra);
        while self.submitted - self.given < ahead
            && let Some(source) = &self.source
        {
            if self.target.is_gone(py) {
                self.source = None;
                break;
            }
            match interpreter::next(py, source)? {
                Some(item) => self.submit(item)?,
                None => self.source = None,
            }
        }
        Ok(())
    }

    fn submit(&mut self, item: Bound<'_, PyAny>) -> PyResult<()> {
        let py = item.py();
        let item = Item::new(self.ring.clone(), self.submitted, item)?;
        let core = &self.ring.core;
        if let Some(order) = self.target.order() {
            pool::submit_by(py, core, order, self.deadline, item, |item| {
                Ok(Task::Item(item))
            })?;
        } else {
            let terms = Terms {
                timeout: self.deadline,
                ..Terms::default()
            };
            pool::submit(py, core, Task::Item(item), &terms)?;
        }
        self.submitted += 1;
        self.pace(py)
    }

    /// Lets others have the interpreter who have asked for it, and signals be handled: where this is called in a loop
    /// that is written in C, nothing else would.
    #[inline]
    fn pace(&mut self, py: Python<'_>) -> PyResult<()> {
        self.steps += 1;
        if self.steps < STRIDE {
            return Ok(());
        }
        self.steps = 0;
        interpreter::checkpoint(py)
    }

    /// The next result; `None`: there is none any more.
    fn give(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.asked = true;
        self.pace(py)?;
        if self.forks != fork::forks() {
            self.renew(py)?;
        }
        if self.given == self.submitted {
            return Ok(None);
        }
        if self.stands_in {
            self.refill(py, 1)?;
        }
        let answer = match self.ready.pop_front() {
            Some(answer) => answer,
            None => self.wait(py)?,
        };
        self.given += 1;
        let result = answer.into_result(py)?;
        if !self.stands_in {
            self.refill(py, 0)?;
        }
        Ok(Some(result))
    }

    /// Sleeps until the next answer is there.
    fn wait(&mut self, py: Python<'_>) -> PyResult<Answer> {
        self.ring.collect(&mut self.ready);
        loop {
            if let Some(answer) = self.ready.pop_front() {
                return Ok(answer);
            }
            let again = self.help(py)?;
            let look = again.then(|| Instant::now() + LOOK_AGAIN);
            let until = look.into_iter().chain(self.deadline).min();
            let Some(waiter) = self.ring.line_up(&mut self.ready) else {
                continue;
            };
            let outcome = self.ring.core.wait_with(&waiter, py, until);
            self.ring.leave();
            if let Err(Cut::Interrupted(error)) = outcome {
                return Err(error);
            }
            self.ring.collect(&mut self.ready);
            if outcome.is_err() && self.ready.is_empty() && until == self.deadline {
                return Err(PyTimeoutError::new_err(()));
            }
        }
    }

    /// A worker of the same pool runs the task that it would wait for, if nobody has started it. Where the pool stands
    /// in for the standard library's, only if nobody else can: then this returns whether to look again.
    fn help(&self, py: Python<'_>) -> PyResult<bool> {
        let core = &self.ring.core;
        if !core.has_this_worker() || self.deadline.is_some_and(|it| it <= Instant::now()) {
            return Ok(false);
        }
        self.help_pool(py, core)
    }

    #[cold]
    fn help_pool(&self, py: Python<'_>, core: &Arc<Core>) -> PyResult<bool> {
        if core.host().hooks().stands_in && core.has_others() {
            return Ok(true);
        }
        if stack::is_low() {
            return Err(errors::too_deep());
        }
        let now = core.host().now();
        core.run_queued(
            |task| task.is_item(|item| item.is_due(&self.ring, self.given, now)),
            py,
        );
        Ok(false)
    }

    /// In a forked child: the tasks that had not ended are the parent's, and so is the ring, which is left alone.
    fn renew(&mut self, py: Python<'_>) -> PyResult<()> {
        let mut ready = u64::MAX;
        while ready != self.ready.len() as u64 {
            ready = self.ready.len() as u64;
            self.ring.collect(&mut self.ready);
        }
        if self.given + ready < self.submitted {
            self.ready.push_back(Answer::Inherited);
            self.submitted = self.given + ready + 1;
            self.source = None;
        }
        mem::forget(self.ring.clone());
        if let Some(pool) = self.target.pool(py)? {
            let core = pool.get().core(py)?.clone();
            self.ring = self.ring.renew(py, core, self.submitted);
        }
        self.forks = fork::forks();
        Ok(())
    }

    /// Nobody asks for results any more: what has not started will not.
    fn end(self, py: Python<'_>) {
        let Self {
            ring,
            ready,
            source,
            target,
            ..
        } = self;
        if self.forks != fork::forks() {
            mem::forget(ring);
            return;
        }
        if self.given + (ready.len() as u64) < self.submitted {
            let left = ring.close();
            if self.asked {
                let is_own = |task: &Task| task.is_item(|item| item.is_of(&ring));
                ring.core.cancel_each(is_own, py);
            }
            for answer in left {
                ring.drop_unseen(py, answer);
            }
        }
        for answer in ready {
            ring.drop_unseen(py, answer);
        }
        drop((source, target)); // at last, for an iterable may have an end of its own
    }
}

/// The results of a map, in order.
#[pyclass(name = "_Map", module = "antspy._antspy")]
pub(super) struct Map {
    /// `None`: it has ended.
    mapping: Option<Mapping>,
}

impl Map {
    fn end(&mut self, py: Python<'_>) {
        if let Some(mapping) = self.mapping.take() {
            mapping.end(py);
        }
    }

    /// As a generator it is used by one thread at a time, and not in the midst of itself.
    fn enter<'py>(slf: &Bound<'py, Self>) -> PyResult<PyRefMut<'py, Self>> {
        let busy = |_| PyValueError::new_err("map already executing");
        slf.try_borrow_mut().map_err(busy)
    }
}

#[pymethods]
impl Map {
    /// The first tasks are submitted by this call.
    #[new]
    #[pyo3(signature = (pool, r#fn, iterables, *, ahead, timeout, stands_in = false))]
    fn new(
        py: Python<'_>,
        pool: &Bound<'_, PyAny>,
        r#fn: &Bound<'_, PyAny>,
        iterables: &Bound<'_, PyTuple>,
        ahead: Option<&Bound<'_, PyAny>>,
        timeout: Option<&Bound<'_, PyAny>>,
        stands_in: bool,
    ) -> PyResult<Self> {
        arguments::callable("fn", r#fn)?;
        let deadline = arguments::lenient_timeout(timeout)?.deadline();
        let target = match pool.cast::<View>() {
            Ok(view) => Target::View(view.clone().unbind()),
            Err(_) if stands_in => Target::Executor(PyWeakrefReference::new(pool)?.unbind()),
            Err(_) => Target::Pool(pool.cast::<Pool>()?.clone().unbind()),
        };
        let Some(owner) = target.pool(py)? else {
            return Err(PyRuntimeError::new_err("the pool is gone"));
        };
        let core = owner.get().core(py)?.clone();
        let (source, unpacks) = match iterables.len() {
            1 => (iterables.get_item(0)?.try_iter()?.into_any(), false),
            _ => (zip(iterables)?, true),
        };
        let name = target.order().and_then(|order| order.name(py));
        let mut mapping = Mapping {
            target,
            source: Some(source.unbind()),
            ring: Ring::new(r#fn.clone().unbind(), unpacks, name, core, 0),
            ready: VecDeque::new(),
            submitted: 0,
            given: 0,
            // A number that is too large is no limit, either.
            ahead: ahead.map_or(u64::MAX, |it| it.extract().unwrap_or(u64::MAX)),
            deadline,
            stands_in,
            asked: false,
            steps: 0,
            forks: fork::forks(),
        };
        if let Err(error) = mapping.refill(py, 0) {
            // The standard library leaves those alone that have been submitted.
            mapping.asked = !stands_in;
            mapping.end(py);
            return Err(error);
        }
        Ok(Self {
            mapping: Some(mapping),
        })
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(slf: &Bound<'_, Self>) -> PyResult<Option<Py<PyAny>>> {
        let py = slf.py();
        let mut map = Self::enter(slf)?;
        let Some(mapping) = &mut map.mapping else {
            return Ok(None);
        };
        match mapping.give(py) {
            Ok(Some(result)) => Ok(Some(result)),
            Ok(None) => {
                map.end(py);
                Ok(None)
            }
            Err(error) => {
                map.end(py);
                Err(no_end(py, error))
            }
        }
    }

    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::enter(slf)?.end(slf.py());
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Some(mapping) = &self.mapping else {
            return Ok(());
        };
        match &mapping.target {
            Target::Pool(pool) => visit.call(pool)?,
            Target::View(view) => visit.call(view)?,
            Target::Executor(weak) => visit.call(weak)?,
        }
        visit.call(&mapping.source)?;
        for answer in &mapping.ready {
            answer.traverse(&visit)?;
        }
        mapping.ring.traverse(&visit)
    }

    fn __clear__(&mut self, py: Python<'_>) {
        self.end(py);
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        if self.mapping.is_some() {
            // SAFETY: a Python object's end comes on a thread that is attached.
            let py = unsafe { Python::assume_attached() };
            errors::undisturbed(py, || self.end(py));
        }
    }
}

/// What a task raised is not the end of the results: as in a generator.
fn no_end(py: Python<'_>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyStopIteration>(py) {
        return error;
    }
    let raised = PyRuntimeError::new_err("generator raised StopIteration");
    raised.set_cause(py, Some(error));
    raised
}

fn zip<'py>(iterables: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
    let builtins = iterables.py().import("builtins")?;
    builtins.getattr("zip")?.call1(iterables)
}

/// As the class's `tp_finalize`, which the garbage collector calls for everything in a cycle before it takes anything
/// apart: what tasks raised goes to a handler that is whole. See `future.rs`.
unsafe extern "C" fn finalize(map: *mut ffi::PyObject) {
    // SAFETY: called by the interpreter on an attached thread, with an instance of the class.
    let map = unsafe {
        let py = Python::assume_attached();
        Borrowed::from_ptr(py, map).cast_unchecked::<Map>()
    };
    if let Ok(mut inner) = map.try_borrow_mut() {
        errors::undisturbed(map.py(), || inner.end(map.py()));
    }
}

/// Called once, when the module is made.
pub(super) fn prepare(py: Python<'_>) {
    let class = py.get_type::<Map>();
    // SAFETY: attached, and the type has no instance yet.
    unsafe { (*class.as_type_ptr()).tp_finalize = Some(finalize) };
}
