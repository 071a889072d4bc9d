//! Certificates of a cluster: an authority that signs the API server's and its clients'.
//!
//! Everything is ECDSA on P-256 and lives as long as the test.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// A certificate authority, which signs for one cluster.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its private key, both as PEM.
#[derive(Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its private key (PKCS #8).
    pub key: String,
}

/// Until when a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Longer than any test.
    Good,
    /// Until the end of 2020.
    Expired,
}

impl Authority {
    pub(crate) fn create(name: &str) -> Result<Self> {
        let mut params = named(name, Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer })
    }

    /// The authority's own certificate as PEM, which clients trust.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A server's certificate for these names and addresses.
    pub(crate) fn server(&self, names: &[&str]) -> Result<Identity> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = named("kube-apiserver", names)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params)
    }

    /// A client's certificate, which Kubernetes reads as a user with at most one group.
    pub(crate) fn client(
        &self,
        user: &str,
        group: Option<&str>,
        validity: Validity,
    ) -> Result<Identity> {
        let mut params = named(user, Vec::new())?;
        if let Some(group) = group {
            params
                .distinguished_name
                .push(DnType::OrganizationName, group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if validity == Validity::Expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2020, 12, 31);
        }
        self.sign(&params)
    }

    /// What the API server's main program looks for in its state folder.
    ///
    /// The key file has the public key too: the program takes it for the tokens of service
    /// accounts as well, and Kubernetes reads no public key out of a PKCS #8 private one.
    pub(crate) fn write_server(&self, state: &Path, names: &[&str]) -> Result<()> {
        let server = self.server(names)?;
        let public = KeyPair::from_pem(&server.key)?.public_key_pem();
        write(&state.join("server.key"), &(server.key + &public))?;
        write(
            &state.join("server.crt"),
            &(server.certificate + &self.pem()),
        )
    }

    fn sign(&self, params: &CertificateParams) -> Result<Identity> {
        let key = KeyPair::generate()?;
        Ok(Identity {
            certificate: params.signed_by(&key, &self.issuer)?.pem(),
            key: key.serialize_pem(),
        })
    }
}

fn named(name: &str, alternatives: Vec<String>) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(alternatives)?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
