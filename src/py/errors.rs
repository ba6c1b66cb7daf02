//! Python's exceptions for what the core refuses, and where exceptions go that nobody waits for.

use pyo3::{
    exceptions::{PyBaseException, PyRecursionError, PyRuntimeError, PyTimeoutError, PyValueError},
    prelude::*,
    types::{PyString, PyTuple, PyType},
};

use super::{
    drain,
    host::{Hooks, waits_for_itself},
    interpreter,
    once::Once,
};
use crate::core::{Ending, Invalid, OutOfRange, Refusal, Unfinished};

static ERROR: Once<Py<PyType>> = Once::new();
static CLOSED: Once<Py<PyType>> = Once::new();
static OVERLOAD: Once<Py<PyType>> = Once::new();
static BROKEN: Once<Py<PyType>> = Once::new();
static CANCELLED: Once<Py<PyType>> = Once::new();
static INTERRUPTED: Once<Py<PyType>> = Once::new();
static INVALID_STATE: Once<Py<PyType>> = Once::new();

/// `module.name(message)`, or the error met on the way to it.
fn raise(
    py: Python<'_>,
    class: &Once<Py<PyType>>,
    (module, name): (&str, &str),
    message: Option<String>,
) -> PyErr {
    match class.import(py, module, name) {
        Ok(class) => match message {
            Some(message) => PyErr::from_type(class.clone(), message),
            None => PyErr::from_type(class.clone(), ()),
        },
        Err(error) => error,
    }
}

fn closed(py: Python<'_>, hooks: &Hooks) -> PyErr {
    let mut message = "cannot schedule new futures after shutdown";
    if drain::has_begun() {
        message = "cannot schedule new futures after interpreter shutdown";
        if hooks.stands_in {
            return PyRuntimeError::new_err(message); // where a traceback of that is looked for by its name
        }
    }
    raise(
        py,
        &CLOSED,
        ("antspy.errors", "PoolClosedError"),
        Some(message.into()),
    )
}

/// As the standard library's; `why` is a note on it.
pub(super) fn broken(py: Python<'_>, why: &str) -> PyErr {
    let message = "A thread initializer failed, the thread pool is not usable anymore";
    let error = raise(
        py,
        &BROKEN,
        ("concurrent.futures.thread", "BrokenThreadPool"),
        Some(message.into()),
    );
    report(py, error.add_note(py, why));
    error
}

pub(super) fn cancelled(py: Python<'_>) -> PyErr {
    raise(
        py,
        &CANCELLED,
        ("concurrent.futures", "CancelledError"),
        None,
    )
}

pub(super) fn invalid_state(py: Python<'_>, message: String) -> PyErr {
    raise(
        py,
        &INVALID_STATE,
        ("concurrent.futures", "InvalidStateError"),
        Some(message),
    )
}

