//! Behaviour of the mesh as its readers see it.

mod history;
mod routes;
mod rows;
mod traces;
