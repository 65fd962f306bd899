//! The configuration: one TOML file becomes every module's settings, or all of its errors at once.
//!
//! Trusts nothing: an unknown key, service, issuer or mode is an error that names file and line.
//! Secrets come from files, never inline.
//!
//! Invariant: the [`Config`] that [`load`] returns is complete and consistent; nothing is looked up
//! later.

mod accepted;
mod auth;
mod client;
mod components;
mod denies;
mod destination;
mod fixed;
mod issuers;
mod operations;
mod policy_point;
mod presentation;
mod questions;
mod reader;
mod reissue;
mod renamed;
mod server;
mod services;
mod signers;
mod tenants;
mod urgent;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::DeTable;

use crate::audit;
use crate::call::TenantShare;
use crate::delegation::{Auth, PolicyPointSettings, ServiceSettings};
use crate::denials::DenialFile;
use crate::dispatch::{Acceptance, ComponentGrant, Terms};
use crate::egress::Tls;
use crate::identity::{IssuerSettings, Questions};
use crate::intake::Signers;
use crate::limits::Limits;
use crate::owned::Trust;
use crate::seams::Clock;
use crate::tokens::{
    Algorithm, ClientSettings, Introspection, KeySettings, KeySource, LocalIssuer,
};
use reader::{Problems, Section};
use services::ReadBefore;

pub use accepted::{Accepted, AcceptedError};
pub use fixed::{Fixed, RestartNeeded};
pub use operations::{OperationsSettings, PageRule};
pub use reader::ConfigError;
pub use server::{AuditSettings, EnvelopeSettings, ServerSettings};
pub use urgent::{DenySettings, deny_settings, health_address};

/// A configuration that a host can start with.
pub struct Config {
    /// `[server]`.
    pub server: ServerSettings,
    /// `[operations]`, if there is such a section.
    pub operations: Option<OperationsSettings>,
    /// `[[issuers]]`.
    pub issuers: Vec<Issuer>,
    /// `[envelope]`.
    pub envelope: EnvelopeSettings,
    /// `[reissue]`: the host as an issuer, if it is one.
    pub reissuer: Option<Arc<LocalIssuer>>,
    /// `[services.*]`.
    pub services: Vec<ServiceSettings>,
    /// `[policy_point]`, if there is such a section.
    pub policy_point: Option<PolicyPointSettings>,
    /// `[components.*]`.
    pub components: BTreeMap<String, ComponentGrant>,
    /// `[tenants.*]`.
    pub tenants: Vec<TenantShare>,
    /// `[signers.*]`.
    pub signers: Signers,
    /// The definitions that the operator accepted.
    pub accepted: Accepted,
    /// `[limits]`.
    pub limits: Limits,
    /// `[audit]`.
    pub audit: AuditSettings,
    /// The configuration file.
    pub file: PathBuf,
    /// SHA-256 of the file, hexadecimal.
    pub digest: String,
    /// The other files that were read: secrets, dialects, and `accepted.json` if any component
    /// needs it.
    pub files: Vec<PathBuf>,
    /// The secrets among them.
    pub secrets: Vec<PathBuf>,
    /// SHA-256 over the file and all secrets, hexadecimal. Never shown, because secrets can be
    /// guessed from it.
    pub fingerprint: String,
}

impl Config {
    /// Returns the part that is read once, at the start. Two configurations that differ in it
    /// cannot follow each other without a restart.
    pub fn fixed(&self) -> Fixed {
        Fixed::of(self)
    }

    /// Returns the files of the denials.
    pub fn denials(&self) -> DenialFile {
        self.server.denials(&self.audit)
    }

    /// Returns the settings of the journal.
    pub fn journal(&self) -> audit::Settings {
        server::journal(&self.server, &self.envelope, &self.audit)
    }

    /// Returns what it allows components.
    pub fn terms(&self) -> ComponentTerms {
        ComponentTerms {
            grants: self.components.clone(),
            signers: self.signers.clone(),
            accepted: self.accepted.clone(),
            require_acceptance: self.server.require_acceptance,
            trust: self.server.trust.clone(),
            file: self.file.clone(),
        }
    }
}

/// The part of a configuration that is about components.
#[derive(Debug, Clone, Default)]
pub struct ComponentTerms {
    grants: BTreeMap<String, ComponentGrant>,
    signers: Signers,
    accepted: Accepted,
    require_acceptance: bool,
    trust: Trust,
    file: PathBuf,
}

impl ComponentTerms {
    /// Returns the components that it names.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.grants.keys()
    }

    /// Returns everything that it says about the component `name`.
    pub fn of(&self, name: &str) -> Terms {
        let grant = self.grants.get(name).cloned().unwrap_or_default();
        let required = grant.require_acceptance.unwrap_or(self.require_acceptance);
        let acceptance = if required {
            Acceptance::Required {
                accepted: self.accepted.of(name).cloned(),
                config: self.file.clone(),
            }
        } else {
            Acceptance::NotRequired
        };
        Terms {
            grant,
            signers: self.signers.clone(),
            acceptance,
            trust: self.trust.clone(),
        }
    }
}

