//! Tells the binding which `CPython` it is built for: `cfg(Py_3_13)` and its like, and on Windows the DLL. And hands
//! it the docstrings of the stub, so that each is written once: editors read them there, `help()` in the module.

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
    write_docstrings();
}

#[cfg(feature = "python")]
const STUB: &str = "python/antspy/_antspy.pyi";

/// Writes each docstring of a function to a file of its own, called `Class.method`, which `doc!` includes.
#[cfg(feature = "python")]
fn write_docstrings() {
    println!("cargo::rerun-if-changed={STUB}");
    let folder = std::path::Path::new(&std::env::var("OUT_DIR").expect("a folder")).join("docs");
    std::fs::create_dir_all(&folder).expect("a folder for the docstrings");
    let stub = std::fs::read_to_string(STUB).expect("the stub");
    let (mut class, mut function) = (String::new(), String::new());
    let mut lines = stub.lines();
    while let Some(line) = lines.next() {
        let word = line.trim_start();
        let indent = line.len() - word.len();
        let name = |word: &str| word.split(['(', ':']).next().unwrap_or(word).to_owned();
        if let Some(rest) = word.strip_prefix("class ") {
            class = name(rest) + ".";
            function.clear();
        } else if let Some(rest) = word.strip_prefix("def ") {
            if indent == 0 {
                class.clear();
            }
            function = name(rest);
        } else if let Some(first) = word.strip_prefix("\"\"\"") {
            let text = docstring(first, indent, &mut lines);
            if !function.is_empty() {
                std::fs::write(folder.join(format!("{class}{function}")), text).expect("written");
            }
        }
    }
}

/// The text of the docstring that begins with `first`, without its indentation.
#[cfg(feature = "python")]
fn docstring<'a>(
    first: &'a str,
    indent: usize,
    lines: &mut impl Iterator<Item = &'a str>,
) -> String {
    if let Some(only) = first.strip_suffix("\"\"\"") {
        return only.to_owned();
    }
    let mut text = first.to_owned();
    for line in lines {
        if line.trim() == "\"\"\"" {
            break;
        }
        text.push('\n');
        text.push_str(line.get(indent..).unwrap_or_default());
    }
    text
}
