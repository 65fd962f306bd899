//! A remote MCP server behind a host: imported, granted, called.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::mcp::Answer;
use bailiwick_dev::process;
use bailiwick_tests::remote::{Message, RemoteServer, Script};
use bailiwick_tests::{Plan, World, bailiwick};
use serde_json::Value;
use tempfile::TempDir;
use toml::Table;

/// The name of the service, of the component and of the audience.
pub(super) const TRACKER: &str = "tracker";

/// What an issued token may do there.
const SCOPE: &str = "tracker:write";

/// How the host proves itself to the server, and for whom.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// An exchanged token of the user, in this mode.
    Exchange(&'static str),
    /// The host's own token.
    Own,
    /// A key in the header `X-Api-Key`.
    Key,
}

/// The key of [`Way::Key`].
pub(super) const KEY: &str = "a secret of the host & only of it";

impl Way {
    /// Returns the mode.
    pub(super) fn mode(self) -> &'static str {
        match self {
            Self::Exchange(mode) => mode,
            Self::Own | Self::Key => "service_identity",
        }
    }

    /// Returns what an operator adds to the imported section of the service. `exchange` is how the
    /// host exchanges tokens for another service.
    fn settings(self, exchange: &Table) -> Result<Table> {
        let same = |names: &[&str]| -> Table {
            let kept = exchange
                .iter()
                .filter(|(name, _)| names.contains(&name.as_str()));
            kept.map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        };
        let mut settings = Table::new();
        match self {
            Self::Exchange(_) => {
                let mut own = exchange.clone();
                for name in ["audience", "expect_audience"] {
                    own.insert(name.into(), TRACKER.into());
                }
                own.insert("scopes".into(), vec![SCOPE].into());
                settings.insert("exchange".into(), own.into());
            }
            Self::Own => {
                let mut own = same(&[
                    "token_endpoint",
                    "client_id",
                    "client_secret_file",
                    "private_addresses",
                ]);
                own.insert("kind".into(), "client_credentials".into());
                own.insert("scopes".into(), vec![SCOPE].into());
                settings.insert("auth".into(), own.into());
                settings.insert("shared_data".into(), true.into());
            }
            Self::Key => {
                let own = "kind = \"static\"\nheader = \"X-Api-Key\"\n\
                           secret_file = \"secrets/exchange\"\n";
                settings.insert("auth".into(), own.parse::<Table>()?.into());
                settings.insert("one_account".into(), true.into());
            }
        }
        settings.insert("private_addresses".into(), vec!["127.0.0.0/8"].into());
        Ok(settings)
    }
}

/// Runs `bailiwick import mcp`; returns whether it succeeded, and all that it printed.
pub(super) async fn import(url: &str, arguments: &[&str]) -> Result<(bool, String)> {
    let usual = ["import", "mcp", url, "--service", TRACKER];
    let output = process::run(&bailiwick()?, &[&usual, arguments].concat()).await?;
    let said = [output.stdout, output.stderr].concat();
    Ok((
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    ))
}

/// What an import wrote.
#[derive(Clone)]
pub(super) struct Imported {
    pub(super) component: Vec<u8>,
    pub(super) lines: Table,
}

impl Imported {
    /// Imports what a server offers now.
    pub(super) async fn of(url: &str) -> Result<Self> {
        Self::some_of(url, &[]).await
    }

    /// Does the same with more arguments for the command.
    pub(super) async fn some_of(url: &str, arguments: &[&str]) -> Result<Self> {
        let out = TempDir::new()?;
        let folder = out.path().to_str().context("a path in UTF-8")?;
        let usual = ["--out", folder];
        let (good, said) = import(url, &[&usual, arguments].concat()).await?;
        ensure!(good, "{said}");
        Self::read(out.path())
    }

    /// Reads what an import wrote into a folder.
    pub(super) fn read(out: &Path) -> Result<Self> {
        let file = |ending| out.join(TRACKER).with_extension(ending);
        Ok(Self {
            component: fs::read(file("wasm"))?,
            lines: fs::read_to_string(file("toml"))?.parse()?,
        })
    }

    /// Returns a member of the section of the service.
    pub(super) fn service(&self, name: &str) -> Option<&toml::Value> {
        self.lines.get("services")?.get(TRACKER)?.get(name)
    }

