//! Ids that cross the border carry their context, as [`ContextName`] writes it.

use pilothouse_core::model::ContextName;

/// An id of this context; the id alone while nothing is open.
pub(crate) fn in_context(context: &str, rest: &str) -> String {
    match ContextName::try_from(context.to_owned()) {
        Ok(context) => context.qualify(rest),
        Err(_) => rest.to_owned(),
    }
}

/// The context and the rest of an id whose rest has so many slashes; an id without a context is the first context's.
pub(crate) fn of_context(id: &str, slashes: usize) -> (Option<String>, &str) {
    match ContextName::split(id) {
        Some((context, rest)) if rest.matches('/').count() == slashes => {
            (Some(context.into()), rest)
        }
        _ => (None, id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_holds_its_context_or_means_the_first_one() {
        let plan = in_context("arn:aws:eks:eu-west-1:1:cluster/shop", "plan-3");
        let context = Some("arn:aws:eks:eu-west-1:1:cluster/shop".to_owned());
        assert_eq!(of_context(&plan, 0), (context, "plan-3"));
        assert_eq!(of_context("plan-3", 0), (None, "plan-3"));
        let split = "VirtualService/shop/reviews/http/0";
        assert_eq!(of_context(split, 4), (None, split));
        assert_eq!(in_context("", "plan-3"), "plan-3");
    }
}
