//! How a row of the table becomes a [`Command`](super::Command): the grammar is told in `commands.in.rs`.
//!
//! Everything that a row promises is checked by the compiler: that `Api` has such a method, that it takes this request
//! and gives this answer, and that both are DTOs with a TypeScript declaration.

/// The rows as an array of commands, for `include!` in the place of an expression.
macro_rules! commands {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident: $($how:ident)+ ($($request:ident)?) $(-> $answer:ident $(<$view:tt>)?)?;
    )+) => {
        &[$(
            $crate::registry::Command {
                name: stringify!($name),
                doc: &[$($doc),+],
                request: dto!($($request)?),
                answer: dto!($($answer $(<$view>)?)?),
                run: run!([$($how)+] $name ($($request)?) ($($answer $(<$view>)?)?)),
            }
        ),+]
    };
}

/// The TypeScript name of a request or an answer; none where there is none.
macro_rules! dto {
    () => {
        None
    };
    (Result<()>) => {
        None
    };
    (Result<$view:ident>) => {
        dto!($view)
    };
    ($view:ident) => {
        Some(|declarations| declarations.name_of::<$crate::dto::$view>())
    };
}

/// Where a command runs.
macro_rules! run {
    ([stream fn] $($row:tt)+) => {
        $crate::registry::Run::Stream
    };
    ([blocking $($how:ident)+] $($row:tt)+) => {
        $crate::registry::Run::Call(|api, request| {
            $crate::registry::apart(async move { call!([$($how)+] api, request, $($row)+) })
        })
    };
    ([$($how:ident)+] $($row:tt)+) => {
        $crate::registry::Run::Call(|api, request| {
            Box::pin(async move { call!([$($how)+] api, request, $($row)+) })
        })
    };
}

/// The call of the method, from JSON to JSON.
macro_rules! call {
    ([$($how:ident)+] $api:ident, $request:ident, $name:ident () $answer:tt) => {{
        drop($request);
        answer!(outcome!([$($how)+] $api.$name()), $answer)
    }};
    ([$($how:ident)+] $api:ident, $request:ident, $name:ident ($type:ident) $answer:tt) => {{
        let request: $crate::dto::$type = $crate::registry::read($request)?;
        answer!(outcome!([$($how)+] $api.$name(&request)), $answer)
    }};
}

/// What the method gives, awaited if it is a future.
macro_rules! outcome {
    ([fn] $call:expr) => {
        $call
    };
    ([async fn] $call:expr) => {
        $call.await
    };
}

/// The answer as JSON, of the type that the row names.
macro_rules! answer {
    ($outcome:expr, ()) => {{
        let () = $outcome;
        $crate::registry::json(&())
    }};
    ($outcome:expr, (Result<()>)) => {{
        let () = $outcome?;
        $crate::registry::json(&())
    }};
    ($outcome:expr, (Result<$view:ident>)) => {{
        let view: $crate::dto::$view = $outcome?;
        $crate::registry::json(&view)
    }};
    ($outcome:expr, ($view:ident)) => {{
        let view: $crate::dto::$view = $outcome;
        $crate::registry::json(&view)
    }};
}
