//! The example tools that are shaped like real APIs: many users, one process, keys in the host
//! alone.
//!
//! Each grant is that of the tool's own page, with the address of a fake that knows the API's
//! paths.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::{Answer, Bound, Request, Server};
use bailiwick_dev::issuer::TokenSpec;
use bailiwick_tests::{Plan, World, ensure_eq, tools};
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The keys at the fake services, by whose they are.
const KEYS: [(&str, &str); 5] = [
    ("github/demo/alice", "github_pat_of_alice_0123456789"),
    ("github/demo/bob", "github_pat_of_bob_0123456789"),
    ("grafana-acme", "glsa_of_acme_0123456789"),
    ("grafana-globex", "glsa_of_globex_0123456789"),
    ("stripe", "rk_test_of_the_shop_0123456789"),
];

/// A fake of one of the three APIs, which keeps what it was asked.
struct Fake {
    url: String,
    seen: Arc<Mutex<Vec<Request>>>,
    _server: Server,
}

impl Fake {
    async fn start(answer: fn(&Request) -> Answer) -> Result<Self> {
        let bound = Bound::to(0).await?;
        let url = bound.url();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let server = bound.serve(Arc::new(move |request: Request| {
            let answer = answer(&request);
            if let Ok(mut kept) = kept.lock() {
                kept.push(request);
            }
            Box::pin(async move { answer })
        }));
        Ok(Self {
            url,
            seen,
            _server: server,
        })
    }

    /// Returns the requests since the last time.
    fn seen(&self) -> Vec<Request> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *seen)
    }
}

/// Returns whose key a request carries.
fn holder(request: &Request) -> Option<&'static str> {
    let key = request.header("authorization")?.strip_prefix("Bearer ")?;
    KEYS.iter()
        .find(|(_, its)| *its == key)
        .map(|(whose, _)| *whose)
}

fn github(request: &Request) -> Answer {
    let login = match holder(request) {
        Some("github/demo/alice") => "alice",
        Some("github/demo/bob") => "bob",
        _ => {
            return Answer::json(
                StatusCode::UNAUTHORIZED,
                &json!({"message": "Bad credentials"}),
            );
        }
    };
    if request.header("x-github-api-version") != Some("2022-11-28") {
        return Answer::json(
            StatusCode::BAD_REQUEST,
            &json!({"message": "Not a supported version"}),
        );
    }
    let issue = json!({
        "number": 7, "title": format!("{login}'s"), "state": "open", "locked": false,
        "html_url": "https://github.com/octo-org/hello-world/issues/7",
        "user": {"login": login, "id": 1},
    });
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/issues" | "/repos/octo-org/hello-world/issues") => {
            Answer::json(StatusCode::OK, &json!([issue]))
        }
        ("POST", "/repos/octo-org/hello-world/issues") => Answer::json(StatusCode::CREATED, &issue),
        _ => Answer::json(StatusCode::NOT_FOUND, &json!({"message": "Not Found"})),
    }
}

fn grafana(request: &Request) -> Answer {
    let organization = match holder(request) {
        Some("grafana-acme") => "Acme",
        Some("grafana-globex") => "Globex",
        _ => {
            return Answer::json(
                StatusCode::UNAUTHORIZED,
                &json!({"message": "Unauthorized"}),
            );
        }
    };
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/api/search") => Answer::json(
            StatusCode::OK,
            &json!([{"id": 1, "uid": "cIBgcSjkk", "title": organization, "url": "/d/cIBgcSjkk",
                     "type": "dash-db", "tags": [], "folderTitle": "Shop"}]),
        ),
        ("POST", "/api/annotations") => Answer::json(
            StatusCode::OK,
            &json!({"message": "Annotation added", "id": 9}),
        ),
        _ => Answer::json(
            StatusCode::NOT_FOUND,
            &json!({"message": "Dashboard not found"}),
        ),
    }
}

