//! Writes the TypeScript declarations of the DTOs.

fn main() -> std::io::Result<()> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::write(
        root.join(pilothouse_api::bindings::PATH),
        pilothouse_api::bindings::typescript(),
    )
}
