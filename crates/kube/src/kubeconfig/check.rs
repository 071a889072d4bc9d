//! What kubectl finds wrong with a cluster and a user before it makes a connection of them.
//!
//! Source: `validateClusterInfo` and `validateAuthInfo` of `k8s.io/client-go/tools/clientcmd` (`validation.go`), whose
//! words these are.

use std::fs::File;

use super::types::{Cluster, Exec, User};

/// Everything that is wrong with a user of this name.
pub(crate) fn user(name: &str, user: &User) -> Vec<String> {
    let mut wrong = Vec::new();
    if !user.client_certificate.is_empty() || !user.client_certificate_data.is_empty() {
        certificate(name, user, &mut wrong);
    }
    if let Some(exec) = &user.exec {
        if user.provider.is_some() {
            wrong.push(format!(
                "authProvider cannot be provided in combination with an exec plugin for {name}"
            ));
        }
        plugin(name, exec, &mut wrong);
    }
    let has_basic = !user.username.is_empty() || !user.password.is_empty();
    if !user.token.is_empty() && has_basic {
        wrong.push(format!(
            "more than one authentication method found for {name}; found [token basicAuth], only one is allowed"
        ));
    }
    let asks_for_more = !user.impersonate_uid.is_empty()
        || !user.impersonate_groups.is_empty()
        || !user.impersonate_extra.is_empty();
    if asks_for_more && user.impersonate.is_empty() {
        wrong.push(format!(
            "requesting uid, groups or user-extra for {name} without impersonating a user"
        ));
    }
    wrong
}

fn certificate(name: &str, user: &User, wrong: &mut Vec<String>) {
    let has_file = !user.client_certificate.is_empty();
    let has_key_file = !user.client_key.is_empty();
    if has_file && !user.client_certificate_data.is_empty() {
        wrong.push(format!(
            "client-cert-data and client-cert are both specified for {name}. client-cert-data will override."
        ));
    }
    if has_key_file && !user.client_key_data.is_empty() {
        wrong.push(format!(
            "client-key-data and client-key are both specified for {name}; client-key-data will override"
        ));
    }
    if !has_key_file && user.client_key_data.is_empty() {
        wrong.push(format!(
            "client-key-data or client-key must be specified for {name} to use the clientCert authentication method."
        ));
    }
    if has_file {
        wrong.extend(unreadable("client-cert", &user.client_certificate, name));
    }
    if has_key_file {
        wrong.extend(unreadable("client-key", &user.client_key, name));
    }
}

fn plugin(name: &str, exec: &Exec, wrong: &mut Vec<String>) {
    let mut must = |what: &str| {
        wrong.push(format!(
            "{what} must be specified for {name} to use exec authentication plugin"
        ));
    };
    if exec.command.is_empty() {
        must("command");
    }
    if exec.api_version.is_empty() {
        must("apiVersion");
    }
    for _ in exec.env.iter().filter(|(name, _)| name.is_empty()) {
        must("env variable name");
    }
    match exec.interactive_mode.as_str() {
        "" => must("interactiveMode"),
        "Never" | "IfAvailable" | "Always" => {}
        other => wrong.push(format!("invalid interactiveMode for {name}: \"{other}\"")),
    }
}

/// Everything that is wrong with a cluster of this name that has a server.
pub(crate) fn cluster(name: &str, cluster: &Cluster) -> Vec<String> {
    let mut wrong = Vec::new();
    if !cluster.proxy_url.is_empty() && !has_proxy_scheme(&cluster.proxy_url) {
        wrong.push(format!(
            "invalid 'proxy-url' for cluster \"{name}\": it must be an http, https or socks5 URL"
        ));
    }
    let authority = &cluster.certificate_authority;
    if !authority.is_empty() && !cluster.certificate_authority_data.is_empty() {
        wrong.push(format!(
            "certificate-authority-data and certificate-authority are both specified for {name}. \
             certificate-authority-data will override."
        ));
    }
    if !authority.is_empty() {
        wrong.extend(unreadable("certificate-authority", authority, name));
    }
    wrong
}

fn has_proxy_scheme(url: &str) -> bool {
    let scheme = url
        .split_once(':')
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https" | "socks5"))
}

fn unreadable(what: &str, path: &str, name: &str) -> Option<String> {
    let error = File::open(path).err()?;
    Some(format!(
        "unable to read {what} {path} for {name} due to {error}"
    ))
}

/// As kubectl joins what is wrong.
pub(crate) fn joined(wrong: &[String]) -> Option<String> {
    match wrong {
        [] => None,
        [only] => Some(only.clone()),
        several => Some(format!("[{}]", several.join(", "))),
    }
}