fn stripe(request: &Request) -> Answer {
    match (
        request.method.as_str(),
        request.path.as_str(),
        holder(request),
    ) {
        ("POST", "/v1/refunds", Some("stripe")) => Answer::json(
            StatusCode::OK,
            &json!({"id": "re_1", "object": "refund", "amount": 500, "currency": "eur",
                    "status": "succeeded", "charge": "ch_1"}),
        ),
        _ => Answer::json(
            StatusCode::UNAUTHORIZED,
            &json!({"error": {"type": "invalid_request_error"}}),
        ),
    }
}

fn page(tool: &str) -> Result<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../example-tools");
    let file = folder.join(tool).join("service.toml");
    fs::read_to_string(&file).with_context(|| file.display().to_string())
}

/// Returns the grant of a tool's page, for a fake at this address and the keys of a folder.
fn granted(tool: &str, address: &str, url: &str, keys: &Path) -> Result<String> {
    let file = page(tool)?;
    ensure!(file.contains(address), "the address of {tool} is another");
    let here = format!("\"{url}\"\nprivate_addresses = [\"127.0.0.0/8\"]");
    Ok(file
        .replace(&format!("\"{address}\""), &here)
        .replace("\"secrets/", &format!("\"{}/", keys.display()))
        .replace("corp:", "demo:"))
}

/// Writes the keys to a folder that only this user can read.
fn keys() -> Result<TempDir> {
    let folder = TempDir::new()?;
    for (name, key) in KEYS {
        let file: PathBuf = folder.path().join(name);
        fs::create_dir_all(file.parent().context("no folder")?)?;
        fs::write(&file, key)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    }
    Ok(folder)
}

/// A host with the three tools and their fakes.
struct Office {
    world: World,
    github: Fake,
    grafana: Fake,
    stripe: Fake,
    _keys: TempDir,
}

impl Office {
    async fn open() -> Result<Self> {
        let keys = keys()?;
        let github = Fake::start(github).await?;
        let grafana = Fake::start(grafana).await?;
        let stripe = Fake::start(stripe).await?;
        let sections = [
            granted("github", "https://api.github.com", &github.url, keys.path())?,
            granted(
                "grafana",
                "https://grafana.example.com",
                &grafana.url,
                keys.path(),
            )?,
            granted("stripe", "https://api.stripe.com", &stripe.url, keys.path())?,
        ]
        .join("\n");
        let built = tools()?;
        let component = |name: &str| -> Result<(String, Vec<u8>)> {
            let file = format!("{name}.wasm");
            let bytes = fs::read(built.join(&file)).with_context(|| file.clone())?;
            Ok((file, bytes))
        };
        let plan = Plan {
            components: ["github", "grafana", "stripe"]
                .into_iter()
                .map(component)
                .collect::<Result<_>>()?,
            config: Box::new(move |config| {
                config.issuers.push_str("tenant = { claim = \"org\" }\n");
                config.services.push_str(&sections);
            }),
            ..Plan::default()
        };
        let world = World::with(plan).await?;
        Ok(Self {
            world,
            github,
            grafana,
            stripe,
            _keys: keys,
        })
    }

    /// Returns the spec of a token of a user of a tenant, with all scopes of the tools.
    fn spec(&self, user: &str, tenant: &str) -> TokenSpec {
        let scopes = [
            "issues:read",
            "issues:write",
            "dashboards:read",
            "annotations:write",
            "charges:read",
            "refunds:write",
        ];
        self.world
            .spec(user)
            .scopes(&scopes)
            .claim("org", Value::from(tenant))
    }

    async fn call(
        &self,
        (user, tenant): (&str, &str),
        tool: &str,
        arguments: &Value,
    ) -> Result<bailiwick_dev::mcp::Answer> {
        let token = self.world.issuer.token(&self.spec(user, tenant))?;
        self.world.call(&token, tool, arguments).await
    }
}

