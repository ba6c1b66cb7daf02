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
    host::waits_for_itself,
    pool::{Core, Pool},
    subpool::{Places, Quota},
    task::{Extras, Name},
};
use crate::core::{Priority, Terms};

/// The settings of one view of a pool.
#[derive(Debug)]
pub(super) struct Order {
    timeout: Option<Duration>,
    deadline: Option<Duration>,
    priority: Priority,
    name: Option<Name>,
    /// Of a sub-pool.
    places: Option<Arc<Places>>,
}

impl Order {
    /// Writes down in `extras` what it says of a task; returns the terms, for one that is handed in now.
    pub(super) fn apply(
        &self,
        py: Python<'_>,
        extras: &mut Option<Box<Extras>>,
        now: Instant,
    ) -> Terms {
        let terms = self.terms(now);
        let extras = extras.get_or_insert_default();
        extras.deadline = terms.deadline;
        extras.name = self.name.as_ref().map(|name| name.clone_ref(py));
        terms
    }

    /// What its tasks are called.
    pub(super) fn name(&self, py: Python<'_>) -> Option<Py<PyString>> {
        Some(self.name.as_ref()?.text.clone_ref(py))
    }

    /// The places of the sub-pool, if it is of one.
    pub(super) fn quota(&self, core: &Core) -> Option<Arc<Quota>> {
        self.places.as_ref().map(|places| places.quota(core))
    }

    /// For a task that is handed in now, which is `now` on the pool's clock.
    fn terms(&self, now: Instant) -> Terms {
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
        let places = match places.cast::<View>() {
            // A view of a sub-pool shares its places.
            Ok(view) => view.get().order.places.clone(),
            Err(_) if places.is_none() => None,
            Err(_) => {
                let places = arguments::count("n", places, 1, "")?;
                Some(Places::new(pool.get().core(py)?, places))
            }
        };
        let order = Order {
            timeout: arguments::duration("timeout", timeout)?,
            deadline: arguments::duration("deadline", deadline)?,
            priority: arguments::priority(priority)?,
            name: arguments::name(name)?.map(Name::new).transpose()?,
            places,
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
        let name = self.order.name.as_ref().map(|name| &name.text);
        settings.set_item("name", name)?;
        Ok(settings)
    }

    /// `(places, places taken, submitters blocked for one)` of a sub-pool; `None` of another view.
    fn _places_of_subpool(&self, py: Python<'_>) -> PyResult<Option<(usize, usize, usize)>> {
        let core = self.pool.get().core(py)?;
        let places = self.order.places.as_ref();
        Ok(places.map(|places| places.quota(core).numbers()))
    }

    fn _tune_subpool(&self, py: Python<'_>, n: &Bound<'_, PyAny>) -> PyResult<()> {
        let number = arguments::count("n", n, 1, "")?;
        if let Some(places) = &self.order.places {
            places.tune(self.pool.get().core(py)?, number);
        }
        Ok(())
    }

    /// Waits for the tasks of a sub-pool.
    fn _wait_subpool(&self, py: Python<'_>, timeout: Timeout) -> PyResult<bool> {
        let Some(places) = &self.order.places else {
            return Ok(true);
        };
        let core = self.pool.get().core(py)?;
        let waited = places.wait(py, core, timeout.deadline());
        waited.unwrap_or_else(|| Err(waits_for_itself("wait()")))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.pool)
    }
}
