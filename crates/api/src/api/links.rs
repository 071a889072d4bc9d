//! Links into the window. Following one shows a place; it opens no context and asks no server.

use pilothouse_core::model::{Moment, TimeSpan};
use pilothouse_engine::Class;

use super::{Api, query, span_of_seconds};
use crate::convert::{bad_request, in_context, not_configured, of_context, rfc3339};
use crate::dto::{
    ApiError, LinkEndRequest, LinkPlace, LinkRequest, LinkTextRequest, LinkView, TextView,
};
use crate::duration::duration_text;
use crate::link::{Link, LinkError, Place};
use crate::workspace::Followed;

/// Slashes of a split's id without its context.
const SPLIT_SLASHES: usize = 4;

impl Api {
    /// Follows a link: the next update tells where it leads, or that it leads nowhere.
    ///
    /// # Errors
    /// If it is no link.
    pub fn follow_link(&self, request: &LinkTextRequest) -> Result<(), ApiError> {
        let link: Result<Link, LinkError> = request.text.parse();
        let refused = link.as_ref().err().map(refusal);
        self.workspace().follow(link);
        refused.map_or(Ok(()), Err)
    }

    /// Shows the Mesh screen of a context, as a link to it does.
    ///
    /// # Errors
    /// If that is no name of a context.
    pub fn follow_context(&self, context: &str) -> Result<(), ApiError> {
        let link = Link::new(context, Place::Mesh).map_err(|error| refusal(&error))?;
        self.workspace().follow(Ok(link));
        Ok(())
    }

    /// The link to a place, to copy.
    ///
    /// # Errors
    /// If there is no such place or no context is open.
    pub fn link_to(&self, request: &LinkRequest) -> Result<TextView, ApiError> {
        let id = request.id.clone();
        let (own, place) = match request.place {
            LinkPlace::Mesh => (None, Place::Mesh),
            LinkPlace::Node => (None, Place::Node(id)),
            LinkPlace::Edge => (None, Place::Edge(id)),
            LinkPlace::Trace => (None, Place::Trace(id)),
            LinkPlace::Split => {
                let (context, rest) = of_context(&id, SPLIT_SLASHES);
                (context, Place::Split(rest.to_owned()))
            }
        };
        let first = || self.workspace().contexts().into_iter().next();
        let context = own
            .or_else(|| request.context.clone())
            .or_else(first)
            .ok_or_else(|| not_configured("no context is open", "open one first"))?;
        let link = written(request, &context, place)?;
        Ok(TextView {
            text: link.to_string(),
        })
    }

    /// A link was followed or given up.
    pub fn end_link(&self, request: &LinkEndRequest) {
        self.workspace().end_link(request.serial);
    }

    /// The link that is to be followed.
    pub(crate) fn link(&self) -> Option<LinkView> {
        let Followed { serial, link } = self.workspace().followed()?;
        let link = match link {
            Ok(link) => link,
            Err(error) => return Some(nowhere(serial, &error)),
        };
        let context = link.context();
        let opened = self.workspace().engine_of(Some(context)).ok();
        let (place, id) = match link.place() {
            Place::Mesh => (LinkPlace::Mesh, String::new()),
            Place::Node(id) => (LinkPlace::Node, id.clone()),
            Place::Edge(id) => (LinkPlace::Edge, id.clone()),
            Place::Split(id) => (LinkPlace::Split, in_context(context, id)),
            Place::Trace(id) => (LinkPlace::Trace, id.clone()),
        };
        let class = opened.as_ref().map(|engine| engine.config().class);
        Some(LinkView {
            serial,
            refused: None,
            context: context.to_owned(),
            is_open: opened.is_some(),
            place,
            id,
            at: link.at().map(rfc3339),
            window_s: link.window().map(TimeSpan::as_seconds),
            command: link.at().map(|at| command(&link, at, class)),
        })
    }
}

fn refusal(error: &LinkError) -> ApiError {
    bad_request(error.to_string())
}

fn written(request: &LinkRequest, context: &str, place: Place) -> Result<Link, ApiError> {
    let mut link = Link::new(context, place).map_err(|error| refusal(&error))?;
    if let Some(at) = &request.at {
        let at = query::parse_moment(at)?;
        link = link.as_of(at).map_err(|error| refusal(&error))?;
    }
    if let Some(seconds) = request.window_s {
        let window = span_of_seconds(seconds);
        link = link.over(window).map_err(|error| refusal(&error))?;
    }
    Ok(link)
}

fn nowhere(serial: u32, error: &LinkError) -> LinkView {
    LinkView {
        serial,
        refused: Some(error.to_string()),
        context: String::new(),
        is_open: false,
        place: LinkPlace::Mesh,
        id: String::new(),
        at: None,
        window_s: None,
        command: None,
    }
}

