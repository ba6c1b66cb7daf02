//! Arguments from Python: every error names the argument and the value.

use std::{
    fmt,
    time::{Duration, Instant},
};

use pyo3::{
    exceptions::{PyOverflowError, PyTypeError, PyValueError},
    prelude::*,
    types::{PyBool, PyString},
};

use crate::core::{Overflow, Priority, Rate, UNLIMITED};

/// A whole number, or `None` for no limit.
pub(super) fn limit(name: &str, value: &Bound<'_, PyAny>, minimum: usize) -> PyResult<usize> {
    if value.is_none() {
        return Ok(UNLIMITED);
    }
    count(name, value, minimum, ", or None for no limit")
}

/// A whole number of at least `minimum`.
pub(super) fn count(
    name: &str,
    value: &Bound<'_, PyAny>,
    minimum: usize,
    or: &str,
) -> PyResult<usize> {
    let whole = || -> Option<Bound<'_, PyAny>> {
        if is_bool(value) {
            return None;
        }
        value.call_method0("__index__").ok()
    };
    let Some(index) = whole() else {
        let message = format!("{name} must be an int{or}, not {}", shown(value));
        return Err(PyTypeError::new_err(message));
    };
    if index.lt(minimum)? {
        let message = format!(
            "{name} must be at least {minimum}{or}, not {}",
            shown(value)
        );
        return Err(PyValueError::new_err(message));
    }
    match index.extract::<usize>() {
        Ok(number) if number < UNLIMITED => Ok(number),
        _ => {
            let message = format!(
                "{name} must be less than {UNLIMITED}{or}, not {}",
                shown(value)
            );
            Err(PyValueError::new_err(message))
        }
    }
}

/// `n`, a whole number of either sign.
#[derive(Clone, Copy)]
pub(super) struct Count(pub(super) i64);

impl<'py> FromPyObject<'_, 'py> for Count {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        value.extract().map(Self).map_err(|error: PyErr| {
            if error.is_instance_of::<PyOverflowError>(value.py()) {
                PyValueError::new_err(format!("n must fit 64 bits, not {}", shown(&value)))
            } else {
                PyTypeError::new_err(format!("n must be an int, not {}", shown(&value)))
            }
        })
    }
}

/// Seconds as a float; `None` if there are none.
fn seconds(name: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<f64>> {
    let Some(value) = value.filter(|value| !value.is_none()) else {
        return Ok(None);
    };
    let number = value.extract::<f64>().ok().filter(|_| !is_bool(value));
    let number = number.ok_or_else(|| {
        let message = format!(
            "{name} must be a number of seconds or None, not {}",
            shown(value)
        );
        PyTypeError::new_err(message)
    })?;
    if number.is_nan() {
        let message = format!("{name} must be a number of seconds or None, not nan");
        return Err(PyValueError::new_err(message));
    }
    Ok(Some(number))
}

/// How long to wait: a number of seconds that is not negative. `None`: for ever, also where it would be
/// longer than the clock can tell.
#[derive(Clone, Copy)]
pub(super) struct Timeout(pub(super) Option<Duration>);

impl Timeout {
    /// When a wait that begins now is over.
    pub(super) fn deadline(self) -> Option<Instant> {
        Instant::now().checked_add(self.0?)
    }
}

impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(timeout) => write!(f, "{} s", timeout.as_secs_f64()),
            None => f.write_str("None"),
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for Timeout {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        duration("timeout", &value).map(Self)
    }
}

