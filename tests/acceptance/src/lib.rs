//! Acceptance tests live in `tests/`; this library is their shared toolbox.
