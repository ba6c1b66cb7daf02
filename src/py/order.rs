//! How a task is handed in, beyond what is called: `pool.options(...)` and `pool.subpool(n)`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use pyo3::{
    PyTraverseError, PyVisit,
    prelude::*,
    types::{PyDict, PyString},
};

use super::{
    arguments::{self, Timeout},
    host::Host,
    pool::Pool,
};
use crate::core::{self, Priority, Terms};

/// A sub-pool's places.
pub(super) type Quota = core::Quota<Host>;

/// The settings of one view of a pool.
#[derive(Debug)]
pub(super) struct Order {
    timeout: Option<Duration>,
    deadline: Option<Duration>,
    priority: Priority,
    pub(super) name: Option<Py<PyString>>,
    pub(super) quota: Option<Arc<Quota>>,
}

impl Order {
    /// For a task that is handed in now, which is `now` on the pool's clock.
    pub(super) fn terms(&self, now: Instant) -> Terms {
        let after = |wait: Option<Duration>, now: Instant| now.checked_add(wait?);
        Terms {
            priority: self.priority,
            timeout: after(self.timeout, Instant::now()),
            deadline: after(self.deadline, now),
        }
    }
}

/// The base of the views of a pool: a pool, and how its tasks are handed in.
#[pyclass(frozen, subclass, name = "_View", module = "antspy._antspy")]
#[derive(Debug)]
pub(super) struct View {
    pub(super) pool: Py<Pool>,
    pub(super) order: Order,
}

#[pymethods]
impl View {
    #[new]
    #[pyo3(signature = (pool, *, timeout, deadline, priority, name, places))]
    fn new(
        py: Python<'_>,
        pool: Bound<'_, Pool>,
        timeout: &Bound<'_, PyAny>,
        deadline: &Bound<'_, PyAny>,
        priority: &Bound<'_, PyAny>,
        name: &Bound<'_, PyAny>,
        places: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let quota = match places.cast::<View>() {
            // A view of a sub-pool shares its places.
            Ok(view) => view.get().order.quota.clone(),
            Err(_) if places.is_none() => None,
            Err(_) => {
                let places = arguments::count("n", places, 1, "")?;
                Some(pool.get().core(py)?.quota(places))
            }
        };
        let order = Order {
            timeout: arguments::duration("timeout", timeout)?,
            deadline: arguments::duration("deadline", deadline)?,
            priority: arguments::priority(priority)?,
            name: arguments::name(name)?,
            quota,
        };
        Ok(Self {
            pool: pool.unbind(),
            order,
        })
    }

    #[getter]
    fn _pool(&self, py: Python<'_>) -> Py<Pool> {
        self.pool.clone_ref(py)
    }

    /// What the view was made with, for a view of the view.
    fn _settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let settings = PyDict::new(py);
        let seconds = |it: Option<Duration>| it.map(|it| it.as_secs_f64());
        settings.set_item("timeout", seconds(self.order.timeout))?;
        settings.set_item("deadline", seconds(self.order.deadline))?;
        let priority = match self.order.priority {
            Priority::High => "high",
            Priority::Normal => "normal",
            Priority::Low => "low",
        };
        settings.set_item("priority", priority)?;
        settings.set_item("name", &self.order.name)?;
        Ok(settings)
    }

    /// `(places, places taken, submitters blocked for one)` of a sub-pool; `None` of another view.
    fn _places_of_subpool(&self) -> Option<(usize, usize, usize)> {
        self.order.quota.as_ref().map(|quota| quota.numbers())
    }

    fn _tune_subpool(&self, n: &Bound<'_, PyAny>) -> PyResult<()> {
        let places = arguments::count("n", n, 1, "")?;
        if let Some(quota) = &self.order.quota {
            quota.tune(places);
        }
        Ok(())
    }

    /// Waits for the tasks of a sub-pool.
    fn _wait_subpool(&self, py: Python<'_>, timeout: Timeout) -> PyResult<bool> {
        match &self.order.quota {
            Some(quota) => quota.wait(py, timeout.deadline()),
            None => Ok(true),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.pool)
    }
}
