//! The author's own `[services.*]` and `[components.*]`, merged into the workbench's configuration.
//!
//! Invariant: nothing else of the file is used, so it cannot change where the host listens, whom it
//! trusts at the front door or where it writes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use toml::{Table, Value};

/// The author's file, before placeholders are filled in.
pub(super) struct Author {
    tables: Table,
    folder: PathBuf,
}

/// Scopes that the issuer must be able to give for one service.
pub(super) struct Need {
    pub(super) audience: String,
    pub(super) scopes: Vec<String>,
    /// For users by exchange, or for the host itself.
    pub(super) of_users: bool,
}

impl Author {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let named = || path.display().to_string();
        let text = fs::read_to_string(path).with_context(named)?;
        let mut tables: Table = text.parse().with_context(named)?;
        if let Some(other) = tables
            .keys()
            .find(|key| *key != "services" && *key != "components")
        {
            bail!(
                "{}: only [services.*] and [components.*] belong here, not {other}",
                path.display()
            );
        }
        for component in members_mut(&mut tables, "components") {
            component.insert("digest".into(), Value::String("any".into()));
        }
        let folder = fs::canonicalize(path).with_context(named)?;
        Ok(Self {
            tables,
            folder: folder.parent().map(Path::to_owned).unwrap_or_default(),
        })
    }

    /// Returns what the services' exchanges and client credentials request.
    pub(super) fn needs(&self) -> Vec<Need> {
        let services = self.tables.get("services").and_then(Value::as_table);
        let mut needs = Vec::new();
        for (name, service) in services.into_iter().flatten() {
            if let Some(exchange) = service.get("exchange") {
                let audience = text(exchange, "audience").unwrap_or(name).to_owned();
                needs.push(Need {
                    audience,
                    scopes: scopes(exchange),
                    of_users: true,
                });
            }
            if let Some(auth) = service
                .get("auth")
                .filter(|auth| text(auth, "kind") == Some("client_credentials"))
            {
                needs.push(Need {
                    audience: name.clone(),
                    scopes: scopes(auth),
                    of_users: false,
                });
            }
        }
        needs
    }

    /// Returns the text for the configuration of a host with this issuer and these secrets.
    pub(super) fn filled(&self, issuer: &str, secrets: &Path) -> anyhow::Result<String> {
        let mut tables = self.tables.clone();
        let secrets = secrets.to_string_lossy();
        for (key, value) in &mut tables {
            fill(key, value, &|key, text| {
                let text = text
                    .replace("{issuer}", issuer)
                    .replace("{secrets}", &secrets);
                if key.ends_with("_file") {
                    self.folder.join(text).to_string_lossy().into_owned()
                } else {
                    text
                }
            });
        }
        Ok(toml::to_string(&tables)?)
    }
}

/// Changes every text at any depth, given the key above it.
fn fill(key: &str, value: &mut Value, change: &impl Fn(&str, &str) -> String) {
    match value {
        Value::String(text) => *text = change(key, text),
        Value::Array(items) => items.iter_mut().for_each(|item| fill(key, item, change)),
        Value::Table(members) => {
            for (key, value) in members {
                fill(key, value, change);
            }
        }
        _ => {}
    }
}

fn members_mut<'t>(tables: &'t mut Table, name: &str) -> impl Iterator<Item = &'t mut Table> {
    let members = tables.get_mut(name).and_then(Value::as_table_mut);
    members
        .into_iter()
        .flat_map(Table::iter_mut)
        .filter_map(|(_, member)| member.as_table_mut())
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}

fn scopes(value: &Value) -> Vec<String> {
    let scopes = value.get("scopes").and_then(Value::as_array);
    scopes
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    const FILE: &str = r#"
        [services.crm]
        url = "http://127.0.0.1:9"
        allow = ["GET /people/{actor.sub}"]
        [services.crm.exchange]
        token_endpoint = "{issuer}/token"
        client_secret_file = "{secrets}/exchange"
        audience = "people"
        scopes = ["people:read"]
        [services.wiki.auth]
        kind = "client_credentials"
        client_secret_file = "secrets/wiki"
        scopes = ["read"]
        [components.crm]
        digest = "sha256:00"
        services = { crm = "on_behalf_of" }
    "#;

    fn author(text: &str) -> anyhow::Result<Author> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("services.toml");
        fs::write(&path, text).unwrap();
        Author::read(&path)
    }

    #[test]
    fn the_file_is_filled_in_and_its_needs_are_known() {
        let author = author(FILE).unwrap();
        let filled: Table = author
            .filled("http://i", Path::new("/s"))
            .unwrap()
            .parse()
            .unwrap();
        let exchange = &filled["services"]["crm"]["exchange"];
        assert_eq!(text(exchange, "token_endpoint"), Some("http://i/token"));
        assert_eq!(text(exchange, "client_secret_file"), Some("/s/exchange"));
        let wiki = text(&filled["services"]["wiki"]["auth"], "client_secret_file").unwrap();
        assert_eq!(Path::new(wiki), author.folder.join("secrets/wiki"));
        assert_eq!(text(&filled["components"]["crm"], "digest"), Some("any"));
        assert_eq!(
            filled["services"]["crm"]["allow"][0].as_str(),
            Some("GET /people/{actor.sub}")
        );
        let needs = author.needs();
        let said: Vec<_> = needs
            .iter()
            .map(|need| (&*need.audience, &*need.scopes[0], need.of_users))
            .collect();
        assert_eq!(
            said,
            [("people", "people:read", true), ("wiki", "read", false)]
        );
    }

    #[test]
    fn nothing_but_services_and_components_is_taken() {
        assert!(author("[server]\nlisten = \"0.0.0.0:80\"").is_err());
        assert!(author("[services").is_err());
        assert!(author("").is_ok());
    }
}
