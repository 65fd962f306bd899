//! The author's own `[services.*]` and `[components.*]`, merged into the workbench's configuration.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// The author's tables, before placeholders are filled in.
#[derive(Clone, Default)]
pub(super) struct Author {
    tables: Table,
    folder: PathBuf,
}

/// Scopes that the issuer must be able to give for one service.
pub(super) struct Need {
    pub(super) audience: String,
    pub(super) scopes: Vec<String>,
}

impl Author {
    /// Takes the tables of a file, whose file names are relative to `folder`.
    pub(super) fn new(mut tables: Table, folder: PathBuf) -> Self {
        for component in members_mut(&mut tables, "components") {
            component.insert("digest".into(), Value::String("any".into()));
        }
        Self { tables, folder }
    }

    /// Grants a component these services, unless its author says which.
    pub(super) fn grant(&mut self, component: &str, services: &Table) {
        let components = self.tables.entry("components").or_insert_with(table);
        if let Some(components) = components.as_table_mut() {
            let own = components.entry(component).or_insert_with(table);
            if let Some(own) = own.as_table_mut() {
                own.entry("services")
                    .or_insert_with(|| Value::Table(services.clone()));
                own.insert("digest".into(), Value::String("any".into()));
            }
        }
    }

    /// Adds a service that is not in the author's file.
    pub(super) fn add_service(&mut self, name: &str, service: Table) {
        let services = self.tables.entry("services").or_insert_with(table);
        if let Some(services) = services.as_table_mut() {
            services.insert(name.to_owned(), Value::Table(service));
        }
    }

    /// Returns the names of its services.
    pub(super) fn services(&self) -> impl Iterator<Item = &str> {
        let services = self.tables.get("services").and_then(Value::as_table);
        services
            .into_iter()
            .flat_map(Table::keys)
            .map(String::as_str)
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
                });
            }
            if let Some(auth) = service
                .get("auth")
                .filter(|auth| text(auth, "kind") == Some("client_credentials"))
            {
                needs.push(Need {
                    audience: name.clone(),
                    scopes: scopes(auth),
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

fn table() -> Value {
    Value::Table(Table::new())
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

    fn author(text: &str) -> Author {
        Author::new(text.parse().unwrap(), PathBuf::from("/mine"))
    }

    #[test]
    fn the_file_is_filled_in_and_its_needs_are_known() {
        let author = author(FILE);
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
            .map(|need| (&*need.audience, &*need.scopes[0]))
            .collect();
        assert_eq!(said, [("people", "people:read"), ("wiki", "read")]);
    }

    #[test]
    fn a_component_is_granted_what_its_author_says_or_else_all() {
        let mut author = author("[components.a]\nservices = {}\n[components.b]\nscopes = []\n");
        let all: Table = "x = \"on_behalf_of\"".parse().unwrap();
        for name in ["a", "b", "c"] {
            author.grant(name, &all);
        }
        let filled: Table = author
            .filled("http://i", Path::new("/s"))
            .unwrap()
            .parse()
            .unwrap();
        for (name, granted) in [("a", 0), ("b", 1), ("c", 1)] {
            let component = &filled["components"][name];
            let services = component["services"].as_table().unwrap();
            assert_eq!(services.len(), granted, "{name}");
            assert_eq!(text(component, "digest"), Some("any"));
        }
    }
}