    /// Returns the lines as an operator completes them, services and components.
    fn completed(
        &self,
        url: &str,
        way: Way,
        exchange: &Table,
        more: &Table,
    ) -> Result<[String; 2]> {
        let mut lines = self.lines.clone();
        let mut part = |section: &str| -> Result<Table> {
            let all = lines.get_mut(section).and_then(toml::Value::as_table_mut);
            let own = all.and_then(|all| all.remove(TRACKER));
            let own = own.and_then(|own| own.as_table().cloned());
            own.with_context(|| format!("no [{section}.{TRACKER}]"))
        };
        let (mut service, mut component) = (part("services")?, part("components")?);
        service.insert("url".into(), url.into());
        service.extend(way.settings(exchange)?);
        let mut more = more.clone();
        if let Some(toml::Value::Table(own)) = more.remove("component") {
            component.extend(own);
        }
        service.extend(more);
        let mode = Table::from_iter([(TRACKER.to_owned(), way.mode().into())]);
        component.insert("services".into(), mode.into());
        let written = |section: &str, own: Table| {
            let named = Table::from_iter([(TRACKER.to_owned(), own.into())]);
            toml::to_string(&Table::from_iter([(section.to_owned(), named.into())]))
        };
        Ok([
            written("services", service)?,
            written("components", component)?,
        ])
    }
}

/// A host with an imported server behind it.
pub(super) struct Place {
    pub(super) world: World,
    pub(super) server: RemoteServer,
}

impl Place {
    /// Starts a server of a script, imports it and grants it.
    pub(super) async fn of(script: Script, way: Way) -> Result<Self> {
        Self::with(script, way, "").await
    }

    /// Does the same, with more keys for the service, those of `[component]` for the component, and
    /// a `[policy_point]`.
    pub(super) async fn with(script: Script, way: Way, more: &str) -> Result<Self> {
        let server = RemoteServer::start(script).await?;
        let imported = Imported::of(&server.url()).await?;
        let world = serving(&imported, &server.url(), way, more).await?;
        Ok(Self { world, server })
    }

    /// Starts a host with what is imported now, in place of the one before.
    pub(super) async fn import_again(self, way: Way) -> Result<Self> {
        let imported = Imported::of(&self.server.url()).await?;
        let world = serving(&imported, &self.server.url(), way, "").await?;
        Ok(Self { world, ..self })
    }

    /// Returns a token of a user who may call the tools.
    pub(super) fn token(&self, sub: &str) -> Result<String> {
        token(&self.world, sub)
    }

    /// Calls a tool as a user; returns the answer, and the messages that the server got for it.
    pub(super) async fn call(
        &self,
        sub: &str,
        tool: &str,
        arguments: &Value,
    ) -> Result<(Answer, Vec<Message>)> {
        let before = self.server.count();
        let answer = self.world.call(&self.token(sub)?, tool, arguments).await?;
        self.sessions_end().await?;
        Ok((answer, self.server.messages(before)))
    }

    /// Waits until no session is open: the host ends each, perhaps after the answer.
    pub(super) async fn sessions_end(&self) -> Result<()> {
        let end = async {
            while !self.server.sessions().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), end).await;
        waited.with_context(|| format!("still open: {:?}", self.server.sessions()))
    }

    /// Returns the reasons with which requests to the server ended, but for good ones.
    pub(super) fn reasons(&self) -> Result<Vec<String>> {
        let records = self.world.records()?;
        let ended =
            ["downstream.refused", "downstream.closed"].map(|event| events(&records, event));
        let reasons = ended
            .concat()
            .into_iter()
            .map(|record| text(record, "reason"));
        Ok(reasons
            .filter(|reason| !reason.is_empty())
            .map(str::to_owned)
            .collect())
    }
}

/// Returns a token of a user who may call the tools.
pub(super) fn token(world: &World, sub: &str) -> Result<String> {
    let scopes = [bailiwick_tests::SCOPE, SCOPE];
    Ok(world.issuer.token(&world.spec(sub).scopes(&scopes))?)
}

/// Starts a world that serves what was imported from the server at a URL, with more keys as
/// [`Place::with`] has them.
pub(super) async fn serving(imported: &Imported, url: &str, way: Way, more: &str) -> Result<World> {
    let (lines, url, mut more) = (imported.clone(), url.to_owned(), more.parse::<Table>()?);
    let point = more.remove_entry("policy_point");
    let point = toml::to_string(&Table::from_iter(point))?;
    let world = World::with(Plan {
        components: vec![(format!("{TRACKER}.wasm"), imported.component.clone())],
        config: Box::new(move |config| {
            let others: Table = config.services.parse().unwrap_or_default();
            let exchange = others.get("services").and_then(|all| {
                let exchange = all.get("orders_api")?.get("exchange")?;
                exchange.as_table().cloned()
            });
            // A host without these lines does not know the tools, so the story fails.
            let completed = lines.completed(&url, way, &exchange.unwrap_or_default(), &more);
            let [services, components] = completed.unwrap_or_default();
            config.services += &[services, point].concat();
            config.components += &components;
        }),
        ..Plan::default()
    })
    .await?;
    world.issuer.open(TRACKER, &[SCOPE.to_owned()]);
    Ok(world)
}
