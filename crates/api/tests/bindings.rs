//! The committed TypeScript declarations are those that the DTOs generate.

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_typescript_bindings_are_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(pilothouse_api::bindings::PATH);
        let committed = std::fs::read_to_string(&path).expect("the bindings are committed");
        assert!(
            committed == pilothouse_api::bindings::typescript(),
            "{} is stale: run `make bindings`",
            path.display()
        );
    }
}
