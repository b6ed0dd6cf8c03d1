//! The program, run as a person runs it, in a folder of its own with a small data set.

#![allow(dead_code, reason = "each test file uses some of this")]

#[cfg(unix)]
pub(crate) mod running;
pub(crate) mod sweeps;
#[path = "../writers/mod.rs"]
pub(crate) mod writers;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// An address on this machine where no server is: connections are refused at once.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:1/";

/// A folder in which the program runs; its data set is in `data`.
pub(crate) struct Desk {
    folder: TempDir,
}

/// What the program left when it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The program: that of the tests, or another build, which `MNISTRY_PROGRAM` names.
pub(crate) fn path() -> PathBuf {
    let other = std::env::var_os("MNISTRY_PROGRAM").filter(|name| !name.is_empty());
    // Each runs in a folder of its own.
    other.map_or(env!("CARGO_BIN_EXE_mnistry").into(), |name| std::path::absolute(name).unwrap())
}

impl Desk {
    /// A desk with 240 training and 60 test images of 8 × 8 pixels, of three classes, and a
    /// [catalogue](Self::write_catalogue) that lists MNIST where no server is.
    pub(crate) fn new() -> Self {
        let desk = Self { folder: TempDir::new().unwrap() };
        desk.write_data("data", 3);
        let file = json!({ "name": "mnist.npz", "bytes": 1, "sha256": "" });
        desk.write_catalogue(&json!({
            "mnist": { "title": "MNIST", "editions": [{ "hosts": [NOWHERE], "files": [file] }] }
        }));
        desk
    }

    /// Writes what the program knows to be published: nothing of the real network is.
    pub(crate) fn write_catalogue(&self, catalogue: &Value) {
        fs::write(self.path("catalogue.json"), catalogue.to_string()).unwrap();
    }

    /// Writes a data set of as many classes.
    pub(crate) fn write_data(&self, name: &str, classes: usize) {
        let folder = self.path(name);
        fs::create_dir(&folder).unwrap();
        let (train, test) = (images(240, classes), images(60, classes));
        let (labels, dims) = (|n| (0..n).map(|i| (i % classes) as u8).collect(), [8, 8]);
        writers::write_idx(
            &folder,
            &[
                (vec![240, dims[0], dims[1]], train),
                (vec![240], labels(240)),
                (vec![60, dims[0], dims[1]], test),
                (vec![60], labels(60)),
            ],
        );
    }

    /// Writes generated digits, as many to train on and to test with.
    pub(crate) fn write_digits(&self, name: &str, train: usize, test: usize) {
        let folder = self.path(name);
        fs::create_dir(&folder).unwrap();
        let digits = mnistry::data::generated::generate(0, train, test).unwrap();
        let arrays = [&digits.train, &digits.test].map(|split| {
            let images = (vec![split.len(), 28, 28], split.pixels().to_vec());
            [images, (vec![split.len()], split.labels().to_vec())]
        });
        writers::write_idx(&folder, arrays.as_flattened().try_into().unwrap());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// The names in a folder, sorted.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The program with `arguments`, separated by spaces, ready to run.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(path());
        command.args(arguments.split_whitespace()).current_dir(self.folder.path());
        let proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
        for variable in proxies.iter().chain(&["MNISTRY_DATA_DIR", "CLICOLOR", "CLICOLOR_FORCE"]) {
            command.env_remove(variable).env_remove(variable.to_lowercase());
        }
        command.env_remove("NO_COLOR");
        command.env("MNISTRY_CACHE_DIR", self.path("cache"));
        command.env("MNISTRY_CATALOGUE", self.path("catalogue.json"));
        command
    }

    /// As [`command`](Self::command), under limits that the shell's `ulimit` sets: `-v 100000`.
    #[cfg(unix)]
    pub(crate) fn limited(&self, limits: &str, arguments: &str) -> Command {
        let program = self.command(arguments);
        let mut command = Command::new("sh");
        let script = format!("ulimit {limits} && exec \"$0\" \"$@\"");
        command.args(["-c", &script]).arg(program.get_program()).args(program.get_args());
        command.current_dir(self.folder.path());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &str) -> Ended {
        Ended::of(self.command(arguments).output().unwrap())
    }

    /// Runs the program, which must succeed, and gives its stdout.
    pub(crate) fn succeed(&self, arguments: &str) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments}: {}", ended.stderr);
        ended.stdout
    }
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Images that each have a bright bar where their class says, on a ground that varies.
fn images(count: usize, classes: usize) -> Vec<u8> {
    let mut noise = 1_u32;
    let mut pixel = |row: usize, class: usize| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = (noise >> 26) as u8;
        if row % classes == class { 255 - grain } else { grain }
    };
    let mut images = Vec::new();
    for image in 0..count {
        for place in 0..64 {
            images.push(pixel(place / 8, image % classes));
        }
    }
    images
}

/// Whether `folder` holds a network that can be loaded.
pub(crate) fn is_usable(folder: &Path) -> bool {
    mnistry::Network::load(folder.join("model.safetensors")).is_ok()
}
