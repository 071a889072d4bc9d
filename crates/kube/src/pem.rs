//! PEM blocks of kubeconfig files, and when a certificate ends.
//!
//! Sources: RFC 7468 (PEM), RFC 5280 section 4.1 (the certificate), `encoding/pem` of Go for what surrounds a block.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// One block.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// `CERTIFICATE`, `PRIVATE KEY`.
    pub(crate) label: String,
    pub(crate) der: Vec<u8>,
    /// It has headers, as an encrypted key of old has.
    pub(crate) has_headers: bool,
}

/// The blocks of a text; what cannot be read between them is skipped.
pub(crate) fn blocks(pem: &[u8]) -> Vec<Block> {
    let text = String::from_utf8_lossy(pem);
    text.split("-----BEGIN ")
        .skip(1)
        .filter_map(block)
        .collect()
}

fn block(text: &str) -> Option<Block> {
    let (label, rest) = text.split_once("-----")?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let mut has_headers = false;
    let mut encoded = String::new();
    for line in body.lines() {
        if line.contains(':') {
            has_headers = true;
        } else {
            encoded.extend(line.chars().filter(|char| !char.is_whitespace()));
        }
    }
    Some(Block {
        label: label.to_owned(),
        // Nobody reads the body of a block with headers: it is encrypted.
        der: BASE64.decode(encoded).ok().or(has_headers.then(Vec::new))?,
        has_headers,
    })
}

/// The certificates of a bundle, those that are none skipped.
pub(crate) fn certificates(pem: &[u8]) -> Vec<Vec<u8>> {
    let blocks = blocks(pem).into_iter();
    blocks
        .filter(|block| block.label == "CERTIFICATE" && !block.has_headers)
        .map(|block| block.der)
        .filter(|der| expires(der).is_some())
        .collect()
}

/// A block as text.
pub(crate) fn write(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let encoded = BASE64.encode(der);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// When a certificate (DER) ends; `None` if this is none.
pub(crate) fn expires(der: &[u8]) -> Option<Timestamp> {
    validity(der).map(|(_, end)| end)
}

/// From when to when a certificate (DER) is valid; `None` if this is none.
pub(crate) fn validity(der: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if let Some((_, after)) = element(rest, VERSION) {
        rest = after;
    }
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        (_, rest) = element(rest, tag)?;
    }
    let (validity, _) = element(rest, SEQUENCE)?;
    let (not_before, rest) = time(validity)?;
    let (not_after, _) = time(rest)?;
    Some((not_before, not_after))
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// The content of an element with this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let [found, length, rest @ ..] = der else {
        return None;
    };
    if *found != tag {
        return None;
    }
    if *length < 0x80 {
        return rest.split_at_checked((*length).into());
    }
    let (length, rest) = rest.split_at_checked((*length & 0x7f).into())?;
    if length.len() > 4 {
        return None;
    }
    let length = length
        .iter()
        .fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    rest.split_at_checked(length)
}

fn time(der: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (text, rest, is_short) = match element(der, UTC_TIME) {
        Some((text, rest)) => (text, rest, true),
        None => {
            let (text, rest) = element(der, GENERALIZED_TIME)?;
            (text, rest, false)
        }
    };
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let text = if is_short {
        // RFC 5280: two digits from 50 on are of the last century.
        let century = if text < "50" { "20" } else { "19" };
        format!("{century}{text}")
    } else {
        text.to_owned()
    };
    let read = DateTime::strptime("%Y%m%d%H%M%S", &text).ok()?;
    let timestamp = TimeZone::UTC.to_timestamp(read).ok()?;
    Some((timestamp, rest))
}

#[cfg(test)]
pub(crate) mod tests;
