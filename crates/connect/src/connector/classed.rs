//! What the settings say of the kind of a context: how hard it is to write there, by which word and colour it is known.

use pilothouse_engine::Class;
use pilothouse_settings::{Confirm, ContextFacts, ContextKey, Settings};

/// The class of a context and how it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Classed {
    pub(super) class: Class,
    /// The word; empty if it is in no class.
    pub(super) label: String,
    /// `#rrggbb` or a word of the palette; `None` is the plain one.
    pub(super) colour: Option<String>,
}

impl Classed {
    /// Of its own settings, else of the first class that matches.
    pub(super) fn of(settings: &Settings, key: &ContextKey, host: Option<&str>) -> Self {
        let own = settings.context(key);
        let by_name = |name: &String| settings.classes.iter().find(|class| class.name == *name);
        let class = own
            .and_then(|own| by_name(own.class.as_ref()?))
            .or_else(|| {
                settings.class_of(&ContextFacts {
                    name: &key.name,
                    host,
                    file: key.file.as_deref(),
                })
            });
        let colour = own
            .and_then(|own| own.colour.as_ref())
            .or_else(|| class?.colour.as_ref());
        Self {
            class: match class.map(|class| class.confirm) {
                Some(Confirm::Name) => Class::Production,
                Some(Confirm::Click) | None => Class::Normal,
            },
            label: class.map(|class| class.name.clone()).unwrap_or_default(),
            colour: colour.map(|colour| colour.as_str().to_owned()),
        }
    }
}
