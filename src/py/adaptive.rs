//! `antspy.Adaptive` where a capacity may stand.

use pyo3::{prelude::*, types::PyType};

use super::arguments;
use crate::core::{self, Config};

/// What was passed as `capacity`.
pub(super) enum Capacity {
    /// This one, or no limit.
    Fixed(usize),
    /// The pool finds its own.
    Adaptive(core::Adaptive),
}

impl Capacity {
    pub(super) fn of(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        if !is_adaptive(value)? {
            return arguments::limit("capacity", value, 1).map(Self::Fixed);
        }
        let bound = |name| arguments::count(name, &value.getattr(name)?, 1, "");
        Ok(Self::Adaptive(core::Adaptive {
            minimum: bound("minimum")?,
            maximum: bound("maximum")?,
        }))
    }

    /// The settings with it.
    pub(super) fn within(self, config: Config) -> Config {
        match self {
            Self::Fixed(capacity) => Config { capacity, ..config },
            Self::Adaptive(bounds) => Config {
                capacity: bounds.minimum,
                adaptive: Some(bounds),
                ..config
            },
        }
    }
}

/// Numbers, which nearly all are, are told without a look at the class.
fn is_adaptive(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if value.is_none() || value.hasattr("__index__")? {
        return Ok(false);
    }
    let module = value.py().import("antspy.adaptive")?;
    value.is_instance(module.getattr("Adaptive")?.cast::<PyType>()?)
}
