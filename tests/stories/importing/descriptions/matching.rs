//! Twenty operations of each description, called through a host and built by another client from
//! the same arguments: the service gets the same.
//!
//! The other client is the one behind Swagger UI. Method, headers and JSON bodies are compared byte
//! by byte; paths, queries and forms piece by piece, decoded, because more than one encoding of a
//! piece is right: the host encodes all but unreserved characters (RFC 3986 §2.3), also the commas
//! between the items of a list, and a form has spaces as `+` or `%20` (URL Standard, §5). The order
//! of a query's keys says nothing, and that of one key's values does.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::{Answer, Request};
use bailiwick_dev::mcp;
use bailiwick_tests::{Plan, World};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::arguments::{Seeded, arguments};
use super::{DESCRIPTIONS, import};

/// An imported operation.
#[derive(Clone, Debug)]
struct Operation {
    tool: String,
    method: String,
    path: String,
}

/// A description with the operations that are imported of it.
struct Described {
    file: PathBuf,
    /// The name of its service and of its component.
    name: String,
    component: Vec<u8>,
    lines: toml::Table,
    operations: Vec<Operation>,
}

/// Reads the operations that a table of the importer has as tools.
fn operations(printed: &str) -> Vec<Operation> {
    let of_line = |line: &str| {
        let mut words = line.split_whitespace();
        let does = words
            .next()
            .filter(|does| ["reads", "writes"].contains(does));
        does?;
        let [tool, method, path] = [words.next()?, words.next()?, words.next()?].map(str::to_owned);
        Some(Operation { tool, method, path })
    };
    printed.lines().filter_map(of_line).collect()
}

impl Described {
    /// Imports as many operations as candidates, whose tools have names that are not taken.
    async fn of(
        (file, more): (PathBuf, &[&str]),
        name: &str,
        taken: &mut BTreeSet<String>,
    ) -> Result<Self> {
        let out = TempDir::new()?;
        let folder = out.path().to_str().context("a path in UTF-8")?;
        let usual = [&["--service", name, "--out", folder][..], more].concat();
        let (good, printed) = import(&file, &[&usual[..], &["--dry-run"]].concat()).await?;
        ensure!(good, "{printed}");
        let mut all = operations(&printed);
        Seeded::new(&file.file_name().unwrap_or_default().to_string_lossy()).shuffle(&mut all);
        all.retain(|operation| taken.insert(operation.tool.to_ascii_lowercase()));
        all.truncate(CANDIDATES);
        let only: Vec<&str> = all
            .iter()
            .map(|operation| operation.tool.as_str())
            .collect();
        let only = ["--only", &only.join(",")];
        let (good, said) = import(&file, &[&usual[..], &only].concat()).await?;
        ensure!(good, "{said}");
        Ok(Self {
            component: fs::read(out.path().join(format!("{name}.wasm")))?,
            lines: fs::read_to_string(out.path().join(format!("{name}.toml")))?.parse()?,
            name: name.to_owned(),
            operations: all,
            file,
        })
    }

    /// Returns the written lines with what an operator decides: where the service is, that it is
    /// called by the host, and that all users see the same.
    fn granted(&self, url: &str) -> String {
        let mut lines = self.lines.clone();
        let decided = toml::toml! {
            private_addresses = ["127.0.0.0/8"]
            shared_data = true
        };
        if let Some(service) = lines["services"][&self.name].as_table_mut() {
            service.extend(decided);
            service.insert("url".to_owned(), url.into());
        }
        lines["components"][&self.name]["services"][&self.name] = "service_identity".into();
        lines.to_string()
    }
}

/// Starts a host with all components; the orders service takes their requests.
async fn world(described: &[Described]) -> Result<World> {
    let components = described
        .iter()
        .map(|described| {
            (
                format!("{}.wasm", described.name),
                described.component.clone(),
            )
        })
        .collect();
    let granted: Vec<_> = described
        .iter()
        .map(|described| described.granted(PLACE))
        .collect();
    let world = World::with(Plan {
        components,
        config: Box::new(move |config| {
            let services: toml::Table = config.services.parse().unwrap_or_default();
            let url = services["services"]["orders_api"]["url"].as_str();
            let url = url.unwrap_or_default();
            for lines in granted {
                config.services.push_str("\n\n");
                config.services.push_str(&lines.replace(PLACE, url));
            }
        }),
        ..Plan::default()
    })
    .await?;
    let answer = Answer::json(StatusCode::OK, &json!({}));
    world.orders.answer_with(answer);
    Ok(world)
}

