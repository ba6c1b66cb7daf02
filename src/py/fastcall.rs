//! The methods that hand in a task, by `CPython`'s own fast calling convention.
//!
//! A `#[pymethods]` function with `*args` is called with a tuple that holds all arguments, and takes a
//! second one out of it for `*args`. These are called with a bare array: one tuple less for each task, and
//! it is a quarter of what dispatching one costs.

use std::{
    ffi::CStr,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
};

use pyo3::{
    PyClass,
    exceptions::{PyRuntimeError, PyTypeError},
    ffi::{self, Py_ssize_t, PyMethodDef, PyMethodDefPointer, PyObject},
    prelude::*,
    pyclass::boolean_struct::True,
    types::{PyDict, PyTuple},
};

use super::{
    admission::Admission,
    arguments,
    order::{Order, View},
    pool::Pool,
    task::Call,
};

/// A call's arguments as `CPython` passes them.
struct Arguments<'py> {
    items: &'py [*mut PyObject],
    /// How many of `items` are positional; the others belong to `names`.
    positional: usize,
    names: *mut PyObject,
}

impl Arguments<'_> {
    /// The positional ones from `start` on.
    fn tuple<'py>(&self, py: Python<'py>, start: usize) -> PyResult<Bound<'py, PyTuple>> {
        let items = self.items.get(start..self.positional).unwrap_or_default();
        // SAFETY: attached; as many slots as items, and each slot gets a reference of its own.
        unsafe {
            let length = Py_ssize_t::try_from(items.len()).unwrap_or(Py_ssize_t::MAX);
            let tuple = Bound::from_owned_ptr_or_err(py, ffi::PyTuple_New(length))?;
            for (index, item) in (0..length).zip(items) {
                ffi::Py_INCREF(*item);
                ffi::PyTuple_SET_ITEM(tuple.as_ptr(), index, *item);
            }
            Ok(tuple.cast_into_unchecked())
        }
    }

    fn keywords<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        if self.names.is_null() {
            return Ok(None);
        }
        // SAFETY: a tuple of str, as long as there are items after the positional ones.
        let names = unsafe { Borrowed::from_ptr(py, self.names).cast_unchecked::<PyTuple>() };
        let keywords = PyDict::new(py);
        for (name, item) in names.iter_borrowed().zip(&self.items[self.positional..]) {
            // SAFETY: the caller holds the items for the time of the call.
            keywords.set_item(name, unsafe { Borrowed::from_ptr(py, *item) })?;
        }
        Ok(Some(keywords))
    }

    /// `fn, /, *args, **kwargs`.
    fn call(&self, py: Python<'_>, method: &str) -> PyResult<Call> {
        let Some(function) = self.items[..self.positional].first() else {
            let message = format!("{method}() missing 1 required positional argument: 'fn'");
            return Err(PyTypeError::new_err(message));
        };
        // SAFETY: the caller holds the items for the time of the call.
        let function = unsafe { Borrowed::from_ptr(py, *function) };
        arguments::callable("fn", &function)?;
        let function = function.to_owned().unbind();
        Call::new(Some(function), self.tuple(py, 1)?, self.keywords(py)?)
    }

    /// `*args`, for the function that the pool holds.
    fn held_call(&self, py: Python<'_>, pool: &Pool, method: &str) -> PyResult<Call> {
        if !self.names.is_null() {
            let message = format!("{method}() takes no keyword arguments");
            return Err(PyTypeError::new_err(message));
        }
        if !pool.holds_function(py)? {
            return Err(PyRuntimeError::new_err("the pool holds no function"));
        }
        Call::new(None, self.tuple(py, 0)?, None)
    }
}

/// What all methods share: from C, to Rust, and back.
///
/// # Safety
/// As `CPython` calls a `METH_FASTCALL | METH_KEYWORDS` method of the class `T`.
#[inline]
unsafe fn method<T>(
    slf: *mut PyObject,
    items: *const *mut PyObject,
    positional: Py_ssize_t,
    names: *mut PyObject,
    body: impl for<'py> FnOnce(Target<'py>, &Arguments<'py>) -> PyResult<*mut PyObject>,
) -> *mut PyObject
where
    T: Receiver,
{
    let run = |py: Python<'_>| {
        // SAFETY: the descriptor has checked the type of `slf`; the caller holds it.
        let receiver = unsafe { Borrowed::from_ptr(py, slf).cast_unchecked::<T>() };
        let positional = positional.unsigned_abs();
        // SAFETY: null or a tuple.
        let by_name = unsafe { names.as_ref().map_or(0, |_| ffi::PyTuple_GET_SIZE(names)) };
        let count = positional + by_name.unsigned_abs();
        let items = if count == 0 {
            &[]
        } else {
            // SAFETY: that many items are in the array, says the calling convention.
            unsafe { std::slice::from_raw_parts(items, count) }
        };
        let arguments = Arguments {
            items,
            positional,
            names,
        };
        body(receiver.get().target(py), &arguments)
    };
    // SAFETY: the interpreter calls, so this thread is attached; this tells PyO3 so.
    unsafe {
        Python::attach_unchecked(|py| {
            let result = catch_unwind(AssertUnwindSafe(|| run(py)))
                .unwrap_or_else(|_| Err(PyRuntimeError::new_err("antspy panicked")));
            result.unwrap_or_else(|error| {
                error.restore(py);
                ptr::null_mut()
            })
        })
    }
}

