//! One address, asked for one file: whatever it does, it is soon known to do it.

use std::io::Read;
use std::time::Duration;

use ureq::Body;
use ureq::http::{Response, StatusCode, header};

use super::{Event, Patience};
use crate::data::sources::download::catalogue::PublishedFile;
use crate::data::sources::download::host_failure::Cause;
use crate::data::sources::download::pace::{Deadline, LeastRate};
use crate::data::sources::download::partial_file::PartialFile;
use crate::data::sources::download::redirect::Way;
use crate::files;

/// A file at an address.
pub(super) struct RemoteFile<'a> {
    pub(super) url: &'a str,
    pub(super) file: &'a PublishedFile,
    pub(super) patience: Patience,
    /// How long the answers may take, that of each redirection included.
    pub(super) answers: Duration,
    pub(super) deadline: Deadline,
}

/// Why a file was not received.
pub(super) enum ReceiveError {
    /// The host is to blame; another may do better.
    Host(Cause),
    /// The bytes could not be kept.
    File(files::Error),
}

impl From<Cause> for ReceiveError {
    fn from(cause: Cause) -> Self {
        Self::Host(cause)
    }
}

impl From<files::Error> for ReceiveError {
    fn from(error: files::Error) -> Self {
        Self::File(error)
    }
}

impl RemoteFile<'_> {
    /// Receives what `partial` lacks of the file: when it has come, `partial` has as many bytes as
    /// were published. What they are is still to be checked.
    pub(super) fn receive(
        &self,
        partial: &mut PartialFile,
        rate: &mut LeastRate,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), ReceiveError> {
        if partial.len() == self.file.bytes {
            return Ok(());
        }
        let answer = self.ask(partial.len())?;
        match answer.status() {
            StatusCode::PARTIAL_CONTENT if self.is_rest(&answer, partial.len()) => {}
            StatusCode::OK => {
                self.check_size(&answer)?;
                partial.clear()?;
            }
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE
                if partial.len() > 0 =>
            {
                // What is there is no part of what the host has.
                partial.clear()?;
                return self.receive(partial, rate, tell);
            }
            other => return Err(Cause::Status(other.to_string()).into()),
        }
        self.copy(answer, partial, rate, tell)
    }

    /// Asks for all bytes from number `start` on, and again wherever that is sent on to.
    fn ask(&self, start: u64) -> Result<Response<Body>, Cause> {
        let mut way = Way::from(self.url);
        let answers = Deadline::after(self.answers);
        loop {
            let left = answers.left().ok_or(Cause::NoAnswer(self.answers))?;
            let answer = self.ask_at(way.end(), start, left)?;
            if !way.follow(&answer)? {
                return Ok(answer);
            }
        }
    }

    /// Asks at `url`, and waits no longer than `left` for each part of the answer.
    fn ask_at(&self, url: &str, start: u64, left: Duration) -> Result<Response<Body>, Cause> {
        let overdue = || self.overdue(start);
        let answer = self.patience.answer.min(left);
        let request = ureq::get(url)
            .config()
            .timeout_global(Some(self.deadline.left().ok_or_else(overdue)?))
            .timeout_resolve(Some(answer))
            .timeout_connect(Some(answer))
            .timeout_send_request(Some(answer))
            .timeout_recv_response(Some(answer))
            .timeout_per_read(Some(self.patience.stall))
            // It would read the bodies of redirections, to their end.
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("mnistry/", env!("CARGO_PKG_VERSION")))
            .build()
            // The files are compressed already, and are counted and checked as they are.
            .header(header::ACCEPT_ENCODING, "identity");
        let request = match start {
            0 => request,
            start => request.header(header::RANGE, format!("bytes={start}-")),
        };
        request.call().map_err(|error| match error {
            ureq::Error::Timeout(ureq::Timeout::Global) => overdue(),
            ureq::Error::Timeout(_) => Cause::NoAnswer(answer),
            ureq::Error::Io(said) => Cause::Unreachable(said.to_string()),
            other => Cause::Unreachable(other.to_string()),
        })
    }

    /// That the time is over, when `received` bytes have come.
    fn overdue(&self, received: u64) -> Cause {
        Cause::Overdue { received, expected: self.file.bytes, after: self.deadline.total() }
    }

    /// Whether `answer` has the bytes from number `start` to the end of a file of the right size.
    fn is_rest(&self, answer: &Response<Body>, start: u64) -> bool {
        let bytes = self.file.bytes;
        let expected = format!("bytes {start}-{}/{bytes}", bytes.saturating_sub(1));
        let range = answer.headers().get(header::CONTENT_RANGE);
        range.is_some_and(|range| range.as_bytes() == expected.as_bytes())
    }

    fn check_size(&self, answer: &Response<Body>) -> Result<(), Cause> {
        let expected = self.file.bytes;
        match answer.body().content_length() {
            Some(found) if found != expected => Err(Cause::Size { found, expected }),
            _ => Ok(()),
        }
    }

    /// Adds the body of `answer` to `partial`.
    fn copy(
        &self,
        answer: Response<Body>,
        partial: &mut PartialFile,
        rate: &mut LeastRate,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), ReceiveError> {
        let expected = self.file.bytes;
        let mut body = answer.into_body().into_reader();
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = body.read(&mut buffer).map_err(|said| match ureq::Error::from(said) {
                ureq::Error::Timeout(ureq::Timeout::Global) => self.overdue(partial.len()),
                ureq::Error::Timeout(_) => Cause::Stalled { received: partial.len(), expected },
                _ => Cause::Cut { received: partial.len(), expected },
            })?;
            let received = partial.len() + read as u64;
            match read {
                0 if received < expected => return Err(Cause::Cut { received, expected }.into()),
                0 => return Ok(()),
                _ if received > expected => {
                    partial.clear()?;
                    return Err(Cause::Endless(expected).into());
                }
                _ => partial.append(buffer.get(..read).unwrap_or_default())?,
            }
            tell(Event::Received { bytes: received, of: expected });
            if received < expected && self.deadline.left().is_none() {
                return Err(self.overdue(received).into());
            }
            if !rate.keeps_up(read as u64) && received < expected {
                return Err(Cause::Stalled { received, expected }.into());
            }
        }
    }
}