/// Returns the inputs of all tools by name.
async fn inputs(world: &World, token: &str) -> Result<Value> {
    let mut inputs = json!({});
    let mut params = json!({});
    loop {
        let page = mcp::request(&world.host.url(), Some(token), "tools/list", &params).await?;
        ensure!(page.is_success(), "{}", page.raw);
        for tool in page.result()["tools"].as_array().into_iter().flatten() {
            let name = tool["name"].as_str().context("a name")?;
            inputs[name] = tool["inputSchema"].clone();
        }
        match page.result().get("nextCursor") {
            Some(cursor) => params = json!({"cursor": cursor}),
            None => return Ok(inputs),
        }
    }
}

/// Builds the requests of calls with the other client: a list for each description, with `null` for
/// what that client cannot write.
async fn built(client: &Path, calls: &Value) -> Result<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/descriptions/requests.mjs");
    let mut child = Command::new("node")
        .args([&script, client])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("node")?;
    let mut input = child.stdin.take().context("no input")?;
    input.write_all(calls.to_string().as_bytes()).await?;
    drop(input);
    let output = child.wait_with_output().await?;
    ensure!(output.status.success(), "{}", output.status);
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A request that the other client built.
fn request_of(built: &Value) -> Result<Request> {
    let text = |name: &str| built[name].as_str().unwrap_or_default().to_owned();
    let target = text("target");
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Ok(Request {
        method: text("method").parse::<Method>()?,
        path: path.to_owned(),
        query: query.to_owned(),
        headers: HeaderMap::new(),
        body: text("body").into(),
    })
}

/// Returns what is different about a request that arrived.
fn differences(came: &Request, built: &Value) -> Result<Vec<String>> {
    let other = request_of(built)?;
    let mut different = Vec::new();
    let mut compare = |what: &str, came: String, other: String| {
        if came != other {
            different.push(format!("{what}: {came} came, {other} was built"));
        }
    };
    let sorted = |mut fields: Vec<(String, String)>| {
        fields.sort_by(|(one, _), (other, _)| one.cmp(other));
        format!("{fields:?}")
    };
    let path = |request: &Request| {
        let ends = if request.path.ends_with('/') { "/" } else { "" };
        format!("{:?}{ends}", request.segments())
    };
    compare("method", came.method.to_string(), other.method.to_string());
    compare("path", path(came), path(&other));
    compare("query", sorted(came.query()), sorted(other.query()));
    let media = came.header("content-type").unwrap_or_default();
    if media == FORM {
        compare("form", sorted(came.form()), sorted(other.form()));
    } else {
        let text = |request: &Request| String::from_utf8_lossy(&request.body).into_owned();
        compare("body", text(came), text(&other));
    }
    compare(
        "content-type",
        media.to_owned(),
        built["media"].as_str().unwrap_or_default().to_owned(),
    );
    for (name, value) in built["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default().to_owned();
        let came = came.header(name).unwrap_or_default().to_owned();
        compare(name, came, value);
    }
    let mut accepted = built["accepted"].as_array().into_iter().flatten();
    if let Some(accept) = came.header("accept")
        && accepted.all(|media| media != accept)
    {
        different.push(format!("accept: {accept} is not in the description"));
    }
    Ok(different)
}

