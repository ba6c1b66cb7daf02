//! Tells the binding which `CPython` it is built for: `cfg(Py_3_13)` and its like, and on Windows the DLL.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "python")]
    python();
}

#[cfg(feature = "python")]
fn python() {
    pyo3_build_config::use_pyo3_cfgs();
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "windows") {
        let dll = pyo3_build_config::get()
            .lib_name()
            .expect("the name of Python's DLL");
        println!("cargo::rustc-cfg=python_dll=\"{dll}\"");
    }
}
