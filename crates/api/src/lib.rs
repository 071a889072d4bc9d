//! The only surface for shells: queries, mutations and the update stream, with their DTOs and error codes.
//!
//! [`Api`] is a thin facade over the engine. It turns domain values into the stable shapes of [`dto`], and every failure
//! into an [`dto::ApiError`] with a code from a closed list. Nothing is decided here.

mod api;
pub mod bindings;
mod convert;
mod document;
pub mod dto;
mod registry;
mod rights;
mod subscription;

pub use api::{Api, GraphQuery, clock_at};
pub use convert::{dot, exit_code};
pub use document::{ValidateView, validate_text, yaml};
pub use registry::{COMMANDS, Command, dispatch};
pub use subscription::Subscription;