/// One issuer with its keys.
pub struct Issuer {
    /// The rules for its tokens.
    pub settings: IssuerSettings,
    /// The source of its keys.
    pub keys: KeySource,
    /// Algorithms that it may use.
    pub algorithms: Vec<Algorithm>,
    /// Where and when it is asked about its tokens.
    pub introspection: Option<IntrospectionSettings>,
}

/// Where an issuer is asked about its tokens (RFC 7662), and about which.
pub struct IntrospectionSettings {
    /// The host as a client of the endpoint.
    pub client: ClientSettings,
    /// True if tokens that are no JWTs are this issuer's.
    pub opaque: bool,
    /// True if JWTs are asked about too.
    pub check: bool,
}

impl Issuer {
    /// Returns whose keys they are, where they come from and what they may verify.
    pub fn key_settings(&self) -> KeySettings {
        KeySettings {
            issuer: self.settings.issuer.clone(),
            source: self.keys.clone(),
            algorithms: self.algorithms.clone(),
        }
    }

    /// Returns the means of asking it about its tokens, if there are any.
    pub fn questions(&self, tls: &Tls, clock: &Arc<dyn Clock>) -> Option<Questions> {
        let settings = self.introspection.as_ref()?;
        let (issuer, client) = (self.settings.issuer.clone(), settings.client.clone());
        Some(Questions {
            endpoint: Introspection::new(issuer, client, tls, Arc::clone(clock)),
            opaque: settings.opaque,
            check: settings.check,
        })
    }
}

/// Reads and checks the configuration in `file`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(file: &Path) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|cause| ConfigError::one(file, format!("it cannot be read: {cause}")))?;
    parse(file, &text)
}

fn parse(file: &Path, text: &str) -> Result<Config, ConfigError> {
    let problems = Problems::new(file, text);
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            problems.at(error.span().map_or(0, |span| span.start), error.message());
            return Err(problems.into_error());
        }
    };
    let config = read(&Section::root(&table, &problems), text);
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(problems.into_error()),
    }
}

/// Lets all who ask one authorization server as one client share the times at which it is not
/// asked.
fn share_pauses(
    issuers: &mut [Issuer],
    services: &mut [ServiceSettings],
    point: Option<&mut Auth>,
) {
    let asked = issuers
        .iter_mut()
        .filter_map(|issuer| Some(&mut issuer.introspection.as_mut()?.client));
    let served = services.iter_mut().flat_map(ServiceSettings::clients);
    let judging = point.and_then(Auth::client);
    ClientSettings::share_pauses(asked.chain(served).chain(judging));
}

fn read(root: &Section<'_>, text: &str) -> Option<Config> {
    let server = server::server(root);
    root.check_file();
    let operations = operations::operations(root, server.as_ref().map(|server| server.listen));
    let envelope = server::envelope(root);
    let audit = server::audit(root, envelope.as_ref());
    let limits = server::limits(root);
    let shown = server.as_ref().map(|server| &server.scopes);
    let mut issuers = issuers::issuers(root, shown);
    let agents = Arc::new(issuers::agents(root));
    for issuer in &mut issuers {
        issuer.settings.agents = Arc::clone(&agents);
    }
    let reissuer = reissue::reissue(root, &issuers, server.as_ref(), envelope.as_ref());
    let services = services::services(
        root,
        ReadBefore {
            issuers: &issuers,
            limits: &limits,
            reissuer: reissuer.as_ref(),
            reissues: root.has("reissue"),
        },
    );
    let mut policy_point = policy_point::policy_point(root, &issuers, &limits);
    let tenants = tenants::tenants(root, &issuers);
    let components = components::components(root, &services, &issuers);
    let signers = signers::signers(root, &services);
    if let Some(reissuer) = &reissuer {
        reissue::check_file(root, reissuer);
    }
    let mut services = services.sound;
    let point = policy_point.as_mut().map(|point| &mut point.auth);
    share_pauses(&mut issuers, &mut services, point);
    let (server, audit, envelope) = (server?, audit?, envelope?);
    server::check_folders(root, &server, &audit, &envelope);
    let required = server.require_acceptance
        || components
            .values()
            .any(|grant| grant.require_acceptance == Some(true));
    let accepted = if required {
        root.accepted(&server.accepted)?
    } else {
        Accepted::default()
    };
    let digest = sha256(text);
    Some(Config {
        server,
        operations,
        issuers,
        envelope,
        reissuer: reissuer.map(|reissuer| reissuer.issuer),
        services,
        policy_point,
        components,
        tenants,
        signers,
        accepted,
        limits,
        audit,
        file: root.file(),
        digest,
        secrets: root.secret_files(),
        files: root.files(),
        fingerprint: root.fingerprint(text),
    })
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    crate::seams::hex(&sha2::Sha256::digest(text))
}

fn beside(file: &Path, path: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new(".")).join(path)
}

#[cfg(test)]
mod tests;
