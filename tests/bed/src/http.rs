//! As much HTTP/1.1 (RFC 9112) as the bed needs: whole messages over one connection.
//!
//! Both sides live here, because apps and load are both client and server. Every socket has a
//! timeout and every message a size cap. Not here: TLS ([`crate::kube`]), pipelining, trailers.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

const LINE_CAP: u64 = 64 << 10;
const BODY_CAP: u64 = 64 << 20;
const TIMEOUT: Duration = Duration::from_secs(10);

/// Headers in the order they came, names in lower case.
pub(crate) type Headers = Vec<(String, String)>;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The body as text; bytes that are not UTF-8 are replaced.
    pub body: String,
    pub(crate) headers: Headers,
}

impl Response {
    /// The value of the first header of this name (in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

/// A request, read to its end.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

/// One connection, which is used again for the next exchange.
pub(crate) struct Connection<S> {
    stream: BufReader<S>,
}

/// GET from a server on loopback.
///
/// # Errors
/// When the server cannot be reached, is silent for 10 s, or speaks no HTTP. A status other than
/// 200 is no error.
pub fn get(port: u16, target: &str, headers: &[(&str, &str)]) -> Result<Response> {
    let mut connection = connect(port)?;
    let request = request("GET", target, headers, &[]);
    connection
        .exchange(&request)
        .with_context(|| format!("GET http://127.0.0.1:{port}{target}"))
}

/// Connects to a server on loopback.
pub(crate) fn connect(port: u16) -> io::Result<Connection<TcpStream>> {
    Ok(Connection::new(connect_socket(port)?))
}

pub(crate) fn connect_socket(port: u16) -> io::Result<TcpStream> {
    let stream =
        TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), TIMEOUT)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// The bytes of one request. `headers` must have the host where it is not loopback.
pub(crate) fn request(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let mut text = format!("{method} {target} HTTP/1.1\r\n");
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        text.push_str("host: 127.0.0.1\r\n");
    }
    message(text, headers, body)
}

/// The bytes of one answer.
pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    message(format!("HTTP/1.1 {status} -\r\n"), headers, body)
}

pub(crate) fn find<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// `text` with all but letters, digits and `-._~` percent-encoded, for a query.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

impl<S: Read + Write> Connection<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream: BufReader::new(stream),
        }
    }

    pub(crate) fn exchange(&mut self, request: &[u8]) -> Result<Response> {
        self.write(request)?;
        let (line, headers) = self
            .head()?
            .context("the server closed without an answer")?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.with_context(|| format!("no HTTP status in {line:?}"))?;
        // Neither says a length nor sends a body.
        let until_close = !matches!(status, 204 | 304);
        let body = self.body(&headers, until_close)?;
        Ok(Response {
            status,
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    /// The next request, or `None` when the client has closed.
    pub(crate) fn receive(&mut self) -> Result<Option<Request>> {
        let Some((line, headers)) = self.head()? else {
            return Ok(None);
        };
        let mut words = line.split(' ');
        let method = words.next().unwrap_or_default();
        let target = words
            .next()
            .with_context(|| format!("no target in {line:?}"))?;
        let body = self.body(&headers, false)?;
        Ok(Some(Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            body,
        }))
    }

    /// Sends a whole message in one write: two would wait for each other's acknowledgement.
    pub(crate) fn write(&mut self, message: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(message)?;
        self.stream.get_mut().flush()
    }

    fn head(&mut self) -> Result<Option<(String, Headers)>> {
        let Some(first) = self.line()? else {
            return Ok(None);
        };
        let mut headers = Headers::new();
        loop {
            let line = self.line()?.context("the peer closed within a head")?;
            if line.is_empty() {
                return Ok(Some((first, headers)));
            }
            let (name, value) = line
                .split_once(':')
                .with_context(|| format!("no header: {line:?}"))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    fn body(&mut self, headers: &Headers, until_close: bool) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        if find(headers, "transfer-encoding").is_some_and(|value| value.contains("chunked")) {
            loop {
                let line = self.line()?.context("the peer closed within a body")?;
                let digits = line.split(';').next().unwrap_or_default().trim();
                let length = u64::from_str_radix(digits, 16).context("bad chunk length")?;
                self.read(length, &mut body)?;
                self.line()?;
                if length == 0 {
                    return Ok(body);
                }
            }
        } else if let Some(length) = find(headers, "content-length") {
            self.read(length.parse().context("bad content-length")?, &mut body)?;
        } else if until_close {
            self.stream.by_ref().take(BODY_CAP).read_to_end(&mut body)?;
        }
        Ok(body)
    }

    fn read(&mut self, length: u64, into: &mut Vec<u8>) -> Result<()> {
        if length > BODY_CAP {
            bail!("a body of {length} bytes");
        }
        let read = self.stream.by_ref().take(length).read_to_end(into)?;
        if u64::try_from(read)? < length {
            bail!("the peer closed within a body");
        }
        Ok(())
    }

    fn line(&mut self) -> Result<Option<String>> {
        let mut line = String::new();
        if self.stream.by_ref().take(LINE_CAP).read_line(&mut line)? == 0 {
            return Ok(None);
        }
        Ok(Some(line.trim_end().to_owned()))
    }
}

fn message(mut head: String, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::{Connection, encode, request};

    fn answer(text: &str) -> anyhow::Result<(u16, String)> {
        let mut bytes = text.as_bytes().to_vec();
        let mut connection = Connection::new(Cursor::new(std::mem::take(&mut bytes)));
        // A cursor is one buffer for both directions: nothing is written, so that only it is read.
        connection
            .exchange(&[])
            .map(|response| (response.status, response.body))
    }

    #[test]
    fn bodies_come_by_length_by_chunks_and_until_close() {
        let check =
            |input, expect: &str| assert_eq!(answer(input).unwrap(), (200, expect.to_owned()));
        check("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhello", "he");
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x\r\nd\r\n0\r\n\r\n",
            "abcd",
        );
        check("HTTP/1.1 200 OK\r\n\r\nall", "all");
        assert_eq!(
            answer("HTTP/1.1 204 No Content\r\n\r\nnext").unwrap(),
            (204, String::new())
        );
    }

    #[test]
    fn a_cut_answer_is_an_error() {
        for input in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhe",
            "SSH-2.0\r\n\r\n",
        ] {
            assert!(answer(input).is_err(), "{input:?}");
        }
    }

    #[test]
    fn a_request_names_its_host_once() {
        let text = String::from_utf8(request("GET", "/", &[("Host", "reviews")], b"")).unwrap();
        assert_eq!(
            text,
            "GET / HTTP/1.1\r\nHost: reviews\r\ncontent-length: 0\r\n\r\n"
        );
    }

    #[test]
    fn a_query_is_encoded() {
        assert_eq!(
            encode("rate(a{b=\"c\"}[1m])"),
            "rate%28a%7Bb%3D%22c%22%7D%5B1m%5D%29"
        );
    }
}
