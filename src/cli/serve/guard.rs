//! Which requests are answered: those of the page itself, and of programs on this machine.
//!
//! Other pages that the browser shows may send requests to this server too. One that has its name
//! resolved to this machine (DNS rebinding) is told by the `Host` header, which then is that name;
//! one that posts or embeds is told by `Origin` and `Sec-Fetch-Site`. What is answered may load
//! nothing but from here (`Content-Security-Policy`), and other pages may not use it.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::refusal::Refusal;

/// What the page may load: its own scripts and styles, and pictures that it makes.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: \
                      blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// From where in the browser a request comes.
const FETCH_SITE: &str = "sec-fetch-site";
/// What for: `navigate` is a link that a person followed.
const FETCH_MODE: &str = "sec-fetch-mode";

/// Refuses requests of other pages, and says with all answers what browsers may do with them.
pub(super) async fn guard(
    State(listens_at): State<IpAddr>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match check(request.method(), request.headers(), listens_at) {
        Ok(()) => next.run(request).await,
        Err(why) => Refusal::new(StatusCode::FORBIDDEN, why).into_response(),
    };
    let headers = response.headers_mut();
    let policy = HeaderValue::from_static(POLICY);
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(policy);
    let fixed = [
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether a request with these `headers` is answered, or why not.
fn check(method: &Method, headers: &HeaderMap, listens_at: IpAddr) -> Result<(), &'static str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(HOST.as_str()).filter(|_| headers.get_all(HOST).iter().count() == 1);
    let host = host.filter(|host| is_ours(host, listens_at)).ok_or(
        "the Host of the request is not this server: open the page by the address that is printed",
    )?;
    if let Some(origin) = headers.get(ORIGIN) {
        let is_same = origin.to_str().is_ok_and(|origin| origin == format!("http://{host}"));
        if !is_same {
            return Err("the Origin of the request is another page");
        }
    }
    let is_link = *method == Method::GET && text(FETCH_MODE) == Some("navigate");
    match text(FETCH_SITE) {
        Some("cross-site" | "same-site") if !is_link => Err("the request is that of another page"),
        _ => Ok(()),
    }
}

/// Whether `host` names this server by address, or as `localhost`: no name that others can resolve
/// to it. The port may be another, as of a tunnel.
fn is_ours(host: &str, listens_at: IpAddr) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    if name.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let address = address.unwrap_or(name).parse::<IpAddr>();
    address.is_ok_and(|address| address.is_loopback() || !listens_at.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: &str = "127.0.0.1";

    fn answer(method: Method, headers: &[(&'static str, &str)], at: &str) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        check(&method, &map, at.parse().unwrap()).is_ok()
    }

    #[test]
    fn only_addresses_and_localhost_are_this_server() {
        let is_answered = |host, at| answer(Method::GET, &[("host", host)], at);
        for host in ["127.0.0.1:8484", "localhost:8484", "localhost", "[::1]:8484", "LOCALHOST:1"] {
            assert!(is_answered(host, LOOPBACK), "{host}");
        }
        let foreign = [
            "example.com",
            "example.com:8484",
            "localhost.example.com:8484",
            "127.0.0.1.example.com",
            "192.168.1.7:8484",
            "",
            ":8484",
            "localhost:80@example.com",
        ];
        for host in foreign {
            assert!(!is_answered(host, LOOPBACK), "{host}");
        }
        assert!(is_answered("192.168.1.7:8484", "0.0.0.0"));
        assert!(!is_answered("example.com:8484", "0.0.0.0"));
        assert!(!answer(Method::GET, &[], LOOPBACK));
        let two = [("host", "localhost"), ("host", "example.com")];
        assert!(!answer(Method::GET, &two, LOOPBACK));
    }

    #[test]
    fn other_pages_are_refused() {
        let host = ("host", "localhost:8484");
        let is_answered = |method, more: &[_]| answer(method, &[&[host], more].concat(), LOOPBACK);
        let own = ("origin", "http://localhost:8484");
        assert!(is_answered(Method::POST, &[own, (FETCH_SITE, "same-origin")]));
        assert!(is_answered(Method::POST, &[]), "a program on this machine");
        for origin in ["http://example.com", "null", "https://localhost:8484", "http://localhost:1"]
        {
            assert!(!is_answered(Method::POST, &[("origin", origin)]), "{origin}");
            assert!(!is_answered(Method::GET, &[("origin", origin)]), "{origin}");
        }
        let foreign = (FETCH_SITE, "cross-site");
        let link = (FETCH_MODE, "navigate");
        assert!(!is_answered(Method::GET, &[foreign]), "an embedded picture");
        assert!(is_answered(Method::GET, &[foreign, link]), "a link");
        assert!(!is_answered(Method::POST, &[foreign, link]), "a form");
    }
}