/// Whose method is called: a pool, and how tasks are handed in.
struct Target<'a> {
    py: Python<'a>,
    pool: &'a Pool,
    order: Option<&'a Order>,
}

/// A class with these methods.
trait Receiver: PyClass<Frozen = True> + Sync {
    fn target<'a>(&'a self, py: Python<'a>) -> Target<'a>;
}

impl Receiver for Pool {
    #[inline]
    fn target<'a>(&'a self, py: Python<'a>) -> Target<'a> {
        Target {
            py,
            pool: self,
            order: None,
        }
    }
}

impl Receiver for View {
    fn target<'a>(&'a self, py: Python<'a>) -> Target<'a> {
        Target {
            py,
            pool: self.pool.get(),
            order: Some(&self.order),
        }
    }
}

/// Adds a method to a class, as `_name` for a method called `name`.
fn add_method<T: Receiver>(
    py: Python<'_>,
    function: ffi::PyCFunctionFastWithKeywords,
    name: &'static CStr,
    text: &'static CStr,
) -> PyResult<()> {
    let class = py.get_type::<T>();
    // CPython keeps a pointer to the definition as long as the class lives: for ever.
    let definition = Box::leak(Box::new(PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: PyMethodDefPointer {
            PyCFunctionFastWithKeywords: function,
        },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: text.as_ptr(),
    }));
    // SAFETY: attached; a type object and a definition that stays.
    let descriptor = unsafe {
        let descriptor = ffi::PyDescr_NewMethod(class.as_type_ptr(), definition);
        Bound::from_owned_ptr_or_err(py, descriptor)?
    };
    let attribute = format!("_{}", name.to_string_lossy());
    class.setattr(attribute, descriptor)
}

macro_rules! methods {
    ($($name:ident, $method:literal, $signature:literal, $doc:literal,
       |$target:ident, $arguments:ident| $body:expr;)*) => {
        $(
            unsafe extern "C" fn $name<T: Receiver>(
                slf: *mut PyObject,
                items: *const *mut PyObject,
                positional: Py_ssize_t,
                names: *mut PyObject,
            ) -> *mut PyObject {
                // SAFETY: registered below as just such a method.
                unsafe {
                    method::<T>(slf, items, positional, names, |$target, $arguments| $body)
                }
            }
        )*

        fn add_to<T: Receiver>(py: Python<'_>) -> PyResult<()> {
            $(add_method::<T>(py, $name::<T>, $method, {
                let text = concat!($signature, "\n--\n\n", doc!($doc), "\0");
                CStr::from_bytes_with_nul(text.as_bytes()).expect("one null byte, at its end")
            })?;)*
            Ok(())
        }
    };
}

methods! {
    submit, c"submit", "submit($self, fn, /, *args, **kwargs)", "_Pool._submit", |target, arguments| {
        let call = arguments.call(target.py, "submit")?;
        Ok(target.pool.submit(target.py, call, target.order)?.into_ptr())
    };
    go, c"go", "go($self, fn, /, *args, **kwargs)", "_Pool._go", |target, arguments| {
        let call = arguments.call(target.py, "go")?;
        target.pool.go(target.py, call, None, target.order)?;
        Ok(target.py.None().into_ptr())
    };
    begin, c"begin", "begin($self, fn, /, *args, **kwargs)", "_Pool._begin", |target, arguments| {
        let call = arguments.call(target.py, "asubmit")?;
        Ok(Admission::begin(target.py, target.pool.core(target.py)?, call, target.order)?.into_ptr())
    };
    invoke, c"invoke", "invoke($self, /, *args)", "_Pool._invoke", |target, arguments| {
        let call = arguments.held_call(target.py, target.pool, "invoke")?;
        target.pool.go(target.py, call, None, target.order)?;
        Ok(target.py.None().into_ptr())
    };
    invoke_for_result, c"invoke_for_result", "invoke_for_result($self, /, *args)", "_Pool._invoke_for_result",
    |target, arguments| {
        let call = arguments.held_call(target.py, target.pool, "submit")?;
        Ok(target.pool.submit(target.py, call, target.order)?.into_ptr())
    };
    begin_invoke, c"begin_invoke", "begin_invoke($self, /, *args)", "_Pool._begin_invoke", |target, arguments| {
        let call = arguments.held_call(target.py, target.pool, "asubmit")?;
        Ok(Admission::begin(target.py, target.pool.core(target.py)?, call, target.order)?.into_ptr())
    };
}

/// Adds the methods to the classes. They are private there: the public classes have those that they need.
pub(super) fn add_methods(py: Python<'_>) -> PyResult<()> {
    add_to::<Pool>(py)?;
    add_to::<View>(py)
}
