//! Why a host did not give a file.

use std::time::Duration;

/// Why the file at an address was not had.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", self.origin())]
#[non_exhaustive]
pub struct HostFailure {
    /// The address that was asked.
    pub url: String,
    /// What went wrong there.
    #[source]
    pub cause: Cause,
}

/// What went wrong at a host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// There was no answer in time.
    #[error("no answer within {} s", seconds(*.0))]
    NoAnswer(Duration),
    /// The host has no address, refuses connections, cannot prove who it is, or the like.
    #[error("{0}")]
    Unreachable(String),
    /// The host answered that it will not.
    #[error("the answer was {0}")]
    Status(String),
    /// What the host offers has another size.
    #[error("it is {found} bytes long, and should be {expected}")]
    Size {
        /// Bytes that are offered.
        found: u64,
        /// Bytes that are published.
        expected: u64,
    },
    /// The host did not stop sending.
    #[error("it goes on after the {0} bytes that it should have")]
    Endless(u64),
    /// The connection ended too early, again and again.
    #[error("the connection was cut after {received} of {expected} bytes")]
    Cut {
        /// Bytes that had come until then.
        received: u64,
        /// Bytes that are published.
        expected: u64,
    },
    /// The bytes came too slowly, or no longer.
    #[error("stalled after {received} of {expected} bytes")]
    Stalled {
        /// Bytes that had come until then.
        received: u64,
        /// Bytes that are published.
        expected: u64,
    },
    /// The time for the whole download was over.
    #[error("{received} of {expected} bytes were there after {} s, too late", seconds(*after))]
    Overdue {
        /// Bytes that had come until then.
        received: u64,
        /// Bytes that are published.
        expected: u64,
        /// How long the download of all files may take.
        after: Duration,
    },
    /// What came is something else, or was damaged.
    #[error("it is not what was published: its SHA-256 is {found} and should be {expected}")]
    Checksum {
        /// The checksum of what came.
        found: String,
        /// The checksum that is published.
        expected: String,
    },
}

impl Cause {
    /// Whether the host itself is to blame, so that its other files need not be tried.
    pub(super) fn is_of_host(&self) -> bool {
        matches!(self, Self::NoAnswer(_) | Self::Unreachable(_))
    }

    /// Whether nothing else of the host need be waited for.
    pub(super) fn is_slowness(&self) -> bool {
        matches!(self, Self::NoAnswer(_) | Self::Stalled { .. } | Self::Overdue { .. })
    }
}

impl HostFailure {
    /// The host, where that is to blame, else the address.
    fn origin(&self) -> &str {
        if self.cause.is_of_host() { host_of(&self.url) } else { &self.url }
    }
}

/// Seconds with one decimal place, where it is needed.
fn seconds(time: Duration) -> f32 {
    (10.0 * time.as_secs_f32()).round() / 10.0
}

/// The part of an address that names the host, with the port if there is one.
pub(super) fn host_of(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split('/').next().unwrap_or(rest);
    // Without a name and password, which are nobody else's business.
    authority.rsplit('@').next().unwrap_or(authority)
}
