//! The only surface for shells: queries, mutations and the update stream, with their DTOs and error codes.

pub mod bindings;
pub mod dto;
