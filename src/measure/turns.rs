//! Two builds that take turns, each a process of its own: whatever else the machine does meets them
//! alike, and where each lies in memory is drawn anew in every turn.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::conditions::Watch;
use super::error::{Error, Result};
use super::{Build, Comparison, Conditions, Host, Measurements};

/// More bytes than a turn prints.
const LARGEST: u64 = 4 << 20;
/// How long a program is waited for that is asked what it is, and one that measures.
const ASKED: Duration = Duration::from_secs(20);
const MEASURES: Duration = Duration::from_secs(600);

/// A program that is a build of mnistry.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
}

impl Program {
    /// The one at `path`.
    ///
    /// # Errors
    /// When it cannot be run, or does not say that it is mnistry.
    pub fn at(path: impl Into<PathBuf>) -> Result<Self> {
        let program = Self { path: path.into() };
        let said = program.run([OsStr::new("--version")], ASKED)?;
        match said.code == Some(0) && said.stdout.starts_with(b"mnistry ") {
            true => Ok(program),
            false => Err(Error::NoMnistry(program.path)),
        }
    }

    /// The one that is running.
    ///
    /// # Errors
    /// As [`at`](Self::at), and when the system does not tell which it is.
    pub fn this() -> Result<Self> {
        let failed = |source| Error::Start { path: "this program".into(), source };
        Self::at(std::env::current_exe().map_err(failed)?)
    }

    /// What it measures by `mnistry bench`, with `arguments` besides those that make it print JSON.
    fn measure(&self, arguments: &[OsString]) -> Result<Measurements> {
        let fixed = ["bench", "--turn", "--json"].map(OsStr::new);
        let said = self.run(fixed.into_iter().chain(arguments.iter().map(|a| &**a)), MEASURES)?;
        match said.code {
            Some(0) => Measurements::parse(&said.stdout, &self.path),
            // Wrong usage: one of the arguments is not known.
            Some(2) => Err(Error::TooOld(self.path.clone())),
            _ => Err(Error::Failed { path: self.path.clone(), said: said.last_line() }),
        }
    }

    /// Runs the program to its end, for no longer than `patience`.
    fn run<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a OsStr>,
        patience: Duration,
    ) -> Result<Said> {
        let failed = |source| Error::Start { path: self.path.clone(), source };
        let mut command = Command::new(executable(&self.path));
        command.args(arguments).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let start = Instant::now();
        let mut child = started(&mut command).map_err(failed)?;
        let stdout = child.stdout.take().map(in_background);
        let stderr = child.stderr.take().map(in_background);
        let silent = || Error::Silent { path: self.path.clone(), seconds: patience.as_secs() };
        let code = match wait(&mut child, patience).map_err(failed)? {
            Ended::By(code) => code,
            Ended::NotYet => return Err(silent()),
        };
        // A program that it started, and that goes on, may hold its streams open.
        let bytes = |reader: Option<Receiver<Vec<u8>>>| {
            let left = patience.saturating_sub(start.elapsed());
            reader.map_or(Ok(Vec::new()), |told| told.recv_timeout(left).map_err(|_| silent()))
        };
        Ok(Said { code, stdout: bytes(stdout)?, stderr: bytes(stderr)? })
    }
}

/// The program at `path`, which is one in this folder where no other is named: not one of the search
/// path that has the same name.
fn executable(path: &Path) -> PathBuf {
    if path.components().count() == 1 { Path::new(".").join(path) } else { path.to_owned() }
}

/// What a program left when it ended.
struct Said {
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Said {
    fn last_line(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        last.unwrap_or("it ended without a word").trim_start_matches("error: ").to_owned()
    }
}

/// Starts a program, which may just have been built: until nobody has its file open for writing, the
/// system refuses that.
fn started(command: &mut Command) -> io::Result<Child> {
    for _ in 0..50 {
        match command.spawn() {
            Err(busy) if busy.kind() == ErrorKind::ExecutableFileBusy => {
                thread::sleep(Duration::from_millis(20));
            }
            started => return started,
        }
    }
    command.spawn()
}

/// Reads what comes from a program, so that it does not wait until somebody does.
fn in_background(stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (tell, told) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is judged like all else.
        let _ = stream.take(LARGEST).read_to_end(&mut bytes);
        // Whoever waited may have lost patience.
        let _ = tell.send(bytes);
    });
    told
}

enum Ended {
    /// With this exit code; none where a signal ended it.
    By(Option<i32>),
    /// It was stopped.
    NotYet,
}

fn wait(child: &mut Child, patience: Duration) -> io::Result<Ended> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ended::By(status.code()));
        }
        if start.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            return Ok(Ended::NotYet);
        }
        // Seldom enough to disturb nothing.
        thread::sleep(Duration::from_millis(20));
    }
}

