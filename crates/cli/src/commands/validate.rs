//! `validate`: local validation of manifests.

use std::fs;
use std::io::Read as _;

use pilothouse_api::validate_text;

use crate::args::{TableOrJson, ValidateArgs};
use crate::failure::{Exit, Failure};
use crate::output;

/// Exit 0 if accepted, 65 if rejected or unreadable.
pub(crate) fn run(args: &ValidateArgs) -> Result<Exit, Failure> {
    let view = validate_text(&read(&args.filename)?)?;
    match args.output {
        TableOrJson::Json => output::json(&view)?,
        TableOrJson::Table => {
            let rows: Vec<Vec<String>> = view
                .findings
                .iter()
                .map(|f| {
                    let place = format!("{}{}", f.object, f.path);
                    vec![f.severity.clone(), f.code.clone(), place, f.message.clone()]
                })
                .collect();
            if !rows.is_empty() {
                output::table(&["SEVERITY", "CODE", "WHERE", "MESSAGE"], &rows)?;
            }
            output::text(&view.verdict)?;
        }
    }
    Ok(if view.verdict == "accept" {
        Exit::OK
    } else {
        Exit(65)
    })
}

fn read(name: &str) -> Result<String, Failure> {
    let bytes = if name == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .take(17 << 20)
            .read_to_end(&mut bytes)
            .map(|_| bytes)
    } else {
        fs::read(name)
    };
    let bytes = bytes.map_err(|error| Failure::bad_data(format!("reading {name}: {error}")))?;
    String::from_utf8(bytes).map_err(|_| Failure::bad_data(format!("{name} is not UTF-8 text")))
}
