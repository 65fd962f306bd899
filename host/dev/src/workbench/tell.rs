//! Prints what the author needs: a warning, how clients connect and log in, a ready call, and what
//! is served; if asked, a token for each sample user and a call of each tool.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use super::arguments;
use crate::code::Code;
use crate::connecting;
use crate::folder::Folder;
use crate::issuer::{Issuer, TokenSpec};
use crate::mcp;
use crate::process::{self, Host};
use crate::teller::Teller;
use crate::workbench::services::Services;

/// The sample users.
pub(super) const USERS: [&str; 2] = ["alice", "bob"];

/// The service account: its subject is its client.
const MACHINE: &str = "nightly";

/// The client through which users come.
pub(super) const AGENT: &str = "dev-agent";

/// The lists beside that of the tools: the method, its result, and the member that names an entry.
const OTHERS: [(&str, &str, &str); 3] = [
    ("resources/list", "resources", "uri"),
    (
        "resources/templates/list",
        "resourceTemplates",
        "uriTemplate",
    ),
    ("prompts/list", "prompts", "name"),
];

/// The life of the printed tokens, in seconds.
const LIFETIME: i64 = 12 * 3600;

/// Prints the first screen: where everything is, and how clients come to it.
fn welcome(teller: &mut Teller, place: &Place<'_>) {
    let (url, issuer) = (place.host.url(), place.issuer.url());
    teller.heading("DEVELOPMENT ONLY: anyone on this machine can log in as anyone");
    teller.lines("Keys, logins and journal are in a temporary folder and go when this ends.\n");
    for (what, line) in [
        ("mcp", url.clone()),
        ("login", format!("{issuer}/, without a password")),
        ("services", services_of(place.services)),
        ("config", place.folder.config().display().to_string()),
        (
            "journal",
            format!("bailiwick audit show {}", place.folder.audit().display()),
        ),
    ] {
        teller.lines(&format!("{what:8} {line}"));
    }
    teller.heading("A client that logs in by itself");
    for (client, line) in connecting::lines(&url) {
        teller.lines(&format!("{client:15} {line}"));
    }
}

/// Says which services there are, and where they are described.
fn services_of(services: &Services) -> String {
    let names = services.names().join(", ");
    match services.file() {
        Some(file) => format!("{} ({names})", file.display()),
        None => format!("samples ({names})"),
    }
}

/// The host and its surroundings.
pub(super) struct Place<'p> {
    pub(super) issuer: &'p Issuer,
    pub(super) folder: &'p Folder,
    pub(super) host: &'p Host,
    pub(super) services: &'p Services,
    /// Whether tokens and a call of each tool are printed.
    pub(super) tokens: bool,
}

/// The last output, so that it is repeated only when it differs.
#[derive(Default)]
pub(super) struct Told {
    scopes: Option<BTreeSet<String>>,
    tools: Vec<Value>,
    /// The digest of each component that was inspected last, and what it asks for, by name.
    inspected: BTreeMap<String, (String, Asks)>,
}

impl Told {
    /// Prints what the host serves now, and lets the issuer give tokens for it.
    pub(super) async fn tell(
        &mut self,
        teller: &mut Teller,
        place: &Place<'_>,
        components: &Components<'_>,
    ) -> anyhow::Result<()> {
        let (issuer, url) = (place.issuer, place.host.url());
        let scopes = self.scopes(components).await?;
        let all: Vec<&str> = scopes.iter().map(String::as_str).collect();
        issuer.offer(&url, &all);
        if self.scopes.is_none() {
            welcome(teller, place);
        }
        if place.tokens && self.scopes.as_ref() != Some(&scopes) {
            tokens(teller, issuer, &url, &scopes)?;
        }
        let token = issuer.token(
            &TokenSpec::of("alice")
                .client(AGENT)
                .audience(&url)
                .scopes(&all),
        )?;
        let tools = tools(&url, &token).await?;
        let mut new = tools.iter().filter(|tool| !self.tools.contains(tool));
        if place.tokens {
            curls(teller, &url, "$ALICE", new);
        } else if self.tools.is_empty()
            && let Some(tool) = new.next()
        {
            teller.heading(&about(tool));
            teller.lines(&call(&url, tool));
        }
        let names: Vec<&str> = tools.iter().map(name).collect();
        let names = or(&names.join(", "), NO_TOOLS).to_owned();
        teller.heading(&format!("serving {url}: {names}"));
        for (method, list, member) in OTHERS {
            let names = listed(&url, &token, method, (list, member)).await?;
            if !names.is_empty() {
                teller.lines(&format!("{list}: {}", names.join(", ")));
            }
        }
        (self.scopes, self.tools) = (Some(scopes), tools);
        Ok(())
    }