/// Two builds that take turns.
#[derive(Debug)]
pub struct Turns {
    /// What the other is compared with.
    pub old: Program,
    /// What is judged.
    pub new: Program,
    /// How many turns each has.
    pub rounds: usize,
    /// What both are given besides: what is measured, and how.
    pub arguments: Vec<OsString>,
    /// Whether it must be certain of each rate whether it changed, for which few rounds are too few.
    pub is_judged: bool,
}

/// What two builds measured in turns.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct TurnsTaken {
    /// The machine.
    pub host: Host,
    /// The build that the other is compared with.
    pub old: Build,
    /// The build that is judged.
    pub new: Build,
    /// How many turns each had.
    pub rounds: usize,
    /// What else the machine did meanwhile.
    pub conditions: Conditions,
    /// What differs between the two.
    pub comparison: Comparison,
}

impl Turns {
    /// Has them take their turns, and calls `on_round` after each round with how many there were.
    ///
    /// # Errors
    /// When one of them fails, is too old to know what it is asked for, or measures other things; when
    /// there are too few rounds to judge. All that is known after the first round.
    pub fn take(&self, mut on_round: impl FnMut(usize)) -> Result<TurnsTaken> {
        let watch = Watch::begin();
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for round in 0..self.rounds {
            // Who begins changes, so that what drifts favours neither.
            let mut turns = [(&self.old, &mut old), (&self.new, &mut new)];
            if round % 2 == 1 {
                turns.reverse();
            }
            for (program, measured) in turns {
                measured.push(program.measure(&self.arguments)?);
            }
            if round == 0 {
                self.check(&Comparison::of_turns(&old, &new, &self.old.path)?)?;
            }
            on_round(round + 1);
        }
        let comparison = Comparison::of_turns(&old, &new, &self.old.path)?;
        let build = |measured: &[Measurements]| measured.first().map(|first| first.build.clone());
        let switches = |measured: &[Measurements]| {
            let each = measured.iter().filter_map(|turn| turn.conditions.involuntary_switches);
            each.sum::<u64>()
        };
        let mut conditions = watch.conditions();
        if let Some(own) = &mut conditions.involuntary_switches {
            *own += switches(&old) + switches(&new);
        }
        Ok(TurnsTaken {
            host: Host::this(),
            old: build(&old).unwrap_or_else(Build::this),
            new: build(&new).unwrap_or_else(Build::this),
            rounds: self.rounds,
            conditions,
            comparison,
        })
    }

    /// Refuses too few rounds for the rates of `first`, which compares the first ones.
    fn check(&self, first: &Comparison) -> Result<()> {
        let (rounds, rates, needed) = (self.rounds, first.rates.len(), first.rounds_needed());
        match self.is_judged && rounds < needed {
            true => Err(Error::TooFewRounds { rounds, rates, needed }),
            false => Ok(()),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// A program in the language of the shell. The shell writes it: while this process has a file open to
    /// write, a child that another test just starts has it too, and what is being written cannot be run.
    fn script(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("program");
        let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$0\" && chmod 755 \"$0\"";
        let written = Command::new("sh").arg("-c").arg(write).arg(&path).arg(text).status();
        assert!(written.is_ok_and(|status| status.success()));
        path
    }

    #[test]
    fn what_does_not_call_itself_mnistry_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["echo other 1.0", "echo mnistry 1.0; exit 3", "exit 0"] {
            let refused = Program::at(script(folder.path(), text)).unwrap_err();
            assert!(matches!(refused, Error::NoMnistry(_)), "{text}: {refused}");
        }
        let refused = Program::at(folder.path().join("nowhere")).unwrap_err();
        assert!(matches!(refused, Error::Start { .. }), "{refused}");
    }

    #[test]
    fn what_is_too_old_or_fails_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        for (rest, said) in [
            ("echo 'error: unexpected argument' >&2; exit 2", "is too old to take turns"),
            (
                "printf 'error: no such\\033data\\n' >&2; exit 1",
                "failed to measure: no such\\u{1b}data",
            ),
            ("echo '{}'", "is not what `mnistry bench --save` writes: missing field `format`"),
            ("echo '{\"format\": 99}'", "has measurements in format 99, and this version reads"),
        ] {
            let text =
                format!("if [ \"$1\" = --version ]; then echo mnistry 9; exit 0; fi\n{rest}");
            let program = Program::at(script(folder.path(), &text)).unwrap();
            let failed = program.measure(&[]).unwrap_err().to_string();
            assert!(failed.contains(said) && failed.lines().count() == 1, "{failed}");
        }
    }

    #[test]
    fn what_does_not_end_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let program = Program { path: script(folder.path(), "exec sleep 600") };
        let silent = program.run([], Duration::from_millis(50)).err().unwrap();
        assert!(matches!(silent, Error::Silent { seconds: 0, .. }), "{silent}");
        // Nor is one waited for that it left behind, with its streams.
        let program = Program { path: script(folder.path(), "sleep 5 &") };
        let silent = program.run([], Duration::from_millis(500)).err().unwrap();
        assert!(matches!(silent, Error::Silent { seconds: 0, .. }), "{silent}");
    }
}
