//! Where a redirection leads.

use iri_string::types::{UriReferenceStr, UriStr};
use ureq::Body;
use ureq::http::{Response, StatusCode, header};

use crate::data::sources::download::host_failure::Cause;

/// The most redirections on the way to one file.
const MOST: usize = 5;

/// The addresses that were asked, one of which sent on to the next.
pub(super) struct Way {
    addresses: Vec<String>,
}

impl Way {
    /// A way that begins at `url`.
    pub(super) fn from(url: &str) -> Self {
        Self { addresses: vec![url.to_owned()] }
    }

    /// The address to be asked now.
    pub(super) fn end(&self) -> &str {
        self.addresses.last().map_or("", String::as_str)
    }

    /// Goes on to where `answer` sends us; says whether it sends us anywhere. Its body has nothing
    /// that we want, and may have no end: it is not read.
    ///
    /// # Errors
    /// When that place is no address, was asked already, is less protected than the one before, or
    /// is one too many.
    pub(super) fn follow(&mut self, answer: &Response<Body>) -> Result<bool, Cause> {
        let is_redirection = matches!(
            answer.status(),
            StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT
        );
        if !is_redirection {
            return Ok(false);
        }
        let place = answer.headers().get(header::LOCATION).and_then(|place| place.to_str().ok());
        self.go_on(place.unwrap_or_default())?;
        Ok(true)
    }

    fn go_on(&mut self, place: &str) -> Result<(), Cause> {
        let refused = |why: &str| Err(Cause::Status(why.into()));
        let Some(next) = resolved(self.end(), place) else {
            return refused("a redirection to nowhere");
        };
        let is_encrypted = |url: &str| url.starts_with("https://");
        if is_encrypted(self.end()) && !is_encrypted(&next) {
            return refused("a redirection from https to http");
        }
        if self.addresses.contains(&next) || self.addresses.len() > MOST {
            return refused("one redirection after another");
        }
        self.addresses.push(next);
        Ok(())
    }
}

/// The web address that `place` is, seen from `base`, without a fragment.
fn resolved(base: &str, place: &str) -> Option<String> {
    if place.is_empty() {
        return None;
    }
    let base = UriStr::new(base).ok()?.to_absolute();
    let resolved = UriReferenceStr::new(place).ok()?.resolve_against(base);
    let resolved = resolved.to_string();
    let address = resolved.split('#').next().unwrap_or_default();
    let (scheme, rest) = address.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    matches!(&*scheme, "http" | "https").then(|| format!("{scheme}://{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_seen_from_where_one_is() {
        let base = "https://example.org/a/b/mnist.npz?key=1";
        for (place, expected) in [
            ("https://other.org/file", Some("https://other.org/file")),
            ("HTTPS://other.org:8443/file#part", Some("https://other.org:8443/file")),
            ("//other.org/file", Some("https://other.org/file")),
            ("/c/d?x=%20y", Some("https://example.org/c/d?x=%20y")),
            ("c", Some("https://example.org/a/b/c")),
            ("../c", Some("https://example.org/a/c")),
            ("?key=2", Some("https://example.org/a/b/mnist.npz?key=2")),
            ("", None),
            ("ftp://example.org/file", None),
            ("file:///etc/passwd", None),
            ("mailto:nobody", None),
            ("https://not an address/", None),
        ] {
            assert_eq!(resolved(base, place).as_deref(), expected, "{place}");
        }
    }

    #[test]
    fn a_way_goes_neither_round_nor_down_nor_on_for_ever() {
        let refused = |way: &mut Way, place: &str| way.go_on(place).unwrap_err().to_string();
        let mut way = Way::from("http://example.org/0");
        way.go_on("https://example.org/1").unwrap();
        assert_eq!(
            refused(&mut way, "http://example.org/2"),
            "the answer was a redirection from https to http"
        );
        way.go_on("2").unwrap();
        assert_eq!(refused(&mut way, "1"), "the answer was one redirection after another");
        assert_eq!(refused(&mut way, "a b"), "the answer was a redirection to nowhere");
        for place in ["3", "4", "5"] {
            way.go_on(place).unwrap();
        }
        assert_eq!(refused(&mut way, "6"), "the answer was one redirection after another");
    }
}