    /// Returns the services that these components ask for.
    pub(super) fn asked(
        &self,
        components: &BTreeMap<String, String>,
    ) -> BTreeMap<String, BTreeSet<String>> {
        let mut all = Asks::default();
        let known = components
            .keys()
            .filter_map(|name| self.inspected.get(name));
        for (_, asks) in known {
            all.add(asks.clone());
        }
        all.services
    }

    /// Returns all scopes that the components ask for, as `bailiwick inspect` reports them.
    async fn scopes(&mut self, components: &Components<'_>) -> anyhow::Result<BTreeSet<String>> {
        let mut all = BTreeSet::new();
        for (name, digest) in components.digests {
            let known = self.inspected.entry(name.clone()).or_default();
            if known.0 != *digest {
                // The last good version of a component that does not load goes on serving.
                let (bailiwick, place) = (components.bailiwick, (components.host, components.code));
                if let Some(asks) = inspect(bailiwick, place, name).await? {
                    *known = (digest.clone(), asks);
                }
            }
            all.extend(known.1.scopes.iter().cloned());
        }
        Ok(all)
    }
}

/// What components ask for.
#[derive(Clone, Default)]
pub(super) struct Asks {
    pub(super) scopes: BTreeSet<String>,
    /// The services, each with the names of the tools, resources and prompts that ask for it.
    pub(super) services: BTreeMap<String, BTreeSet<String>>,
}

impl Asks {
    /// Adds what others ask for.
    pub(super) fn add(&mut self, other: Self) {
        self.scopes.extend(other.scopes);
        for (service, names) in other.services {
            self.services.entry(service).or_default().extend(names);
        }
    }

    /// Reads the report of `bailiwick inspect`.
    fn of(report: &Value) -> Self {
        let mut asks = Self::default();
        let entries = ["tools", "resources", "prompts"]
            .iter()
            .filter_map(|kind| report.get(kind)?.as_array())
            .flatten();
        for entry in entries {
            let texts = |key: &str| {
                let texts = entry.get(key).and_then(Value::as_array);
                texts.into_iter().flatten().filter_map(Value::as_str)
            };
            asks.scopes.extend(texts("scopes").map(str::to_owned));
            let called = entry.get("name").or_else(|| entry.get("uri"));
            let called = called.and_then(Value::as_str).unwrap_or("a resource");
            for service in texts("services") {
                let names = asks.services.entry(service.to_owned()).or_default();
                names.insert(called.to_owned());
            }
        }
        asks
    }
}

/// The components that the host has.
pub(super) struct Components<'c> {
    pub(super) bailiwick: &'c Path,
    /// The host's folder.
    pub(super) host: &'c Folder,
    /// Where their code is kept.
    pub(super) code: &'c Code,
    /// Their digests, by name.
    pub(super) digests: &'c BTreeMap<String, String>,
}

/// Returns what a host's component asks for; `None` if it does not load, which the host reports.
/// The host does not compile it again.
pub(super) async fn inspect(
    bailiwick: &Path,
    (host, code): (&Folder, &Code),
    name: &str,
) -> anyhow::Result<Option<Asks>> {
    let file = host.path().join("tools").join(format!("{name}.wasm"));
    let (file, code) = (file.to_string_lossy(), code.folder().to_string_lossy());
    let inspect = ["inspect", "--json", &file, "--development", &code];
    let output = process::run(bailiwick, &inspect).await?;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let loads = report.get("tools").is_some_and(Value::is_array);
    Ok(loads.then(|| Asks::of(&report)))
}

