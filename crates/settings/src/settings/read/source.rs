//! The table of one source.

use std::collections::BTreeMap;

use super::reader::{Reader, Section};
use super::secrets;
use crate::problem::ProblemKind;
use pilothouse_core::ports::TraceKind;

use crate::settings::context::{Auth, Location, ServiceAddress, SourceSettings};

pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> SourceSettings {
    let kind = if section.schema.ends_with("traces") {
        reader.choice(section, "kind").and_then(TraceKind::of_word)
    } else {
        None
    };
    SourceSettings {
        kind,
        location: location(reader, section),
        tenant: reader.text(section, "tenant"),
        headers: headers(reader, section),
        ca_file: reader.path(section, "ca_file"),
        client_cert_file: reader.path(section, "client_cert_file"),
        client_key_file: reader.path(section, "client_key_file"),
        auth: auth(reader, section),
        user: reader.text(section, "user"),
        secret_header: secret_header(reader, section),
    }
}

fn location(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Location> {
    let address = address(reader, section);
    let service = reader.text(section, "service").and_then(|text| {
        let service = ServiceAddress::parse(&text);
        if service.is_none() {
            reader.not_allowed(
                section,
                "service",
                "a Service is written `namespace/name:port`",
            );
        }
        service
    });
    let base_path = reader.text(section, "base_path").filter(|path| {
        let is_path = path.starts_with('/') && !path.contains(['?', '#', ' ']);
        if !is_path {
            reader.not_allowed(
                section,
                "base_path",
                "a base path begins with `/` and has no query",
            );
        }
        is_path
    });
    let https = reader.flag(section, "https");
    if section.item("address").is_some() && section.item("service").is_some() {
        reader.not_allowed(
            section,
            "service",
            "there is an address as well, and it wins: keep one of them",
        );
    } else if section.item("address").is_some() && base_path.is_some() {
        reader.not_allowed(
            section,
            "base_path",
            "the path of an address is written into the address",
        );
    } else if section.item("address").is_some() && https.is_some() {
        reader.not_allowed(
            section,
            "https",
            "an address says it by its own `http://` or `https://`",
        );
    }
    match (address, service) {
        (Some(address), _) => Some(Location::Address(address)),
        (None, Some(service)) => Some(Location::Service(ServiceAddress {
            base_path: base_path.unwrap_or(service.base_path),
            https: https.unwrap_or(service.https),
            ..service
        })),
        (None, None) => None,
    }
}

fn address(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<String> {
    let text = reader.text(section, "address")?;
    if secrets::has_credentials(&text) {
        let message = "an address with a user or a password in it is not used";
        let hint =
            "take them out of it: `user` for the name, `secret = \"keychain\"` for the password";
        reader.problem(ProblemKind::SecretInFile, section, "address", message, hint);
        return None;
    }
    let host = ["http://", "https://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let has_host =
        host.is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || c == '['));
    let is_plain = !text.contains(['?', '#', ' ', '\\']);
    if !has_host || !is_plain {
        let message = "an address is `http://…` or `https://…`, with a path if need be and without query or fragment";
        reader.not_allowed(section, "address", message);
        return None;
    }
    Some(text)
}

fn auth(reader: &mut Reader<'_>, section: &Section<'_>) -> Auth {
    let file = reader.path(section, "token_file").map(Auth::TokenFile);
    let command = reader.texts(section, "token_command").and_then(|command| {
        let has_program = command.first().is_some_and(|program| !program.is_empty());
        if !has_program {
            reader.not_allowed(
                section,
                "token_command",
                "the first element is the program to run",
            );
        }
        has_program.then_some(Auth::TokenCommand(command))
    });
    let keychain = keychain(reader, section).then_some(Auth::Keychain);
    let said: Vec<&str> = ["token_file", "token_command", "secret"]
        .into_iter()
        .filter(|name| section.item(name).is_some())
        .collect();
    if let [first, .., last] = said.as_slice() {
        let message = format!(
            "there is `{first}` as well, and the first of {} wins: keep one of them",
            said.join(", ")
        );
        reader.not_allowed(section, last, message);
    }
    file.or(command).or(keychain).unwrap_or_default()
}

/// `secret` takes one word. Anything else is likely the secret itself, and is not quoted.
fn keychain(reader: &mut Reader<'_>, section: &Section<'_>) -> bool {
    let Some(item) = section.item("secret") else {
        return false;
    };
    if item.as_str() == Some("keychain") {
        return true;
    }
    reader.secret_in_file(section, "secret");
    false
}

fn headers(reader: &mut Reader<'_>, section: &Section<'_>) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    let Some(table) = reader.plain_table(section, "headers") else {
        return headers;
    };
    for (name, _) in table.table.iter() {
        if secrets::is_telling(name) {
            reader.secret_in_file(&table, name);
            continue;
        }
        if !is_header_name(name) {
            reader.not_allowed(&table, name, "not a name of a header");
            continue;
        }
        if let Some(value) = reader.text(&table, name) {
            headers.insert(name.to_owned(), value);
        }
    }
    headers
}

fn secret_header(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<String> {
    let name = reader.text(section, "secret_header")?;
    if is_header_name(&name) {
        return Some(name);
    }
    reader.not_allowed(
        section,
        "secret_header",
        "not a name of a header: the secret itself goes into the keychain",
    );
    None
}

/// A token of RFC 9110, section 5.6.2.
fn is_header_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.chars().all(good)
}
