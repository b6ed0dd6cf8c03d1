//! One address, asked for one file: whatever it does, it is soon known to do it.

use std::io::Read;
use std::time::{Duration, Instant};

use ureq::Body;
use ureq::http::{Response, StatusCode, header};

use super::Event;
use crate::data::sources::download::catalogue::PublishedFile;
use crate::data::sources::download::host_failure::Cause;
use crate::data::sources::download::partial_file::PartialFile;
use crate::files;

/// Bytes that must come in the time after which a connection counts as stalled.
const LEAST: u64 = 16 << 10;

/// A file at an address.
pub(super) struct RemoteFile<'a> {
    pub(super) url: &'a str,
    pub(super) file: &'a PublishedFile,
    /// How long each of these may take: finding the host's address, connecting to it, and its
    /// answer.
    pub(super) answer: Duration,
    /// How long nothing may come.
    pub(super) stall: Duration,
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
                return self.receive(partial, tell);
            }
            other => return Err(Cause::Status(other.to_string()).into()),
        }
        self.copy(answer, partial, tell)
    }

    /// Asks for all bytes from number `start` on.
    fn ask(&self, start: u64) -> Result<Response<Body>, Cause> {
        let request = ureq::get(self.url)
            .config()
            .timeout_resolve(Some(self.answer))
            .timeout_connect(Some(self.answer))
            .timeout_recv_response(Some(self.answer))
            .timeout_per_read(Some(self.stall))
            .max_redirects(5)
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
            ureq::Error::Timeout(_) => Cause::NoAnswer(self.answer),
            ureq::Error::Io(said) => Cause::Unreachable(said.to_string()),
            ureq::Error::TooManyRedirects => Cause::Status("one redirection after another".into()),
            other => Cause::Unreachable(other.to_string()),
        })
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
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), ReceiveError> {
        let expected = self.file.bytes;
        let mut body = answer.into_body().into_reader();
        let mut buffer = vec![0; 64 << 10];
        let mut mark = (Instant::now(), partial.len());
        loop {
            let read = body.read(&mut buffer).map_err(|said| match ureq::Error::from(said) {
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
            if received - mark.1 >= LEAST {
                mark = (Instant::now(), received);
            } else if mark.0.elapsed() > self.stall {
                return Err(Cause::Stalled { received, expected }.into());
            }
        }
    }
}
