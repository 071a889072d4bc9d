//! Colours as a person writes them.

use super::keys::PALETTE;

/// A word of the palette or `#rrggbb`; the window turns it into the token of its theme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colour(String);

impl Colour {
    /// The colour of this text; `None` if it is neither a word of the palette nor `#rrggbb`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_hex = |hex: &str| hex.len() == 6 && hex.chars().all(|c| c.is_ascii_hexdigit());
        let good = PALETTE.contains(&text) || text.strip_prefix('#').is_some_and(is_hex);
        good.then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
