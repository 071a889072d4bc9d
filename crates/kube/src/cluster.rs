//! A cluster as the operator named it, whether it can be used or not.

use pilothouse_core::model::{Finding, SourceError};
use pilothouse_core::ports::Clock;

use crate::{ConnectOptions, KubeSource, Kubeconfigs};

/// What a shell needs to know of a cluster before it has answered.
pub struct NamedCluster {
    /// Its context. One that cannot be connected keeps its name, and with it what the name says of it; `none` if there is
    /// no kubeconfig.
    pub context: String,
    /// What the operator must see as long as the connection lives.
    pub warnings: Vec<Finding>,
    /// The way to it, or why there is none.
    pub source: Result<KubeSource, SourceError>,
}

impl NamedCluster {
    /// As [`KubeSource::connect`], which it calls.
    #[must_use]
    pub fn open(options: &ConnectOptions, clock: Clock) -> Self {
        let source = KubeSource::connect(options.clone(), clock);
        let (context, warnings) = match &source {
            Ok(source) => (Some(source.facts().context.clone()), source.warnings()),
            Err(_) => (Kubeconfigs::context_name(options), Vec::new()),
        };
        Self {
            context: context.unwrap_or_else(|| "none".to_owned()),
            warnings,
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::age::tests::still;

    #[test]
    fn a_cluster_that_cannot_be_connected_keeps_its_name() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let text = "current-context: prod-eu\ncontexts: [{name: prod-eu, context: 7}]\n";
        file.write_all(text.as_bytes()).unwrap();
        let options = ConnectOptions {
            kubeconfig: vec![file.path().to_owned()],
            ..ConnectOptions::default()
        };
        let named = NamedCluster::open(&options, still());
        assert!(named.source.is_err());
        assert_eq!(named.context, "prod-eu");
        assert_eq!(
            NamedCluster::open(&ConnectOptions::default(), still()).context,
            "none"
        );
    }
}
