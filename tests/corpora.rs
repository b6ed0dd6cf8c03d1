//! What the fuzz targets start from, and what they have found, is read on any compiler.

use std::fs;
use std::path::{Path, PathBuf};

use readers::READERS;

mod readers;

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let name = |path: PathBuf| path.file_stem().expect("it has a name").to_string_lossy().into();
    let mut names: Vec<_> = entries.map(|entry| name(entry.expect("an entry").path())).collect();
    names.sort();
    names
}

#[test]
fn every_corpus_is_read() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let readers = READERS.map(|(name, _)| name);
    assert_eq!(names(&fuzz.join("fuzz_targets")), readers);
    assert_eq!(names(&fuzz.join("corpus")), readers);
    for (name, read) in READERS {
        let files = fs::read_dir(fuzz.join("corpus").join(name)).expect("the corpus is there");
        let files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        assert!(files.len() > 1, "{name}");
        for file in files {
            read(&fs::read(file).expect("it can be read"));
        }
    }
}
