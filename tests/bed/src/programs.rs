//! Programs that only some tests need: each is built into the cache when the first test asks.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cache::{self, GoProgram};
use crate::install;

/// A program that a test can start by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// The real kubectl 1.36.2.
    Kubectl,
    /// kube-apiserver 1.36.2 with an etcd inside.
    KubeApiserver,
    /// kube-controller-manager 1.36.2.
    KubeControllerManager,
    /// kwok 0.8: says of pods that they run, and plays the kubelet of every node.
    Kwok,
    /// Jaeger 2.13.
    Jaeger,
    /// Debian's Prometheus, 2.42 on Debian 12.
    Prometheus2,
    /// Prometheus 3.16.
    Prometheus3,
    /// Thanos 0.42.
    Thanos,
    /// Debian's `VictoriaMetrics`, 1.79 on Debian 12.
    VictoriaMetrics,
}

impl Program {
    /// Every program, in the order in which a cold build is the shortest: what shares modules
    /// with its neighbour comes after it.
    pub const ALL: [Self; 9] = [
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::Kubectl,
        Self::Kwok,
        Self::Jaeger,
        Self::Prometheus3,
        Self::Thanos,
        Self::Prometheus2,
        Self::VictoriaMetrics,
    ];

    /// The program's file, built now where it is missing, which takes minutes and is done once.
    ///
    /// # Errors
    /// A build that fails; a Debian package that is missing, by its name.
    pub fn find(self) -> Result<PathBuf> {
        self.find_and_tell(&mut |_| ())
    }

    /// [`Program::find`], which tells `say` what it builds.
    ///
    /// # Errors
    /// As [`Program::find`].
    pub fn find_and_tell(self, say: &mut dyn FnMut(String)) -> Result<PathBuf> {
        let built = |program: &GoProgram, say| install::ensure_built(program, say);
        match self {
            Self::Kubectl => built(&cache::KUBECTL, say),
            Self::KubeApiserver => built(&cache::KUBE_APISERVER, say),
            Self::KubeControllerManager => built(&cache::KUBE_CONTROLLER_MANAGER, say),
            Self::Jaeger => built(&cache::JAEGER, say),
            Self::Kwok => built(&cache::KWOK, say),
            Self::Prometheus3 => built(&cache::PROMETHEUS_3, say),
            Self::Thanos => built(&cache::THANOS, say),
            Self::Prometheus2 => cache::prometheus(),
            Self::VictoriaMetrics => cache::program("victoria-metrics")
                .context("VictoriaMetrics is missing: install Debian's package `victoria-metrics`"),
        }
    }
}