#[tokio::test]
async fn each_user_of_one_process_has_their_own_key_at_github() -> Result<()> {
    let office = Office::open().await?;
    for user in ["alice", "bob"] {
        let answer = office.call((user, "acme"), "my_issues", &json!({})).await?;
        ensure!(
            answer.is_success(),
            "{}\n{}",
            answer.raw,
            office.world.host.said()
        );
        let title = answer.structured().pointer("/issues/0/title");
        ensure_eq(
            title,
            Some(&Value::from(format!("{user}'s"))),
            "whose issues",
        )?;
    }
    let there = json!({"owner": "octo-org", "repo": "hello-world"});
    let listed = office.call(("bob", "acme"), "list_issues", &there).await?;
    ensure!(listed.is_success(), "{}", listed.raw);
    let new = json!({"owner": "octo-org", "repo": "hello-world", "title": "It breaks"});
    let created = office.call(("alice", "acme"), "create_issue", &new).await?;
    ensure!(created.is_success(), "{}", created.raw);
    let author = created.structured().pointer("/user/login");
    ensure_eq(author, Some(&Value::from("alice")), "the author")?;
    let asked = office.github.seen().len();
    let stranger = office
        .call(("carol", "acme"), "my_issues", &json!({}))
        .await?;
    ensure!(stranger.is_tool_error(), "{}", stranger.raw);
    ensure_eq(
        office.github.seen().len(),
        0,
        "requests of a user without a key",
    )?;
    ensure_eq(asked, 4, "requests of users with one")
}

#[tokio::test]
async fn a_tenant_reaches_its_own_grafana_and_an_annotation_names_the_user() -> Result<()> {
    let office = Office::open().await?;
    for (user, tenant, title) in [("alice", "acme", "Acme"), ("bob", "globex", "Globex")] {
        let answer = office
            .call((user, tenant), "search_dashboards", &json!({}))
            .await?;
        ensure!(
            answer.is_success(),
            "{}\n{}",
            answer.raw,
            office.world.host.said()
        );
        let found = answer.structured().pointer("/dashboards/0/title");
        ensure_eq(found, Some(&Value::from(title)), "whose dashboards")?;
    }
    let foreign = office
        .call(("mallory", "initech"), "search_dashboards", &json!({}))
        .await?;
    ensure!(foreign.is_tool_error(), "{}", foreign.raw);
    ensure_eq(office.grafana.seen().len(), 2, "requests")?;
    let note = json!({"dashboard": "cIBgcSjkk", "text": "by:mallory"});
    let noted = office.call(("alice", "acme"), "annotate", &note).await?;
    ensure!(noted.is_success(), "{}", noted.raw);
    let sent = office.grafana.seen();
    let body: Value = serde_json::from_slice(&sent.first().context("no request")?.body)?;
    ensure_eq(
        body.get("tags"),
        Some(&json!(["by:alice", "with:clerk"])),
        "tags",
    )
}

#[tokio::test]
async fn a_refund_names_the_user_has_a_key_of_the_host_and_stays_below_the_operators_limit()
-> Result<()> {
    let office = Office::open().await?;
    let wanted = |amount: u32| json!({"charge": "ch_1", "amount": amount, "reason": "duplicate"});
    let refunded = office
        .call(("alice", "acme"), "refund", &wanted(500))
        .await?;
    ensure!(
        refunded.is_success(),
        "{}\n{}",
        refunded.raw,
        office.world.host.said()
    );
    let sent = office.stripe.seen();
    let request = sent.first().context("no request")?;
    let field = |name: &str| request.form().into_iter().find(|(key, _)| key == name);
    let actor = field("metadata[actor]").map(|(_, value)| value);
    ensure_eq(actor.as_deref(), Some("alice"), "who asked")?;
    ensure!(request.header("idempotency-key").is_some(), "no key");
    let denied = office
        .call(("alice", "acme"), "refund", &wanted(10_001))
        .await?;
    ensure!(denied.is_tool_error(), "{}", denied.raw);
    let told = "refused by the operator's rule `components.stripe.deny[1]`";
    ensure!(denied.raw.contains(told), "{}", denied.raw);
    ensure_eq(office.stripe.seen().len(), 0, "refunds above the limit")?;
    let records = office.world.records()?;
    let opened = records.iter().filter(|record| {
        let is = |key: &str, value: &str| record.get(key).is_some_and(|it| it == value);
        is("event", "downstream.opened") && is("service", "stripe")
    });
    ensure_eq(opened.count(), 1, "recorded requests")
}
