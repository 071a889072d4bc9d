//! Links from outside into the window: what `pilothouse://…` may say, read and written in this one place.
//!
//! ```text
//! link   = "pilothouse://" context [ "/" place ] [ "?" query ]
//! place  = "mesh" | ( "node" | "edge" | "split" | "trace" ) "/" id
//! query  = ( "at=" RFC 3339 | "window=" duration ) [ "&" … ]
//! ```
//! Context and id are percent-encoded (RFC 3986); slashes of an id may stand as they are. A link names a place inside the
//! app and nothing else: no file, no server, no command. It comes from anybody, so what is not in this grammar is refused.

#[cfg(test)]
mod tests;

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use pilothouse_core::model::{Moment, TimeSpan};
use thiserror::Error;

use crate::convert::{parse_split_id, rfc3339};
use crate::duration::{duration_text, parse_duration};

/// The scheme that the desktop knows us by.
const SCHEME: &str = "pilothouse";
/// Longest link that is read, in bytes.
const LONGEST: usize = 4096;
/// Windows of rates that can be set, in milliseconds.
const WINDOWS: std::ops::RangeInclusive<i64> = 15_000..=86_400_000;

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    context: String,
    place: Place,
    at: Option<Moment>,
    window: Option<TimeSpan>,
}

/// A place inside the app; ids are those of the graph, without their context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The Mesh screen.
    Mesh,
    /// A node on it.
    Node(String),
    /// An edge on it.
    Edge(String),
    /// A split: `KIND/NAMESPACE/NAME/SECTION/ROUTE`.
    Split(String),
    /// A trace by its hex id.
    Trace(String),
}

/// Why a text is no link.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LinkError {
    /// Another scheme, or none.
    #[error("this is no link of Pilothouse: it begins with pilothouse://")]
    Scheme,
    /// Longer than anything that we write.
    #[error("the link is longer than {LONGEST} bytes")]
    TooLong,
    /// It names no context.
    #[error("the link names no context")]
    NoContext,
    /// An unknown kind of place.
    #[error(
        "the link leads to no place here: after the context comes mesh, node, edge, split or trace"
    )]
    NoPlace,
    /// A kind of place without its id.
    #[error("the link names no {0}")]
    NoId(&'static str),
    /// Not percent-encoded text.
    #[error("the link is not written in percent-encoded UTF-8")]
    Encoding,
    /// Line breaks, escapes, characters that turn the direction of writing.
    #[error("the link holds characters that cannot be seen")]
    Unseen,
    /// A split that is none.
    #[error("the link's split is not written as KIND/NAMESPACE/NAME/SECTION/ROUTE")]
    SplitId,
    /// A trace id of other characters than hex digits.
    #[error("the link's trace id is not hexadecimal")]
    TraceId,
    /// A fragment, an unknown or repeated part of the query.
    #[error(
        "the link asks for something else than a moment (at=) and a window (window=), once each"
    )]
    Query,
    /// No moment.
    #[error("the link's moment is not written as 2026-01-31T12:00:00Z")]
    Moment,
    /// No window, or one that cannot be set.
    #[error("the link's window is not between 15s and 1d")]
    Window,
}

impl Link {
    /// A link to a place in a context.
    ///
    /// # Errors
    /// If a part of it is not what it should be.
    pub fn new(context: &str, place: Place) -> Result<Self, LinkError> {
        let context = seen(context)?;
        if context.is_empty() {
            return Err(LinkError::NoContext);
        }
        if let Some((kind, id)) = place.named() {
            seen(id)?;
            // Readers of addresses take dots as steps between folders.
            if id.is_empty() || id.split('/').any(|part| part == "." || part == "..") {
                return Err(LinkError::NoId(kind));
            }
        }
        if let Place::Trace(id) = &place
            && !id.bytes().all(|digit| digit.is_ascii_hexdigit())
        {
            return Err(LinkError::TraceId);
        }
        if let Place::Split(id) = &place
            && !matches!(parse_split_id(id), Ok((None, _)))
        {
            return Err(LinkError::SplitId);
        }
        Ok(Self {
            context: context.to_owned(),
            place,
            at: None,
            window: None,
        })
    }

    /// The same as of a moment.
    ///
    /// # Errors
    /// If it is outside the calendar.
    pub fn as_of(mut self, at: Moment) -> Result<Self, LinkError> {
        jiff::Timestamp::from_millisecond(at.0).map_err(|_| LinkError::Moment)?;
        self.at = Some(at);
        Ok(self)
    }