/// What shows the graph as of a moment, for a person to paste into a shell.
fn command(link: &Link, at: Moment, class: Option<Class>) -> String {
    let source = match class {
        Some(Class::Demo) => "--demo".to_owned(),
        Some(_) | None => format!("--context {}", quoted(link.context())),
    };
    let window = link.window().map(duration_text);
    let window = window.map_or_else(String::new, |window| format!(" --window {window}"));
    format!("pilothousectl {source} graph --at {}{window}", rfc3339(at))
}

/// One word to a POSIX shell, whatever is in it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/@:".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api() -> Api {
        Api::new(crate::workspace::Workspace::empty(None).unwrap())
    }

    fn follow(api: &Api, text: &str) -> Result<(), ApiError> {
        let text = text.to_owned();
        api.follow_link(&LinkTextRequest { text })
    }

    #[test]
    fn a_link_is_told_until_it_is_ended() {
        let api = api();
        assert_eq!(api.latest().link, None);
        follow(
            &api,
            "pilothouse://prod/split/VirtualService/shop/reviews/http/0?window=5m",
        )
        .unwrap();
        let link = api.latest().link.unwrap();
        assert_eq!((link.serial, link.is_open), (1, false));
        assert_eq!(link.place, LinkPlace::Split);
        assert_eq!(link.id, "prod/VirtualService/shop/reviews/http/0");
        assert_eq!((link.window_s, link.command), (Some(300.0), None));
        follow(&api, "pilothouse://prod/trace/4bf9").unwrap();
        api.end_link(&LinkEndRequest { serial: 1 });
        assert_eq!(api.latest().link.unwrap().id, "4bf9", "a newer one stays");
        api.end_link(&LinkEndRequest { serial: 2 });
        assert_eq!(api.latest().link, None);
    }

    #[test]
    fn what_is_no_link_is_told_as_a_sentence_and_leads_nowhere() {
        let api = api();
        let error = follow(&api, "https://example.com/").unwrap_err();
        assert_eq!(error.code, crate::dto::Code::BadRequest);
        let link = api.latest().link.unwrap();
        assert_eq!(link.refused, Some(error.message));
        assert_eq!((link.context.as_str(), link.id.as_str()), ("", ""));
    }

    #[test]
    fn the_command_of_a_moment_is_safe_to_paste() {
        let api = api();
        follow(
            &api,
            "pilothouse://$(id)%3B%20it's/node/x?at=2026-01-31T12:00:00Z&window=300s",
        )
        .unwrap();
        assert_eq!(
            api.latest().link.unwrap().command.unwrap(),
            r"pilothousectl --context '$(id); it'\''s' graph --at 2026-01-31T12:00:00.000Z --window 5m"
        );
        assert_eq!(quoted("--kubeconfig=x"), "'--kubeconfig=x'");
        assert_eq!(
            quoted("arn:aws:eks:x:1:cluster/y"),
            "arn:aws:eks:x:1:cluster/y"
        );
    }

    #[test]
    fn links_to_places_are_those_that_are_followed() {
        let api = api();
        let split = LinkRequest {
            context: None,
            place: LinkPlace::Split,
            id: "user@host%2Fns/VirtualService/shop/reviews/http/0".to_owned(),
            at: Some("2026-01-31T12:00:00Z".to_owned()),
            window_s: Some(60.0),
        };
        let text = api.link_to(&split).unwrap().text;
        assert_eq!(
            text,
            "pilothouse://user%40host%2Fns/split/VirtualService/shop/reviews/http/0?at=2026-01-31T12:00:00.000Z&window=1m"
        );
        follow(&api, &text).unwrap();
        let link = api.latest().link.unwrap();
        assert_eq!(
            (link.id, link.context),
            (split.id.clone(), "user@host/ns".to_owned())
        );
        let nobody = LinkRequest {
            place: LinkPlace::Mesh,
            id: String::new(),
            ..split.clone()
        };
        assert_eq!(
            api.link_to(&nobody).unwrap_err().code,
            crate::dto::Code::NotConfigured
        );
        let named = LinkRequest {
            context: Some("demo".to_owned()),
            at: None,
            window_s: None,
            ..nobody
        };
        assert_eq!(api.link_to(&named).unwrap().text, "pilothouse://demo");
        let wrong = LinkRequest {
            place: LinkPlace::Trace,
            id: "x".to_owned(),
            ..named
        };
        assert_eq!(
            api.link_to(&wrong).unwrap_err().code,
            crate::dto::Code::BadRequest
        );
    }
}
