//! Streams, read to their end: pipes, terminals, standard input.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::{Error, Result};
use super::open::without_waiting;

/// How long somebody is waited for who writes into a named pipe.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);

/// All that comes out of the stream at `path`; `-` is standard input.
///
/// # Errors
/// When it cannot be read, has more than `most` bytes, or is a named pipe into which nobody writes.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let stream: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(io::stdin().lock()),
        false => Box::new(open(path, &mut bytes)?),
    };
    let more = (most + 1).saturating_sub(bytes.len() as u64);
    stream.take(more).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > most {
        return Err(Error::TooLarge { path: path.to_owned(), limit: most });
    }
    Ok(bytes)
}

/// Opens the stream at `path` once somebody writes into it; what was read meanwhile is in `bytes`.
fn open(path: &Path, bytes: &mut Vec<u8>) -> Result<File> {
    let mut file =
        without_waiting(File::options().read(true)).open(path).map_err(Error::io("open", path))?;
    let is_pipe = is_pipe(&file);
    let begun = Instant::now();
    let mut start = [0; 4096];
    loop {
        match file.read(&mut start) {
            // Nobody has it open to write, or nobody has any longer.
            Ok(0) if is_pipe && begun.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
            Ok(0) if is_pipe => return Err(Error::NoWriter { path: path.to_owned() }),
            Ok(read) => {
                bytes.extend_from_slice(&start[..read]);
                break;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io("read", path)(error)),
        }
    }
    // From here on whoever writes takes the time that it takes.
    #[cfg(unix)]
    rustix::fs::fcntl_getfl(&file)
        .and_then(|flags| rustix::fs::fcntl_setfl(&file, flags - rustix::fs::OFlags::NONBLOCK))
        .map_err(|error| Error::io("read", path)(error.into()))?;
    Ok(file)
}

/// Whether `file` is a pipe, which is at its end before anybody writes too.
fn is_pipe(file: &File) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        file.metadata().is_ok_and(|found| found.file_type().is_fifo())
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        false
    }
}
