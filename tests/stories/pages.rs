//! The operator's page: who may read it, what it shows, and what it never shows.

mod browser;
mod shown;

use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::client::{self, Open, Reply};
use bailiwick_tests::{Plan, World, ensure_eq};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, Method, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::json;

use super::operations::{OPERATIONS, url_of};

/// A world with a page, and how to read it.
pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) url: String,
    token: String,
}

impl Site {
    /// Starts the usual world with a page.
    pub(crate) async fn open() -> Result<Self> {
        Self::with(Plan::default(), "").await
    }

    /// Starts a world with a page, and these keys of `[operations]`.
    pub(crate) async fn with(plan: Plan, keys: &str) -> Result<Self> {
        let section = format!("{OPERATIONS}{keys}");
        let change = plan.config;
        let config = move |config: &mut bailiwick_dev::Config| {
            change(config);
            config.limits += &section;
        };
        let plan = Plan {
            config: Box::new(config),
            ..plan
        };
        let world = World::with(plan).await?;
        let url = url_of(&world)?;
        let file = world.folder.path().join("keys/page.token");
        let token = std::fs::read_to_string(file).unwrap_or_default();
        let token = token.trim().to_owned();
        Ok(Self { world, url, token })
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// Reads a page with the token.
    pub(crate) async fn read(&self, path: &str) -> Result<Reply> {
        self.ask(Method::GET, path, &[("authorization", &self.bearer())], "")
            .await
    }

    /// Reads a page until it contains `text`.
    pub(crate) async fn until(&self, path: &str, text: &str) -> Result<String> {
        let mut last = String::new();
        for _ in 0..200 {
            last = self.read(path).await?.text();
            if last.contains(text) {
                return Ok(last);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("{path} has no {text}:\n{last}")
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> Result<Reply> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_static(name), value.parse()?);
        }
        client::send(method, &format!("{}{path}", self.url), map, body.to_owned()).await
    }

    /// Asks for the stream of changes.
    async fn listen(&self) -> Result<Open> {
        let headers = [(AUTHORIZATION, self.bearer().parse()?)];
        let headers = headers.into_iter().collect();
        client::open(Method::GET, &format!("{}/live", self.url), headers, "").await
    }

    /// Takes every place for a listener. Those of listeners who are gone are free once the host has
    /// tried to tell them something.
    async fn listeners(&self) -> Result<Vec<Open>> {
        let mut listeners = Vec::new();
        for _ in 0..60 {
            let listener = self.listen().await?;
            if listener.status == StatusCode::OK {
                listeners.push(listener);
            } else {
                self.world.call("a.b.c", "whoami", &json!({})).await?;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            if listeners.len() == 8 {
                return Ok(listeners);
            }
        }
        anyhow::bail!("places are not given back")
    }

    /// Signs in with the form; returns the cookie.
    async fn cookie(&self) -> Result<String> {
        let form = format!("token={}&to=%2Ftools", self.token);
        let reply = self.ask(Method::POST, "/sign-in", &[], &form).await?;
        ensure_eq(reply.status, StatusCode::SEE_OTHER, "signing in")?;
        ensure_eq(reply.header("location"), "/tools", "the way")?;
        let set = reply.header("set-cookie");
        ensure!(!set.contains(&self.token), "the cookie is the token: {set}");
        let attributes = "; Path=/; HttpOnly; SameSite=Strict";
        let cookie = set.strip_suffix(attributes);
        Ok(cookie.context(set.to_owned())?.to_owned())
    }
}

#[tokio::test]
async fn the_page_opens_to_its_token_and_to_a_cookie_that_stands_for_it() -> Result<()> {
    let site = Site::open().await?;
    let file = site.world.folder.path().join("keys/page.token");
    ensure_eq(std::fs::metadata(&file)?.mode() & 0o777, 0o600, "the mode")?;
    let said = site.world.host.said();
    ensure!(said.contains("keys/page.token"), "{said}");
    ensure!(!said.contains(&site.token), "the token is in the log");
    ensure!(site.token.len() == 43, "a token of 256 bits");

    let other = Site::open().await?;
    ensure!(site.token != other.token, "two hosts have one token");
    let (own, foreign) = (site.cookie().await?, other.cookie().await?);
    let both = format!("{foreign}; {own}");
    let (good, wrong) = (site.bearer(), other.bearer());
    for (headers, status) in [
        (&[("authorization", &*good)][..], StatusCode::OK),
        (&[("cookie", &*own)], StatusCode::OK),
        (&[("cookie", &*both)], StatusCode::OK),
        (&[], StatusCode::UNAUTHORIZED),
        (&[("authorization", &*wrong)], StatusCode::UNAUTHORIZED),
        (&[("authorization", "Bearer x")], StatusCode::UNAUTHORIZED),
        (&[("cookie", &*foreign)], StatusCode::UNAUTHORIZED),
        // A wrong token is not forgiven because of a good cookie.
        (
            &[("authorization", &*wrong), ("cookie", &*own)],
            StatusCode::UNAUTHORIZED,
        ),
    ] {
        for path in ["/", "/tools", "/health", "/?who=alice"] {
            for method in [Method::GET, Method::HEAD] {
                let reply = site.ask(method, path, headers, "").await?;
                ensure_eq(reply.status, status, &format!("{path} {headers:?}"))?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_foreign_page_cannot_read_or_sign_in() -> Result<()> {
    let site = Site::open().await?;
    let bearer = site.bearer();
    let address = site.url.trim_start_matches("http://");
    let own = format!("http://{address}");
    for (name, value, status) in [
        ("host", "evil.example", StatusCode::FORBIDDEN),
        ("origin", "http://evil.example", StatusCode::FORBIDDEN),
        ("origin", "null", StatusCode::FORBIDDEN),
        ("origin", &*own, StatusCode::FORBIDDEN),
        ("host", "localhost:1", StatusCode::OK),
    ] {
        let headers = [("authorization", &*bearer), (name, value)];
        for path in ["/", "/health", "/style.css"] {
            let reply = site.ask(Method::GET, path, &headers, "").await?;
            ensure_eq(reply.status, status, &format!("{name}: {value} {path}"))?;
        }
    }
    let form = format!("token={}", site.token);
    let long = "x".repeat(2000);
    for (origin, body, status) in [
        (&*own, &*form, StatusCode::SEE_OTHER),
        ("http://evil.example", &*form, StatusCode::FORBIDDEN),
        ("null", &*form, StatusCode::FORBIDDEN),
        (&*own, "token=x", StatusCode::UNAUTHORIZED),
        (&*own, "", StatusCode::UNAUTHORIZED),
        (&*own, &*long, StatusCode::BAD_REQUEST),
    ] {
        let headers = [("origin", origin)];
        let reply = site.ask(Method::POST, "/sign-in", &headers, body).await?;
        ensure_eq(reply.status, status, &format!("{origin} {}", body.len()))?;
        let opened = status == StatusCode::SEE_OTHER;
        ensure_eq(reply.headers.contains_key("set-cookie"), opened, origin)?;
    }
    for (method, path) in [
        (Method::POST, "/"),
        (Method::PUT, "/tools"),
        (Method::DELETE, "/calls/x"),
        (Method::PUT, "/sign-in"),
        (Method::POST, "/metrics"),
    ] {
        let headers = [("authorization", &*bearer)];
        let reply = site.ask(method.clone(), path, &headers, "").await?;
        let what = format!("{method} {path}");
        ensure_eq(reply.status, StatusCode::METHOD_NOT_ALLOWED, &what)?;
    }
    Ok(())
}

#[tokio::test]
async fn every_answer_forbids_what_the_page_does_not_need() -> Result<()> {
    let site = Site::open().await?;
    for path in [
        "/",
        "/tools",
        "/calls/x",
        "/sign-in",
        "/style.css",
        "/live.js",
    ] {
        let reply = site.read(path).await?;
        // Browsers send the form of a page without a referrer with the origin `null`.
        let referrer = if path == "/sign-in" {
            "same-origin"
        } else {
            "no-referrer"
        };
        for (name, value) in [
            (
                "content-security-policy",
                "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                 frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
            ),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("referrer-policy", referrer),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            ensure_eq(reply.header(name), value, &format!("{path} {name}"))?;
        }
        let text = reply.text();
        for inline in ["<style", " style=", "<script>", " onclick="] {
            ensure!(!text.contains(inline), "{path} has {inline}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_page_is_there_as_the_operator_says() -> Result<()> {
    let open = Site::with(Plan::default(), "page_without_token = true\n").await?;
    for path in ["/", "/tools", "/health"] {
        let reply = open.ask(Method::GET, path, &[], "").await?;
        ensure_eq(reply.status, StatusCode::OK, path)?;
    }
    ensure_eq(&*open.token, "", "a token that no one needs")?;
    let off = Site::with(Plan::default(), "page = false\n").await?;
    for path in ["/", "/tools", "/style.css", "/sign-in"] {
        let reply = off.ask(Method::GET, path, &[], "").await?;
        ensure_eq(reply.status, StatusCode::NOT_FOUND, path)?;
    }
    ensure!(!off.world.host.said().contains("page"), "a page is told of");
    let metrics = off.ask(Method::GET, "/metrics", &[], "").await?;
    ensure_eq(metrics.status, StatusCode::OK, "metrics")
}

#[tokio::test]
async fn a_listener_learns_of_a_call_and_the_ninth_finds_no_place() -> Result<()> {
    let site = Site::open().await?;
    let mut listeners = site.listeners().await?;
    let ninth = site.listen().await?;
    ensure_eq(ninth.status, StatusCode::SERVICE_UNAVAILABLE, "the ninth")?;
    drop(ninth);
    let mut first = listeners.pop().context("no listener")?;
    drop(listeners);
    site.world
        .order(&site.world.token("alice")?, "A-1001")
        .await?;
    let event = async {
        while let Some(frame) = first.body.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            if data.starts_with(b"data: ") {
                return Ok(data);
            }
        }
        anyhow::bail!("the stream ended")
    };
    let event = tokio::time::timeout(Duration::from_secs(30), event).await??;
    ensure_eq(&*event, b"data: changed\n\n", "an event without contents")?;
    drop(first);
    site.listeners().await?;
    Ok(())
}
