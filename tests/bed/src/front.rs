//! A reverse proxy before a metric server, as companies put one there: with a base path, a header
//! without which nothing is answered, a certificate of its own, or a page to sign in.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::http::{self, Connection, Request};
use crate::listen::Listener;
use crate::pki::{Authority, Identity, Validity};
use crate::tls;

const PAGE: &str = "<!doctype html><html><head><title>Sign in</title></head>\
    <body><form><input name=\"user\"></form></body></html>";

/// A running reverse proxy.
pub struct Front {
    listener: Listener,
    rules: Arc<Mutex<Rules>>,
    certificates: Option<Certificates>,
}

/// What a [`Front`] asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The base path, such as `/prometheus`, which the server behind does not see; other paths
    /// are 404. Empty: every path.
    pub prefix: String,
    /// Name (in lower case) and value of a header without which the answer is 401, as Mimir's
    /// `x-scope-orgid` or an `authorization`.
    pub need: Option<(String, String)>,
    /// Answer every request with a page to sign in: 200, `text/html`.
    pub page: bool,
}

/// Whether a [`Front`] speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// Plain HTTP.
    Plain,
    /// TLS, by an authority of its own.
    Tls,
    /// TLS, and clients have to show a certificate of that authority.
    MutualTls,
}

struct Certificates {
    authority: String,
    client: Identity,
}

impl Front {
    /// Listens on a free port of 127.0.0.1 and leads to `target`.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(target: u16, cover: Cover, rules: Rules) -> Result<Self> {
        let (tls, certificates) = match cover {
            Cover::Plain => (None, None),
            Cover::Tls | Cover::MutualTls => {
                let authority = Authority::create("front-ca")?;
                let pem = authority.pem();
                let clients = (cover == Cover::MutualTls).then_some(pem.as_str());
                let server = authority.server(&["127.0.0.1"])?;
                let config = Arc::new(tls::server(&server, clients)?);
                let client = authority.client("reader", None, Validity::Good)?;
                let authority = pem;
                (Some(config), Some(Certificates { authority, client }))
            }
        };
        let rules = Arc::new(Mutex::new(rules));
        let shared = Arc::clone(&rules);
        let listener = Listener::start("front", move |stream| {
            cover_and_answer(stream, target, tls.as_ref(), &shared)
        })?;
        Ok(Self {
            listener,
            rules,
            certificates,
        })
    }

    /// Where it listens on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.listener.port()
    }

    /// Its address with the base path.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = self.certificates.as_ref().map_or("http", |_| "https");
        let prefix = lock(&self.rules).prefix.clone();
        format!("{scheme}://127.0.0.1:{}{prefix}", self.listener.port())
    }

    /// Changes what it asks for from now on.
    pub fn set(&self, rules: Rules) {
        *lock(&self.rules) = rules;
    }

    /// The authority (PEM) of its certificate, `None` without TLS.
    #[must_use]
    pub fn authority_pem(&self) -> Option<&str> {
        Some(&self.certificates.as_ref()?.authority)
    }

    /// A client certificate that it accepts, `None` without TLS.
    #[must_use]
    pub fn client(&self) -> Option<&Identity> {
        Some(&self.certificates.as_ref()?.client)
    }
}

fn cover_and_answer(
    stream: TcpStream,
    target: u16,
    tls: Option<&Arc<ServerConfig>>,
    rules: &Mutex<Rules>,
) -> Result<()> {
    match tls {
        None => answer(stream, target, rules),
        Some(config) => {
            let session = ServerConnection::new(Arc::clone(config))?;
            answer(StreamOwned::new(session, stream), target, rules)
        }
    }
}