/// `antspy.TaskInterrupted`, the class.
pub(super) fn task_interrupted(py: Python<'_>) -> PyResult<Bound<'_, PyType>> {
    INTERRUPTED
        .import(py, "antspy.errors", "TaskInterrupted")
        .cloned()
}

pub(super) fn no_thread(error: &str) -> PyErr {
    PyRuntimeError::new_err(format!("can't start new thread: {error}"))
}

/// A task would run in the midst of too many others.
pub(super) fn too_deep() -> PyErr {
    PyRecursionError::new_err("tasks that wait for each other are nested too deeply for the stack")
}

/// What `submit` raises.
pub(super) fn refused(
    py: Python<'_>,
    why: Refusal<PyErr>,
    capacity: Option<usize>,
    hooks: &Hooks,
) -> PyErr {
    match why {
        Refusal::Closed => closed(py, hooks),
        Refusal::Broken(fault) => broken(py, &fault.0),
        Refusal::Overload => {
            let capacity = capacity.map_or_else(|| "None".into(), |capacity| capacity.to_string());
            let message = format!("the pool is full (capacity {capacity}) and may not wait");
            raise(
                py,
                &OVERLOAD,
                ("antspy.errors", "PoolOverloadError"),
                Some(message),
            )
        }
        Refusal::TooDeep => too_deep(),
        Refusal::TimedOut => PyTimeoutError::new_err("no place in the pool came free in time"),
        Refusal::Interrupted(error) => error,
        Refusal::NoThread(error) => no_thread(&error.to_string()),
    }
}

/// What a future raises in a forked child.
pub(super) fn inherited(py: Python<'_>) -> PyErr {
    let message =
        "the task was submitted before this process was forked: its worker is in the parent";
    raise(
        py,
        &ERROR,
        ("antspy.errors", "PoolError"),
        Some(message.into()),
    )
}

/// What becomes of a task that will never run; `None`: it is cancelled.
pub(super) fn ending(py: Python<'_>, why: &Ending) -> Option<PyErr> {
    match why {
        Ending::Cancelled | Ending::Late => None,
        Ending::Broken(fault) => Some(broken(py, &fault.0)),
        Ending::NoThread(error) => Some(no_thread(error)),
    }
}

/// What a wait called `what` raises, if it did not merely time out.
pub(super) fn unfinished(what: &str, why: Unfinished<PyErr>) -> Option<PyErr> {
    match why {
        Unfinished::TimedOut => None,
        Unfinished::Interrupted(error) => Some(error),
        Unfinished::Itself => Some(waits_for_itself(what)),
    }
}

pub(super) fn invalid(why: &Invalid) -> PyErr {
    PyValueError::new_err(why.to_string())
}

pub(super) fn out_of_range(why: OutOfRange) -> PyErr {
    PyValueError::new_err(format!(
        "n must not take the count below 0 (or above 2**64 - 1): the count is {}, n is {}",
        why.count, why.delta
    ))
}

/// An exception of a task that nobody waits for: to the pool's handler, or to the log.
pub(super) fn handle(
    py: Python<'_>,
    handler: Option<&Py<PyAny>>,
    error: Py<PyBaseException>,
    name: Option<&Py<PyString>>,
) {
    let told = call_logged(py, "handle", (handler, error.clone_ref(py), name));
    if told.is_err() {
        // While the interpreter ends there may be no logging any more.
        PyErr::from_value(error.into_bound(py).into_any()).write_unraisable(py, None);
    }
}

/// A worker's finalizer raised: logged.
pub(super) fn log_finalizer(py: Python<'_>, error: PyErr) {
    report(
        py,
        call_logged(py, "log_finalizer", (error.into_value(py),)),
    );
}

/// A worker could not be made fit: logged.
pub(super) fn log_initializer(py: Python<'_>, error: PyErr) {
    report(
        py,
        call_logged(py, "log_initializer", (error.into_value(py),)),
    );
}

/// A done-callback raised: logged.
pub(super) fn log_callback(py: Python<'_>, future: &Bound<'_, PyAny>, error: PyErr) {
    report(
        py,
        call_logged(py, "log_callback", (future, error.into_value(py))),
    );
}

/// A future was told to start that had started or ended: logged, as the standard library does.
pub(super) fn log_unexpected_state(py: Python<'_>, future: &Bound<'_, PyAny>, state: &str) {
    report(py, call_logged(py, "log_unexpected_state", (future, state)));
}

/// The module that logs. Imported with the package: nothing can be while the interpreter ends.
pub(super) fn exception_handler(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static MODULE: Once<Py<PyModule>> = Once::new();
    let import = || PyResult::Ok(py.import("antspy.exception_handler")?.unbind());
    Ok(MODULE.get_or_try_init(py, import)?.bind(py))
}

fn call_logged<'py>(
    py: Python<'py>,
    name: &str,
    args: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
) -> PyResult<()> {
    let function = exception_handler(py)?.getattr(name)?;
    let args = args.into_pyobject(py)?;
    interpreter::call(py, &function.unbind(), &args, None).map(drop)
}

/// Runs `body` where an object may be about to end. That must not touch the exception that is on its way through the
/// object's owner, nor may Python code run while one is.
pub(super) fn undisturbed<R>(py: Python<'_>, body: impl FnOnce() -> R) -> R {
    let raised = PyErr::take(py);
    let result = body();
    if let Some(raised) = raised {
        raised.restore(py);
    }
    result
}

/// The last resort for an error that has nowhere else to go.
pub(super) fn report(py: Python<'_>, result: PyResult<()>) {
    if let Err(error) = result {
        error.write_unraisable(py, None);
    }
}