    /// The same with a window of rates.
    ///
    /// # Errors
    /// If it cannot be set.
    pub fn over(mut self, window: TimeSpan) -> Result<Self, LinkError> {
        if !WINDOWS.contains(&window.0) {
            return Err(LinkError::Window);
        }
        self.window = Some(window);
        Ok(self)
    }

    /// The context.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.context
    }

    /// The place.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// The moment; `None` is now.
    #[must_use]
    pub const fn at(&self) -> Option<Moment> {
        self.at
    }

    /// The window of rates; `None` leaves it.
    #[must_use]
    pub const fn window(&self) -> Option<TimeSpan> {
        self.window
    }
}

impl Place {
    /// The word of the grammar and the id of what is named.
    fn named(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Mesh => None,
            Self::Node(id) => Some(("node", id)),
            Self::Edge(id) => Some(("edge", id)),
            Self::Split(id) => Some(("split", id)),
            Self::Trace(id) => Some(("trace", id)),
        }
    }

    fn parse(text: &str) -> Result<Self, LinkError> {
        let (kind, id) = text.split_once('/').unwrap_or((text, ""));
        let place = match (kind, id) {
            ("" | "mesh", "") => return Ok(Self::Mesh),
            ("node", _) => Self::Node,
            ("edge", _) => Self::Edge,
            ("split", _) => Self::Split,
            ("trace", _) => Self::Trace,
            _ => return Err(LinkError::NoPlace),
        };
        Ok(place(decoded(id)?))
    }
}

impl FromStr for Link {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        if text.len() > LONGEST {
            return Err(LinkError::TooLong);
        }
        let (scheme, rest) = text.split_once("://").ok_or(LinkError::Scheme)?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(LinkError::Scheme);
        }
        if rest.contains('#') {
            return Err(LinkError::Query);
        }
        let (way, query) = match rest.split_once('?') {
            Some((way, query)) => (way, Some(query)),
            None => (rest, None),
        };
        let (context, place) = way.split_once('/').unwrap_or((way, ""));
        // There an address has a user and a port, which is no part of a context.
        if context.contains([':', '@']) {
            return Err(LinkError::Encoding);
        }
        let mut link = Self::new(&decoded(context)?, Place::parse(place)?)?;
        for part in query.into_iter().flat_map(|query| query.split('&')) {
            link = match part.split_once('=') {
                Some(("at", at)) if link.at.is_none() => link.as_of(moment(&decoded(at)?)?)?,
                Some(("window", window)) if link.window.is_none() => {
                    let window = parse_duration(&decoded(window)?);
                    link.over(TimeSpan(window.map_err(|_| LinkError::Window)?))?
                }
                _ => return Err(LinkError::Query),
            };
        }
        Ok(link)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}://{}", encoded(&self.context, ""))?;
        if let Some((kind, id)) = self.place.named() {
            write!(f, "/{kind}/{}", encoded(id, "/:@"))?;
        }
        let mut before = '?';
        if let Some(at) = self.at {
            write!(f, "{before}at={}", encoded(&rfc3339(at), ":"))?;
            before = '&';
        }
        if let Some(window) = self.window {
            write!(f, "{before}window={}", duration_text(window))?;
        }
        Ok(())
    }
}

fn moment(text: &str) -> Result<Moment, LinkError> {
    let at: jiff::Timestamp = text.parse().map_err(|_| LinkError::Moment)?;
    Ok(Moment(at.as_millisecond()))
}

/// Text that shows what it is.
fn seen(text: &str) -> Result<&str, LinkError> {
    let turns = |c: char| matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    if text.chars().any(|c| c.is_control() || turns(c)) {
        return Err(LinkError::Unseen);
    }
    Ok(text)
}

/// Percent-encodes everything but letters, digits, `-._~` and what may stay.
fn encoded(text: &str, stays: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-._~".contains(c) || stays.contains(c) {
            out.push(c);
        } else {
            // Writing to a string does not fail.
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Takes percent-encoding back. What an address cannot hold is refused: it was not written by us or by a browser.
fn decoded(text: &str) -> Result<String, LinkError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                let code = high.zip(low).map(|(high, low)| high * 16 + low);
                let code = code.and_then(|code| u8::try_from(code).ok());
                code.ok_or(LinkError::Encoding)?
            }
            b'/' | b':' | b'@' => byte,
            byte if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte) => byte,
            _ => return Err(LinkError::Encoding),
        });
    }
    String::from_utf8(bytes).map_err(|_| LinkError::Encoding)
}