/// One request, then the connection is closed: the end of an answer is then the server's matter.
fn answer(stream: impl Read + Write, target: u16, rules: &Mutex<Rules>) -> Result<()> {
    let mut client = Connection::new(stream);
    let Some(request) = client.receive()? else {
        return Ok(());
    };
    let rules = lock(rules).clone();
    let close = |kind| [("content-type", kind), ("connection", "close")];
    if rules.page {
        let html = close("text/html; charset=utf-8");
        return Ok(client.write(&http::response(200, &html, PAGE.as_bytes()))?);
    }
    let plain = close("text/plain; charset=utf-8");
    let shown = |(name, value): &(String, String)| {
        http::find(&request.headers, name).is_some_and(|shown| shown == value)
    };
    if let Some(need) = rules.need.as_ref().filter(|need| !shown(need)) {
        // Mimir's words for a missing tenant; everybody else's for the rest.
        let tenant = need.0 == "x-scope-orgid";
        let words = if tenant {
            "no org id\n"
        } else {
            "Unauthorized\n"
        };
        return Ok(client.write(&http::response(401, &plain, words.as_bytes()))?);
    }
    let Some(path) = request.target.strip_prefix(&rules.prefix) else {
        return Ok(client.write(&http::response(404, &plain, b"404 page not found\n"))?);
    };
    let mut server = TcpStream::connect(("127.0.0.1", target))?;
    server.write_all(&passed_on(&request, path))?;
    let mut whole = Vec::new();
    server.read_to_end(&mut whole)?;
    client.write(&whole)?;
    Ok(())
}

fn passed_on(request: &Request, path: &str) -> Vec<u8> {
    let mut headers: Vec<(&str, &str)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| !["connection", "content-length", "transfer-encoding"].contains(name))
        .collect();
    headers.push(("connection", "close"));
    http::request(&request.method, path, &headers, &request.body)
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::sync::Arc;

    use anyhow::{Context, Result};
    use rustls::pki_types::ServerName;
    use rustls::{ClientConnection, StreamOwned};

    use super::{Cover, Front, Rules};
    use crate::http::{self, Connection};
    use crate::listen::Listener;
    use crate::pki::Identity;
    use crate::tls;

    /// A server that answers with the target, the body and the tenant of what it was asked.
    fn echo() -> Result<Listener> {
        Listener::start("echo", |stream| {
            let mut client = Connection::new(stream);
            let request = client.receive()?.context("no request")?;
            let body = String::from_utf8(request.body)?;
            let tenant = http::find(&request.headers, "x-scope-orgid").unwrap_or("nobody");
            let said = format!("{} {body} {tenant}", request.target);
            client.write(&http::response(200, &[], said.as_bytes()))?;
            Ok(())
        })
    }

    fn ask(front: &Front, identity: Option<&Identity>) -> Result<(u16, String)> {
        let authority = front.authority_pem().context("no TLS")?;
        let config = Arc::new(tls::client(authority.as_bytes(), identity)?);
        let session = ClientConnection::new(config, ServerName::try_from("127.0.0.1")?)?;
        let stream = TcpStream::connect(("127.0.0.1", front.port()))?;
        let mut server = Connection::new(StreamOwned::new(session, stream));
        let headers = [("X-Scope-OrgID", "shop")];
        let request = http::request("POST", "/base/query?a=b", &headers, b"query=up");
        let answer = server.exchange(&request)?;
        Ok((answer.status, answer.body))
    }

    fn rules() -> Rules {
        Rules {
            prefix: "/base".to_owned(),
            need: Some(("x-scope-orgid".to_owned(), "shop".to_owned())),
            page: false,
        }
    }

    #[test]
    fn a_request_passes_whole_and_without_the_base_path() -> Result<()> {
        let echo = echo()?;
        let front = Front::start(echo.port(), Cover::Tls, rules())?;
        let expect = (200, "/query?a=b query=up shop".to_owned());
        assert_eq!(ask(&front, None)?, expect);
        let (name, _) = rules().need.context("no header")?;
        let need = Some((name, "another shop".to_owned()));
        front.set(Rules { need, ..rules() });
        assert_eq!(ask(&front, None)?, (401, "no org id\n".to_owned()));
        Ok(())
    }

    #[test]
    fn without_its_certificate_nobody_is_let_in() -> Result<()> {
        let echo = echo()?;
        let front = Front::start(echo.port(), Cover::MutualTls, rules())?;
        assert!(ask(&front, None).is_err());
        assert_eq!(ask(&front, front.client())?.0, 200);
        Ok(())
    }
}
