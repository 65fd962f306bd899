//! `[services.NAME.auth]`: the host's own credential for a service.

use std::collections::BTreeMap;

use http::HeaderName;
use http::header::AUTHORIZATION;
use secrecy::SecretString;

use super::Issuer;
use super::client::client;
use super::reader::Section;
use crate::delegation::{
    Auth, HeaderRole, KeyFiles, KeyOwner, KeyPlace, KeyRule, StaticAuth, StaticKeys,
};

pub(super) fn auth(section: &Section<'_>, issuers: &[Issuer]) -> Option<Auth> {
    let Some(auth) = section.section("auth") else {
        return Some(Auth::None);
    };
    match auth.required("kind")?.as_str() {
        "none" => Some(Auth::None),
        "client_credentials" => {
            let scopes = auth.strings("scopes").unwrap_or_default();
            let audience = auth.text("audience");
            let expect_scopes = auth.strings("expect_scopes").unwrap_or_default();
            Some(Auth::ClientCredentials {
                client: client(&auth, "token_endpoint", None)?,
                scopes,
                expect_scopes,
                audience,
            })
        }
        "static" => {
            let place = place(&auth);
            let keys = keys(&auth, issuers);
            Some(Auth::Static(StaticAuth {
                place: place?,
                keys: keys?,
            }))
        }
        "basic" => {
            let username = auth.text("username");
            let mut characters = username.iter().flat_map(|name| name.bytes());
            if characters.any(|byte| !(b' '..=b'~').contains(&byte) || byte == b':') {
                auth.wrong("username", "expected printable ASCII without a colon");
            }
            Some(Auth::Static(StaticAuth {
                place: KeyPlace::Basic { username },
                keys: keys(&auth, issuers)?,
            }))
        }
        _ => {
            auth.wrong(
                "kind",
                "expected \"none\", \"client_credentials\", \"static\" or \"basic\"",
            );
            None
        }
    }
}

/// Reads where a request carries the key.
fn place(auth: &Section<'_>) -> Option<KeyPlace> {
    let Some(name) = auth.text("query") else {
        return header(auth);
    };
    for other in ["header", "prefix"] {
        if auth.has(other) {
            auth.wrong(other, "the query carries the key (query); set one of them");
        }
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(1..=64).contains(&name.len()) || !name.bytes().all(is_plain) {
        auth.wrong(
            "query",
            "expected the name of a parameter, 1 to 64 of [A-Za-z0-9._~-]",
        );
    }
    Some(KeyPlace::Query { name })
}

fn header(auth: &Section<'_>) -> Option<KeyPlace> {
    let name = auth
        .text("header")
        .map_or(Some(AUTHORIZATION), |name| name.parse::<HeaderName>().ok());
    if name
        .as_ref()
        .is_none_or(|name| !HeaderRole::may_carry_credential(name.as_str()))
    {
        auth.wrong("header", "expected a header that can carry a credential");
    }
    let prefix = auth.text("prefix").unwrap_or_default();
    name.map(|name| KeyPlace::Header { name, prefix })
}

/// Reads the one key, or the rule by which each tenant or user has their own.
fn keys(auth: &Section<'_>, issuers: &[Issuer]) -> Option<StaticKeys> {
    let Some(by) = owner(auth) else {
        return auth.secret("secret_file").map(StaticKeys::One);
    };
    let listed = listed(auth, issuers);
    let folder = auth
        .text("secrets_folder")
        .map(|path| auth.beside(&path))
        .inspect(|path| {
            if !path.is_dir() {
                let why = format!("{} is not a folder", path.display());
                auth.wrong("secrets_folder", &why);
            }
        });
    if by == KeyOwner::Tenant
        && issuers
            .iter()
            .all(|issuer| issuer.settings.tenant.is_none())
    {
        auth.wrong(
            "secrets_by",
            "no issuer states a tenant; set `tenant` there",
        );
    }
    let files = match (listed, folder) {
        (Some(listed), None) => KeyFiles::Listed(listed),
        (None, Some(path)) => KeyFiles::Folder {
            path,
            trust: auth.trust(),
        },
        _ => {
            let why = "set secrets = { \"ALIAS:NAME\" = \"FILE\" } or secrets_folder, one of them";
            auth.wrong("secrets_by", why);
            return None;
        }
    };
    Some(StaticKeys::Each(KeyRule { by, files }))
}

fn owner(auth: &Section<'_>) -> Option<KeyOwner> {
    match auth.text("secrets_by")?.as_str() {
        "tenant" => Some(KeyOwner::Tenant),
        "user" => Some(KeyOwner::User),
        _ => {
            auth.wrong("secrets_by", "expected \"tenant\" or \"user\"");
            Some(KeyOwner::Tenant)
        }
    }
}

fn listed(
    auth: &Section<'_>,
    issuers: &[Issuer],
) -> Option<BTreeMap<(String, String), SecretString>> {
    let table = auth.section("secrets")?;
    let mut keys = BTreeMap::new();
    for key in table.keys() {
        let known = key.split_once(':').filter(|(alias, name)| {
            let mut issuers = issuers.iter();
            !name.is_empty() && issuers.any(|issuer| issuer.settings.alias == *alias)
        });
        let Some((alias, name)) = known else {
            let why = "expected \"ALIAS:NAME\" with the alias of an issuer";
            table.wrong(&key, why);
            continue;
        };
        if let Some(secret) = table.secret(&key) {
            keys.insert((alias.to_owned(), name.to_owned()), secret);
        }
    }
    Some(keys)
}
