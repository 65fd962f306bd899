//! `[reissue]`: the host as the issuer of tokens for services that can only read a user's JWT.
//!
//! Invariant: it has a key, a name and documents that nothing else of the host has, and one issuer
//! whose users it stands for, because a service that knows it knows their subjects alone.

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;
use zeroize::Zeroizing;

use super::Issuer;
use super::issuers::is_sound;
use super::reader::Section;
use super::server::{EnvelopeSettings, ServerSettings};
use crate::envelope::signing_key_ids;
use crate::tokens::{LocalIssuer, SigningPair};

/// The issuer that was read.
pub(super) struct Reissuer {
    pub(super) issuer: Arc<LocalIssuer>,
    pub(super) subject_issuer: String,
    pub(super) client_id: String,
    key_file: PathBuf,
    /// How often its own section names that file.
    own_uses: usize,
    /// Names that no service's audience may be: those of the host itself.
    pub(super) own_names: Vec<String>,
}

/// Reads `[reissue]`, if there is one.
pub(super) fn reissue(
    root: &Section<'_>,
    issuers: &[Issuer],
    server: Option<&ServerSettings>,
    envelope: Option<&EnvelopeSettings>,
) -> Option<Reissuer> {
    let section = root.section("reissue")?;
    let earlier = root.secret_files().len();
    let name = section.required("issuer");
    let subject_issuer = subject_issuer(&section, issuers);
    let client_id = section.text("client_id");
    let client_id = client_id.unwrap_or_else(|| "bailiwick".to_owned());
    is_sound(&section, "client_id", &client_id);
    let key = pair(&section, section.secret_bytes("key_file"), "key_file");
    let others = section.each_secret_bytes("published_key_files");
    let others = others.unwrap_or_default().into_iter();
    let others = others.map(|pem| pair(&section, Some(pem), "published_key_files"));
    let others: Option<Vec<SigningPair>> = others.collect();
    let made = LocalIssuer::new(name.as_deref()?, key?, &others?);
    let wrong = |error: &_| section.wrong("issuer", &format!("{error}"));
    let issuer = made.inspect_err(wrong).ok()?;
    check_name(&section, &issuer, issuers);
    if let Some(server) = server {
        check_door(&section, &issuer, server);
    }
    if let Some(envelope) = envelope {
        check_keys(&section, &issuer, envelope, server);
    }
    let key_file = section.beside(&section.text("key_file")?);
    let files = section.secret_files();
    let own = files.iter().skip(earlier);
    let own_uses = own.filter(|file| **file == key_file).count();
    let resource = server.and_then(|server| server.resource.clone());
    let domain = envelope.map(|envelope| envelope.trust_domain.clone());
    let own = Some(issuer.name().to_owned());
    Some(Reissuer {
        own_names: [resource, domain, own].into_iter().flatten().collect(),
        issuer: Arc::new(issuer),
        subject_issuer: subject_issuer?,
        client_id,
        key_file,
        own_uses,
    })
}

/// Reads the alias of the one issuer whose users the tokens name; by default the only one.
fn subject_issuer(section: &Section<'_>, issuers: &[Issuer]) -> Option<String> {
    let aliases = || issuers.iter().map(|issuer| &issuer.settings.alias);
    let named = section.text("subject_issuer");
    match (named, issuers) {
        (Some(alias), _) if aliases().any(|known| *known == alias) => Some(alias),
        (Some(alias), _) => {
            let why = format!("no issuer has the alias {alias:?}");
            section.wrong("subject_issuer", &why);
            None
        }
        (None, [only]) => Some(only.settings.alias.clone()),
        (None, []) => None,
        (None, _) => {
            let why = "it is missing: name the one alias whose users these tokens name, because a \
                       service cannot tell the alice of two issuers apart";
            section.wrong("subject_issuer", why);
            None
        }
    }
}

fn pair(section: &Section<'_>, pem: Option<Zeroizing<Vec<u8>>>, key: &str) -> Option<SigningPair> {
    let read = SigningPair::from_pem(&pem?);
    let wrong = |error: &_| section.wrong(key, &format!("{error}"));
    read.inspect_err(wrong).ok()
}

/// Checks that no one else has the name. A token of the host's own must not open its front door,
/// and no authorization server speaks for the host.
fn check_name(section: &Section<'_>, own: &LocalIssuer, issuers: &[Issuer]) {
    let is_own = |issuer: &Issuer| issuer.settings.issuer == own.name();
    if issuers.iter().any(is_own) {
        let why = "[[issuers]] has it: a service could come back with a token that it was sent";
        section.wrong("issuer", why);
    }
}

/// Checks that the documents are served at the front door, where nothing else is.
fn check_door(section: &Section<'_>, own: &LocalIssuer, server: &ServerSettings) {
    let resource = server.resource.as_deref().map(Url::parse);
    let resource = resource.and_then(Result::ok);
    let endpoint = resource.as_ref().map_or(ENDPOINT, Url::path);
    if own.document(endpoint).is_some() {
        let why = "one of its documents would be at the path of the MCP endpoint, and answer there";
        section.wrong("issuer", why);
    }
    if endpoint.trim_end_matches('/') == own.path() {
        let why = "its path is that of the MCP endpoint, so clients would take it for the server \
                   at which they log in, and it would be the issuer of transaction tokens";
        section.wrong("issuer", why);
    }
    let url = Url::parse(own.name()).ok();
    let Some(host) = url.as_ref().and_then(Url::host_str) else {
        return;
    };
    let listed = server.allowed_hosts.iter().any(|known| known == host);
    let is_resource = resource.as_ref().and_then(Url::host_str) == Some(host);
    let names_loopback = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    let is_here = names_loopback && server.listen.ip().is_loopback();
    if !(listed || is_resource || is_here) {
        let why = format!(
            "its documents are served at the front door, which does not know the host {host}; add \
             it to server.allowed_hosts, or use that of server.resource"
        );
        section.wrong("issuer", &why);
    }
}

/// Checks that the keys sign nothing else.
fn check_keys(
    section: &Section<'_>,
    own: &LocalIssuer,
    envelope: &EnvelopeSettings,
    server: Option<&ServerSettings>,
) {
    let trust = server
        .map(|server| server.trust.clone())
        .unwrap_or_default();
    let others = signing_key_ids(&envelope.keys, &trust);
    if own
        .key_ids()
        .any(|id| others.iter().any(|other| other == id))
    {
        let why = "it is a key of envelope.keys, with which the host signs envelopes, transaction \
                   tokens or the journal; make one of its own";
        section.wrong("key_file", why);
    }
}

/// Checks that no other key of the whole configuration names the file of the key.
pub(super) fn check_file(root: &Section<'_>, reissuer: &Reissuer) {
    let files = root.secret_files();
    let uses = files.iter().filter(|file| **file == reissuer.key_file);
    if uses.count() > reissuer.own_uses {
        let file = reissuer.key_file.display();
        root.problem(
            0,
            format!("reissue.key_file: another key names {file} too; make one of its own"),
        );
    }
}

/// The path of the MCP endpoint, if no resource is set.
const ENDPOINT: &str = "/mcp";
