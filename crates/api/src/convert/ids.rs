//! Ids that cross the border carry their context: `CONTEXT/REST`, with `/` and `%` of the context escaped as in a URL, so that
//! any name of a context is unambiguous (`arn:aws:eks:eu-west-1:123:cluster/shop`).

/// An id of this context.
pub(crate) fn in_context(context: &str, rest: &str) -> String {
    let escaped = context.replace('%', "%25").replace('/', "%2F");
    format!("{escaped}/{rest}")
}

/// The context and the rest of an id whose rest has `slashes` slashes; an id without a context is the first context's.
pub(crate) fn of_context(id: &str, slashes: usize) -> (Option<String>, &str) {
    match id.split_once('/') {
        Some((context, rest)) if rest.matches('/').count() == slashes => {
            let context = context.replace("%2F", "/").replace("%25", "%");
            (Some(context), rest)
        }
        _ => (None, id),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_context_and_rest_come_back(context in ".*", parts in prop::collection::vec("[^/]*", 1..6)) {
            let rest = parts.join("/");
            let id = in_context(&context, &rest);
            prop_assert_eq!(of_context(&id, parts.len() - 1), (Some(context), rest.as_str()));
        }
    }

    #[test]
    fn an_id_without_a_context_stays_whole() {
        assert_eq!(of_context("plan-3", 0), (None, "plan-3"));
        let id = "VirtualService/shop/reviews/http/0";
        assert_eq!(of_context(id, 4), (None, id));
    }
}
