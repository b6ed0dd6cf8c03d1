//! The floors of the house hold: a room uses only what lies below it, so that no two rooms use each
//! other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The rooms, from the top floor down; those of one line stand side by side and do not use each
/// other. `ARCHITECTURE.md` says what each holds.
const FLOORS: &[&[&str]] = &[
    &["error"],
    &["report"],
    &["check", "measure", "reading", "sweep"],
    &["train"],
    &["exec", "interchange"],
    &["model"],
    &["data"],
    &["image"],
    &["kernels"],
    &["sync"],
    &["simd"],
    &["files", "memory", "ranks", "rng"],
];

/// That `from` uses `to`, and where that is said.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrow {
    from: String,
    to: String,
    place: String,
}

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

/// What is wrong with an arrow, if anything is.
fn fault(arrow: &Arrow) -> Option<String> {
    let Arrow { from, to, place } = arrow;
    let (Some(below), Some(above)) = (floor_of(to), floor_of(from)) else {
        return Some(format!("{place}: {from} or {to} is no room: give it a floor in this test"));
    };
    (from != to && below <= above)
        .then(|| format!("{place}: {from} uses {to}, which lies not below"))
}

/// The code of `text`: without comments, and without what only tests see.
fn code(text: &str) -> String {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let mut code = String::new();
    let mut lines = text.lines().filter(is_code);
    while let Some(line) = lines.next() {
        // What the attribute stands before: an item to the next line of its own depth.
        if line.trim() == "#[cfg(test)]" || line.trim() == "#[cfg(all(test, loom))]" {
            let depth = line.len() - line.trim_start().len();
            let ends = |line: &str| {
                let is_deep = line.len() - line.trim_start().len() > depth;
                !line.is_empty() && !is_deep && (line.ends_with('}') || line.ends_with(';'))
            };
            lines.by_ref().find(|line| ends(line));
            continue;
        }
        code.push_str(line);
        code.push('\n');
    }
    code
}

/// The rooms that `code`, which lies `depth` modules below the crate, uses: by `crate::room`, also
/// in braces, or by as many `super` as lead to the crate.
fn rooms_used(code: &str, depth: usize) -> BTreeSet<String> {
    let ups = "super::".repeat(depth);
    let mut rooms = BTreeSet::new();
    for start in ["crate::", ups.as_str()].iter().filter(|start| !start.is_empty()) {
        for (at, _) in code.match_indices(start) {
            // Neither the end of another path nor one that goes up further.
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
                continue;
            }
            let rest = &code[at + start.len()..];
            let names: Vec<&str> = match rest.strip_prefix('{') {
                Some(tree) => tree[..tree.find("};").unwrap_or(tree.len())].split(',').collect(),
                None => vec![rest],
            };
            for name in names {
                let end = |c: char| !(c.is_alphanumeric() || c == '_');
                let name = name.trim_start().split(end).next().unwrap_or_default();
                if !name.is_empty() {
                    rooms.insert(name.to_owned());
                }
            }
        }
    }
    rooms
}

/// All arrows of the library whose sources lie in `folder`.
fn arrows(folder: &Path) -> BTreeSet<Arrow> {
    let mut arrows = BTreeSet::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("the sources can be read");
            todo.extend(entries.map(|entry| entry.expect("the sources can be read").path()));
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let relative = path.strip_prefix(folder).expect("it lies in the folder").with_extension("");
        let mut modules: Vec<String> =
            relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let is_test = modules.iter().any(|part| part.ends_with("tests") || part == "testing");
        // The program is a crate of its own and uses the library by its name; the roots hold no
        // code.
        if is_test || ["cli", "main", "lib"].contains(&modules[0].as_str()) {
            continue;
        }
        if modules.last().is_some_and(|last| last == "mod") {
            modules.pop();
        }
        let code = code(&fs::read_to_string(&path).expect("the sources can be read"));
        for to in rooms_used(&code, modules.len()) {
            let place = relative.display().to_string();
            arrows.insert(Arrow { from: modules[0].clone(), to, place });
        }
    }
    arrows
}

#[test]
fn every_arrow_points_downward() {
    let arrows = arrows(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(arrows.len() > 100, "the sources were not read: {arrows:?}");
    let faults: Vec<String> = arrows.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// So that the test above can fail.
#[test]
fn an_arrow_that_runs_up_is_found() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    };
    let faults = || -> Vec<String> { arrows(folder.path()).iter().filter_map(fault).collect() };
    write("train/fit.rs", "use crate::exec::engine::Engine;\nuse super::options::FitOptions;\n");
    write("simd/mod.rs", "// use crate::train::Never;\n#[cfg(test)]\nuse crate::train::Never;\n");
    write("simd/isa.rs", "#[cfg(test)]\nmod tests {\n    use crate::train::Never;\n}\n");
    assert_eq!(faults(), Vec::<String>::new());
    for (text, place) in [
        ("use crate::train::FitOptions;\n", "kernels/a"),
        ("use crate::{model, rng::Rng, train::FitOptions};\n", "model/b"),
        ("fn f() -> crate::report::Report {}\n", "data/c/d"),
        ("use super::super::train::FitOptions;\n", "exec/e"),
        ("use crate::reading::Reader;\n", "measure/f"),
        ("use crate::Error;\n", "files/g"),
    ] {
        write(&format!("{place}.rs"), text);
        let found = faults();
        assert!(found.len() == 1 && found[0].starts_with(place), "{place}: {found:?}");
        fs::remove_file(folder.path().join(format!("{place}.rs"))).expect("it was written");
    }
}
