//! The binding: the only place that knows Python. It holds no policy; that is in `core`.

/// The docstring of the stub (`_antspy.pyi`) for `Class.method`; `build.rs` has found it there.
macro_rules! doc {
    ($name:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/docs/", $name))
    };
}

mod adaptive;
mod admission;
mod arguments;
mod context;
mod cpython;
mod ctrl_c;
mod drain;
mod errors;
mod fastcall;
mod fork;
mod futex_hash;
mod future;
mod future_compat;
mod future_methods;
mod host;
mod interpreter;
mod interrupt;
mod item;
mod last_stop;
mod mailbox;
mod map;
mod once;
mod one_interpreter;
mod order;
mod parker;
mod pool;
mod ring;
mod running_loop;
mod seat;
mod stack;
mod stats;
mod subpool;
mod switch_interval;
mod task;
mod wait_group;

use pyo3::prelude::*;

/// The extension module `antspy._antspy`. `_debug_build`: a debug build is several times slower.
///
/// Written out: of a declared module everything is added before any code of ours runs.
#[pymodule(gil_used = false)]
fn _antspy(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    one_interpreter::take(py)?;
    module.add_class::<admission::Admission>()?;
    module.add_class::<future::Future>()?;
    module.add_class::<mailbox::Mailbox>()?;
    module.add_class::<mailbox::Wait>()?;
    module.add_class::<map::Map>()?;
    module.add_class::<order::View>()?;
    module.add_class::<pool::Pool>()?;
    module.add_class::<seat::Seat>()?;
    module.add_class::<wait_group::WaitGroup>()?;
    module.add_function(wrap_pyfunction!(drain::_drain, module)?)?;
    module.add_function(wrap_pyfunction!(fork::_after_fork, module)?)?;
    module.add_function(wrap_pyfunction!(future::_register_future, module)?)?;
    module.add_function(wrap_pyfunction!(drain::_pools, module)?)?;
    module.add_function(wrap_pyfunction!(seat::_watch, module)?)?;
    module.add_function(wrap_pyfunction!(host::worker_state, module)?)?;
    fastcall::add_methods(py)?;
    map::prepare(py);
    last_stop::prepare();
    // PyO3 makes these when they are first needed, and then see `once.rs`.
    let _ = py.get_type::<mailbox::Errand>();
    let _ = py.get_type::<pyo3::panic::PanicException>();
    switch_interval::configure()?;
    module.add("_debug_build", cfg!(debug_assertions))?;
    module.add("__version__", version())
}

/// The version in `Cargo.toml` as Python writes it, and the package's metadata: `1.0.0-rc.1` is `1.0.0rc1` there.
fn version() -> String {
    env!("CARGO_PKG_VERSION")
        .replace("-alpha.", "a")
        .replace("-beta.", "b")
        .replace("-rc.", "rc")
}