/// A number of seconds that is not negative. `None`: no limit, also where it is longer than the clock can
/// tell.
pub(super) fn duration(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<Duration>> {
    let Some(number) = seconds(name, Some(value))? else {
        return Ok(None);
    };
    if number < 0.0 {
        let message = format!("{name} must be at least 0 seconds, or None, not {number}");
        return Err(PyValueError::new_err(message));
    }
    Ok(Duration::try_from_secs_f64(number).ok())
}

/// The timeout of a future: as in the standard library, a negative one does not wait.
pub(super) fn lenient_timeout(value: Option<&Bound<'_, PyAny>>) -> PyResult<Timeout> {
    let number = seconds("timeout", value)?;
    Ok(Timeout(number.and_then(|number| {
        Duration::try_from_secs_f64(number.max(0.0)).ok()
    })))
}

/// After how many seconds an idle worker leaves; `None`: never.
pub(super) fn expiry(value: &Bound<'_, PyAny>) -> PyResult<Option<Duration>> {
    let Some(number) = seconds("expiry", Some(value))? else {
        return Ok(None);
    };
    if number > 0.0 && Duration::try_from_secs_f64(number).is_err() {
        return Ok(None); // longer than the clock can tell
    }
    let expiry = Duration::try_from_secs_f64(number).ok();
    expiry.filter(|it| !it.is_zero()).map(Some).ok_or_else(|| {
        let message =
            format!("expiry must be a number of seconds greater than 0, or None, not {number}");
        PyValueError::new_err(message)
    })
}

pub(super) fn overflow(value: &Bound<'_, PyAny>) -> PyResult<Overflow> {
    let message = || {
        let value = shown(value);
        format!("overflow must be 'block', 'raise', 'caller_runs' or 'discard', not {value}")
    };
    let text: String = value
        .extract()
        .map_err(|_| PyTypeError::new_err(message()))?;
    match text.as_str() {
        "block" => Ok(Overflow::Block),
        "raise" => Ok(Overflow::Raise),
        "caller_runs" => Ok(Overflow::CallerRuns),
        "discard" => Ok(Overflow::Discard),
        _ => Err(PyValueError::new_err(message())),
    }
}

/// One of the names of a lane.
pub(super) fn priority(value: &Bound<'_, PyAny>) -> PyResult<Priority> {
    let message = || {
        let value = shown(value);
        format!("priority must be 'high', 'normal' or 'low', not {value}")
    };
    let text: String = value
        .extract()
        .map_err(|_| PyTypeError::new_err(message()))?;
    match text.as_str() {
        "high" => Ok(Priority::High),
        "normal" => Ok(Priority::Normal),
        "low" => Ok(Priority::Low),
        _ => Err(PyValueError::new_err(message())),
    }
}

/// A task's name, or `None`.
pub(super) fn name<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyString>>> {
    if value.is_none() {
        return Ok(None);
    }
    let Ok(name) = value.cast::<PyString>() else {
        let message = format!("name must be a str or None, not {}", shown(value));
        return Err(PyTypeError::new_err(message));
    };
    Ok(Some(name.clone()))
}

/// Tasks a second, or `None` for no limit; whether the number makes sense the core says.
pub(super) fn rate(value: &Bound<'_, PyAny>) -> PyResult<Option<Rate>> {
    if value.is_none() {
        return Ok(None);
    }
    let number = value.extract::<f64>().ok().filter(|_| !is_bool(value));
    number.map(|number| Some(Rate(number))).ok_or_else(|| {
        let message = format!(
            "rate must be a number of tasks a second or None, not {}",
            shown(value)
        );
        PyTypeError::new_err(message)
    })
}

fn is_bool(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyBool>()
}

/// `True` or `False`.
pub(super) fn flag(name: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    value.extract().map_err(|_| {
        let message = format!("{name} must be True or False, not {}", shown(value));
        PyTypeError::new_err(message)
    })
}

pub(super) fn tuple<'py>(
    name: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, pyo3::types::PyTuple>> {
    value.cast().cloned().map_err(|_| {
        let message = format!("{name} must be a tuple, not {}", shown(value));
        PyTypeError::new_err(message)
    })
}

pub(super) fn callable(name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    if value.is_callable() {
        return Ok(());
    }
    let message = format!("{name} must be callable, not {}", shown(value));
    Err(PyTypeError::new_err(message))
}

/// A callable or `None`.
pub(super) fn hook(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<Py<PyAny>>> {
    if value.is_none() {
        return Ok(None);
    }
    callable(name, value)?;
    Ok(Some(value.clone().unbind()))
}

/// The value as an error message shows it.
pub(super) fn shown(value: &Bound<'_, PyAny>) -> String {
    let text = value
        .repr()
        .map_or_else(|_| "?".into(), |repr| repr.to_string());
    if text.chars().count() > 80 {
        let start: String = text.chars().take(77).collect();
        return start + "...";
    }
    text
}
