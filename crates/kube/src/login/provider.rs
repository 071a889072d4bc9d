//! Auth providers of old. kubectl has `oidc` left, and says of the others what came after them.
//!
//! Sources: `k8s.io/client-go/plugin/pkg/client/auth` (`oidc`, and the stubs `gcp` and `azure`), whose words these are.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pilothouse_core::model::Moment;
use serde::Deserialize;

use crate::kubeconfig::Provider;

/// The token of a provider: not of one that is gone or lacks its settings, and a reason where there is none at the
/// moment.
pub(super) fn token(provider: &Provider, now: Moment) -> Result<Result<String, String>, String> {
    match provider.name.as_str() {
        "oidc" => {
            let setting = |name: &str| {
                let text = provider.config.get(name);
                text.filter(|text| !text.is_empty())
            };
            for name in ["idp-issuer-url", "client-id"] {
                setting(name).ok_or_else(|| format!("Must provide {name}"))?;
            }
            let token = setting("id-token").cloned();
            let can_renew = setting("refresh-token").is_some();
            Ok(id_token(token, can_renew, now))
        }
        "gcp" => Err("The gcp auth plugin has been removed. Please use the \"gke-gcloud-auth-plugin\" kubectl/client-go \
                      credential plugin instead."
            .to_owned()),
        "azure" => Err("The azure auth plugin has been removed. Please use the https://github.com/Azure/kubelogin \
                        kubectl/client-go credential plugin instead."
            .to_owned()),
        name => Err(format!("no Auth Provider found for name \"{name}\"")),
    }
}

/// The one claim that matters here.
#[derive(Deserialize)]
struct Claims {
    exp: i64,
}

fn id_token(token: Option<String>, can_renew: bool, now: Moment) -> Result<String, String> {
    if let Some(token) = token {
        let expires =
            expiry(&token).ok_or("malformed JWT in the id-token of auth-provider oidc")?;
        if expires > now {
            return Ok(token);
        }
    }
    Err(if can_renew {
        "the id-token of auth-provider oidc has expired; run kubectl with this context once, which renews it".to_owned()
    } else {
        "No valid id-token, and cannot refresh without refresh-token".to_owned()
    })
}

fn expiry(token: &str) -> Option<Moment> {
    let claims = token.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    claims.exp.checked_mul(1000).map(Moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_token_is_good_until_it_expires() {
        let now = Moment(1_000_000);
        let jwt = |exp: i64| {
            let claims = URL_SAFE_NO_PAD.encode(format!("{{\"exp\": {exp}}}"));
            Some(format!("h.{claims}.s"))
        };
        assert_eq!(id_token(jwt(1_001), false, now), Ok(jwt(1_001).unwrap()));
        let cases = [
            (jwt(1_000), false, "cannot refresh"),
            (jwt(1_000), true, "run kubectl"),
            (None, false, "cannot refresh"),
            (Some("x".to_owned()), true, "malformed"),
        ];
        for (token, can_renew, why) in cases {
            let error = id_token(token, can_renew, now).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