async fn tools(url: &str, token: &str) -> anyhow::Result<Vec<Value>> {
    let answer = mcp::list(url, Some(token)).await?;
    Ok(answer
        .result()
        .get("tools")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default())
}

/// Returns the names in a list of MCP. The first page of resources has those of their own.
async fn listed(
    url: &str,
    token: &str,
    method: &str,
    (list, member): (&str, &str),
) -> anyhow::Result<Vec<String>> {
    let answer = mcp::request(url, Some(token), method, &json!({})).await?;
    let entries = answer.result().get(list).and_then(Value::as_array);
    let names = entries.into_iter().flatten();
    let names = names.filter_map(|entry| entry.get(member)?.as_str());
    Ok(names.map(str::to_owned).collect())
}

fn tokens(
    teller: &mut Teller,
    issuer: &Issuer,
    url: &str,
    scopes: &BTreeSet<String>,
) -> anyhow::Result<()> {
    let all: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let scopes = all.join(" ");
    let scopes = or(&scopes, "none, because nothing asks for one");
    teller.heading(&format!("Tokens for 12 hours, with the scopes: {scopes}"));
    for sub in USERS.into_iter().chain([MACHINE]) {
        let agent = if sub == MACHINE { MACHINE } else { AGENT };
        let spec = TokenSpec::of(sub)
            .client(agent)
            .audience(url)
            .scopes(&all)
            .lifetime(LIFETIME);
        let who = if sub == MACHINE {
            "a service account, no user"
        } else {
            "a user"
        };
        teller.lines(&format!("# {sub}, {who}"));
        teller.lines(&format!("{}={}", sub.to_uppercase(), issuer.token(&spec)?));
    }
    teller.lines(&format!(
        "# with other scopes: curl -sS {}/mint -d user=alice -d scope= -d as=text",
        issuer.url()
    ));
    Ok(())
}

fn curls<'t>(teller: &mut Teller, url: &str, token: &str, tools: impl Iterator<Item = &'t Value>) {
    for tool in tools {
        teller.heading(&about(tool));
        teller.lines(&mcp::curl(url, token, name(tool), &sample_of(tool)));
    }
}

/// Returns the command that calls a tool of this host as the first sample user.
fn call(url: &str, tool: &Value) -> String {
    let [user, ..] = USERS;
    let tool_name = arguments::quoted(name(tool));
    let mut words = vec!["bailiwick call".to_owned(), tool_name];
    words.extend(arguments::typed(&sample_of(tool)));
    words.push(format!("--as {user} --url {url}"));
    words.join(" ")
}

/// Returns a tool's name and the first line of its description.
fn about(tool: &Value) -> String {
    let said = tool.get("description").and_then(Value::as_str);
    let said = said.unwrap_or_default().lines().next().unwrap_or_default();
    format!("{}: {said}", name(tool))
}

/// Returns arguments that a tool takes.
fn sample_of(tool: &Value) -> Value {
    let schema = tool.get("inputSchema");
    schema.map_or_else(|| json!({}), arguments::required)
}

/// What is said of a folder without a tool.
const NO_TOOLS: &str =
    "no tools yet; `bailiwick build PROJECT --out FOLDER` makes one, and `bailiwick new` a project";

fn or<'t>(text: &'t str, otherwise: &'t str) -> &'t str {
    if text.is_empty() { otherwise } else { text }
}

pub(super) fn name(tool: &Value) -> &str {
    tool.get("name").and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_call_names_tool_arguments_user_and_server() {
        let tool = json!({
            "name": "greet",
            "inputSchema": {"properties": {"word": {"examples": ["Good day"]}}, "required": ["word"]},
        });
        assert_eq!(
            call("http://127.0.0.1:1/mcp", &tool),
            "bailiwick call greet 'word=Good day' --as alice --url http://127.0.0.1:1/mcp"
        );
    }
}
