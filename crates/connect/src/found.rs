//! Which flag, variable or file named a source: the first line of every report about it.

use std::ffi::OsString;

use pilothouse_engine::SourceKind;

use crate::args::{PROMETHEUS, SourceArgs, TRACES};

/// What named a source; `None` if nothing did. `variable` reads the environment. A flag that repeats the variable's value
/// counts as the variable: nothing tells them apart.
#[must_use]
pub fn found_by(
    args: &SourceArgs,
    source: SourceKind,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<String> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let flag_or = |flag: &str, name: &str, value: &str| {
        let same = variable(name).is_some_and(|set| set == value);
        if same {
            format!("${name}")
        } else {
            flag.to_owned()
        }
    };
    match source {
        SourceKind::Traces if !args.traces.is_empty() => {
            Some(flag_or("--traces", TRACES, args.traces.first()?))
        }
        _ if args.demo => Some("--demo".to_owned()),
        SourceKind::ControlPlane if args.no_kubernetes => None,
        SourceKind::ControlPlane if args.kubeconfig.is_empty() => Some(
            variable("KUBECONFIG")
                .filter(|files| !files.is_empty())
                .map_or_else(|| "~/.kube/config".to_owned(), |_| "$KUBECONFIG".to_owned()),
        ),
        SourceKind::ControlPlane => {
            let files = args
                .kubeconfig
                .iter()
                .map(|file| file.display().to_string());
            Some(files.collect::<Vec<_>>().join(", "))
        }
        SourceKind::Metrics => Some(flag_or(
            "--prometheus",
            PROMETHEUS,
            args.prometheus.as_deref()?,
        )),
        SourceKind::Traces => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(args: &SourceArgs, source: SourceKind, variable: (&str, &str)) -> Option<String> {
        found_by(args, source, |name| {
            (name == variable.0).then(|| OsString::from(variable.1))
        })
    }

    #[test]
    fn a_source_is_found_by_its_flag_its_variable_or_a_file() {
        let args = SourceArgs {
            prometheus: Some("http://p".to_owned()),
            ..SourceArgs::default()
        };
        let none = ("", "");
        let flag = found(&args, SourceKind::Metrics, none);
        assert_eq!(flag.as_deref(), Some("--prometheus"));
        let variable = found(&args, SourceKind::Metrics, (PROMETHEUS, "http://p"));
        assert_eq!(variable.as_deref(), Some("$PILOTHOUSE_PROMETHEUS"));
        let file = found(&args, SourceKind::ControlPlane, none);
        assert_eq!(file.as_deref(), Some("~/.kube/config"));
        assert_eq!(found(&args, SourceKind::Traces, none), None);
        let off = SourceArgs {
            no_kubernetes: true,
            ..args
        };
        assert_eq!(found(&off, SourceKind::ControlPlane, none), None);
    }
}
