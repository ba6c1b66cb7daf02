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
mod mailbox;
mod map;
mod order;
mod parker;
mod pool;
mod ring;
mod running_loop;
mod stack;
mod stats;
mod subpool;
mod switch_interval;
mod task;
mod wait_group;

use pyo3::prelude::*;

/// The extension module `antspy._antspy`.
#[pymodule(gil_used = false)]
mod _antspy {
    use super::Bound;
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::{
        admission::Admission,
        drain::_drain,
        fork::_after_fork,
        future::{_register_future, Future},
        host::worker_state,
        mailbox::{Mailbox, Wait},
        map::Map,
        order::View,
        pool::Pool,
        wait_group::WaitGroup,
    };

    /// `_debug_build`: a debug build is several times slower.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::fastcall::add_methods(module.py())?;
        super::map::prepare(module.py());
        super::switch_interval::configure()?;
        module.add("_debug_build", cfg!(debug_assertions))?;
        module.add("__version__", super::version())
    }
}

/// The version in `Cargo.toml` as Python writes it, and the package's metadata: `1.0.0-rc.1` is `1.0.0rc1` there.
fn version() -> String {
    env!("CARGO_PKG_VERSION")
        .replace("-alpha.", "a")
        .replace("-beta.", "b")
        .replace("-rc.", "rc")
}