/// Calls the operations of a description that the other client built, up to twenty; returns how
/// many these were, and what is different.
async fn called(
    world: &World,
    token: &str,
    calls: &[Value],
    built: &Value,
) -> Result<(usize, Vec<String>)> {
    let (mut done, mut different) = (BTreeSet::new(), Vec::new());
    let pairs = calls.iter().zip(built.as_array().into_iter().flatten());
    for (call, built) in pairs.filter(|(_, built)| !built.is_null()) {
        let (tool, given) = (call["tool"].as_str().unwrap_or_default(), &call["given"]);
        if done.len() == CALLED || !done.insert(tool) {
            continue;
        }
        let before = world.orders.requests().len();
        let answer = world.call(token, tool, given).await?;
        let requests = world.orders.requests();
        let mut found = match requests.get(before) {
            Some(came) => differences(came, built)?,
            None => vec!["nothing came".to_owned()],
        };
        if !answer.is_success() {
            found.push(answer.raw);
        }
        let line = format!("{} {} {given}", call["method"], call["path"]);
        different.extend(found.into_iter().map(|what| format!("{line}\n    {what}")));
    }
    Ok((done.len(), different))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_gets_what_another_client_builds_from_the_same_description() -> Result<()> {
    let Some(folder) = env::var_os("BAILIWICK_DESCRIPTIONS").map(PathBuf::from) else {
        return Ok(());
    };
    let (mut described, mut taken) = (Vec::new(), BTreeSet::new());
    for (number, (file, more)) in DESCRIPTIONS.into_iter().enumerate() {
        let name = format!("api{number}");
        let of = Described::of((folder.join(file), more), &name, &mut taken).await;
        described.push(of.with_context(|| file)?);
    }
    let world = world(&described).await?;
    let token = world.token("alice")?;
    let inputs = inputs(&world, &token).await?;
    let mut all = Vec::new();
    for described in &described {
        let mut calls = Vec::new();
        for Operation { tool, method, path } in &described.operations {
            for sparse in SPARSE {
                let given = arguments(&inputs[tool], &mut Seeded::new(tool), sparse);
                calls.extend(given.map(
                    |given| json!({"tool": tool, "method": method, "path": path, "given": given}),
                ));
            }
        }
        all.push(calls);
    }
    let documents = described.iter().zip(&all);
    let documents: Value = documents
        .map(|(described, calls)| json!({"file": described.file, "calls": calls}))
        .collect();
    let built = built(&folder.join(CLIENT), &documents).await?;
    let mut wrong = Vec::new();
    for (number, (described, calls)) in described.iter().zip(&all).enumerate() {
        let file = described.file.display();
        let (count, different) = called(&world, &token, calls, &built[number]).await?;
        if count < CALLED {
            wrong.push(format!("{file}: only {count} of {} calls", calls.len()));
        }
        wrong.extend(different.into_iter().map(|what| format!("{file}: {what}")));
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// A change of a request.
type Change = fn(&mut Request);

#[test]
fn what_differs_from_the_other_clients_request_is_seen() -> Result<()> {
    let built = json!({
        "method": "GET", "target": "/a%20b/?x=1&y=%C3%A9&x=2", "headers": {"if-match": "a"},
        "media": null, "accepted": ["application/json"], "body": "",
    });
    let cases: [(Change, &str); 9] = [
        (|_| (), ""),
        (|came| "y=%c3%a9&x=1&x=2".clone_into(&mut came.query), ""),
        (
            |came| "x=2&x=1&y=%C3%A9".clone_into(&mut came.query),
            "query",
        ),
        (|came| "/a%20b".clone_into(&mut came.path), "path"),
        (|came| "/a/b/".clone_into(&mut came.path), "path"),
        (|came| came.method = Method::POST, "method"),
        (|came| came.headers.clear(), "if-match"),
        (
            |came| {
                let other = HeaderValue::from_static("text/html");
                came.headers.insert("accept", other);
            },
            "accept",
        ),
        (|came| came.body = "{}".into(), "body"),
    ];
    for (change, what) in cases {
        let mut came = request_of(&built)?;
        came.headers
            .insert("if-match", HeaderValue::from_static("a"));
        change(&mut came);
        let found = differences(&came, &built)?.join("; ");
        ensure!(found.is_empty() == what.is_empty(), "{what}: {found}");
        ensure!(found.starts_with(what), "{what}: {found}");
    }
    Ok(())
}

/// The client, a file of the package `swagger-client`.
const CLIENT: &str = "swagger-client.browser.min.js";
/// The operations of a description that are called, and those that are looked at for them: not
/// every schema is understood here, and the other client cannot write every form.
const CALLED: usize = 20;
const CANDIDATES: usize = 64;
/// One of so many members that can be left out is there: of the calls of an operation, the first
/// that the other client can write counts.
const SPARSE: [usize; 3] = [2, 4, 16];
/// Stands for the service's address until there is one.
const PLACE: &str = "http://place.invalid";
const FORM: &str = "application/x-www-form-urlencoded";
