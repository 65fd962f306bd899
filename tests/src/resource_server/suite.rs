//! A run of the suite: the good token, the cases one after another, and everything that came back.
//!
//! Invariant: every case of refusals is followed by the good token, on the connection of the last
//! refusal if it was kept.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use http::StatusCode;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use serde_json::Value;
use tokio::time::{Instant, sleep};
use url::Url;

use super::case::{Case, Outcome};
use super::families;
use super::mint::{Mint, Minted, Order};
use super::probe::{Probe, accepts};
use super::report::{Finding, Report};
use super::token::Jwt;
use super::wire::{Answer, Ask, Connection, Wire};

/// The server to check, and the way to get its tokens.
pub struct Target {
    /// The MCP endpoint, as clients use it.
    pub url: String,
    /// A PEM file with the authorities that vouch for the server, in place of the system's.
    pub ca: Option<PathBuf>,
    /// The audience of good tokens, if it is not the URL.
    pub audience: Option<String>,
    /// The user of good tokens.
    pub subject: String,
    /// The scopes of good tokens.
    pub scopes: Vec<String>,
    /// A tool to call in place of asking what the server can do. The cases of too few scopes need
    /// one that needs scopes.
    pub tool: Option<String>,
    /// The tool's arguments.
    pub arguments: Value,
    /// The way to get tokens.
    pub mint: Mint,
}

/// Checks a server.
///
/// # Errors
/// Fails if the server cannot be reached, does not accept the good token, or a token cannot be
/// made for another reason than that the mint cannot make it.
pub async fn run(target: &Target) -> Result<Report> {
    let mut suite = Suite::start(target).await?;
    families::run(&mut suite).await?;
    Ok(Report {
        url: target.url.clone(),
        revision: suite.probe.revision,
        findings: suite.findings,
    })
}

/// The answers that count as a refusal.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expect {
    /// 401 alone.
    Unauthorized,
    /// 401, or 400 because it is no token at all.
    Malformed,
    /// Any code of the client's fault: where a server may not look for a token at all.
    AnyRefusal,
    /// A code for what was meant for another server.
    Elsewhere,
    /// 400, 401, a code for what is too large, or no answer because the server hung up.
    TooLong,
}

/// A request and its answer, for the cases that look at all of them.
pub(super) struct Seen {
    /// The name of the case.
    pub(super) case: &'static str,
    /// The credentials that were presented.
    pub(super) presented: Presented,
    /// True if a part of the token that was presented is in the answer.
    pub(super) echoed: bool,
    /// The answer.
    pub(super) answer: Answer,
}

/// The credentials of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presented {
    /// None.
    Nothing,
    /// One bearer token.
    Token,
    /// Something else.
    Other,
}

/// A run.
pub(super) struct Suite<'t> {
    pub(super) target: &'t Target,
    pub(super) url: Url,
    pub(super) probe: Probe,
    /// The good token as a JWT, if it is one.
    pub(super) jwt: Option<Jwt>,
    pub(super) findings: Vec<Finding>,
    pub(super) seen: Vec<Seen>,
    wire: Wire,
    good: String,
    minted: Instant,
}

impl<'t> Suite<'t> {
    async fn start(target: &'t Target) -> Result<Self> {
        let url = Url::parse(&target.url).with_context(|| format!("{} is no URL", target.url))?;
        if !["http", "https"].contains(&url.scheme()) {
            bail!("expected an https or http URL, not {url}");
        }
        let wire = Wire::new(target.ca.as_deref())?;
        let good = good(target).await?;
        let probe = Probe::find(&wire, target, &url, &good).await?;
        Ok(Self {
            target,
            url,
            probe,
            jwt: Jwt::read(&good),
            findings: Vec::new(),
            seen: Vec::new(),
            wire,
            good,
            minted: Instant::now(),
        })
    }

    /// Returns the audience of good tokens.
    pub(super) fn audience(&self) -> &str {
        self.target.audience.as_deref().unwrap_or(&self.target.url)
    }

    /// Starts an order for a good token.
    pub(super) fn order(&self) -> Order {
        Order::good(&self.target.subject, self.audience(), &self.target.scopes)
    }

    /// Gets a token.
    ///
    /// # Errors
    /// As [`Mint`]: not if the mint merely cannot make it.
    pub(super) async fn mint(&self, order: &Order) -> Result<Minted> {
        self.target.mint.mint(order).await
    }

    /// Returns the good token, fresh enough for the next requests.
    ///
    /// # Errors
    /// Fails if none can be made.
    pub(super) async fn good(&mut self) -> Result<String> {
        if self.minted.elapsed() > FRESH {
            self.good = good(self.target).await?;
            self.minted = Instant::now();
        }
        Ok(self.good.clone())
    }

    /// Returns the good token as a JWT and as it is, in its present copy.
    ///
    /// # Errors
    /// As [`Suite::good`].
    pub(super) async fn good_jwt(&mut self) -> Result<Option<Jwt>> {
        Ok(Jwt::read(&self.good().await?))
    }

    /// Keeps an outcome.
    pub(super) fn note(&mut self, case: Case, outcome: Outcome) {
        self.findings.push(Finding { case, outcome });
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// Fails if the server is gone.
    pub(super) async fn connect(&self, url: &Url) -> Result<Connection> {
        self.wire.connect(url).await
    }

    /// Sends a request on a new connection.
    ///
    /// # Errors
    /// Fails without an answer.
    pub(super) async fn send(&mut self, case: Case, ask: Ask) -> Result<Answer> {
        let mut connection = self.connect(&ask.url).await?;
        self.send_on(&mut connection, case, ask).await
    }

    /// Sends a request, again after a while if the server says that there were too many.
    ///
    /// # Errors
    /// Fails without an answer.
    pub(super) async fn send_on(
        &mut self,
        connection: &mut Connection,
        case: Case,
        ask: Ask,
    ) -> Result<Answer> {
        let mut answer = connection.send(ask.clone()).await?;
        for _ in 0..PATIENCE {
            let Some(wait) = too_many(&answer) else {
                break;
            };
            sleep(wait).await;
            *connection = self.connect(&ask.url).await?;
            answer = connection.send(ask.clone()).await?;
        }
        // An authorization server's answers are its own.
        if ask.url.origin() == self.url.origin() {
            self.seen.push(Seen {
                case: case.name,
                presented: presented(&ask),
                echoed: echoed(&ask, &answer),
                answer: answer.clone(),
            });
        }
        Ok(answer)
    }

    /// Sends requests that must be refused, each on a new connection, and keeps the outcome.
    ///
    /// # Errors
    /// Fails if the good token is no longer accepted afterwards.
    pub(super) async fn refuses(
        &mut self,
        case: Case,
        asks: Vec<Ask>,
        expect: Expect,
    ) -> Result<()> {
        let (mut outcome, mut last) = (Outcome::NotTried("nothing to send".to_owned()), None);
        for ask in asks {
            let mut connection = self.connect(&ask.url).await?;
            let came = self.send_on(&mut connection, case, ask).await;
            if !matches!(outcome, Outcome::Failed(_)) {
                outcome = expect.judge(&came);
            }
            last = Some(connection);
        }
        if let Some(mut connection) = last {
            self.twin(&mut connection, case).await?;
        }
        self.note(case, outcome);
        Ok(())
    }

    /// Sends the good token, on a connection that was just refused something.
    async fn twin(&mut self, connection: &mut Connection, case: Case) -> Result<()> {
        let good = self.probe.ask().bearer(&self.good().await?)?;
        if !connection.is_kept().await {
            *connection = self.connect(&good.url).await?;
        }
        let answer = match self.send_on(connection, case, good.clone()).await {
            Ok(answer) => answer,
            // The server may close a connection in the very moment in which it is used again.
            Err(_) => self.send(case, good).await?,
        };
        if !accepts(&answer) {
            bail!(
                "after `{}`, the good token is no longer accepted: {}",
                case.name,
                answer.told()
            );
        }
        Ok(())
    }

    /// Sends a request that must be accepted, and keeps the outcome.
    ///
    /// # Errors
    /// Fails if the server is gone.
    pub(super) async fn accepts(&mut self, case: Case, ask: Ask) -> Result<()> {
        let answer = self.send(case, ask).await?;
        let outcome = Outcome::of(accepts(&answer), || {
            format!("expected success, came {}", answer.told())
        });
        self.note(case, outcome);
        Ok(())
    }
}

impl Expect {
    fn judge(self, came: &Result<Answer>) -> Outcome {
        let (codes, hangs_up): (&[u16], bool) = match self {
            Self::Unauthorized => (&[401], false),
            Self::Malformed => (&[400, 401], false),
            Self::AnyRefusal => (&[400, 401, 403, 404, 405, 406, 415, 422], false),
            Self::Elsewhere => (&[400, 403, 404, 421], false),
            Self::TooLong => (&[400, 401, 413, 414, 431], true),
        };
        match came {
            Err(_) if hangs_up => Outcome::Passed,
            Err(error) => Outcome::Failed(format!("expected {codes:?}, came no answer: {error:#}")),
            Ok(answer) => Outcome::of(codes.contains(&answer.status.as_u16()), || {
                format!("expected {codes:?}, came {}", answer.told())
            }),
        }
    }
}

async fn good(target: &Target) -> Result<String> {
    let audience = target.audience.as_deref().unwrap_or(&target.url);
    let order = Order::good(&target.subject, audience, &target.scopes);
    match target.mint.mint(&order).await? {
        Minted::Token(token) => Ok(token),
        Minted::Unable(why) => bail!("no good token, so nothing can be checked: {why}"),
    }
}

fn presented(ask: &Ask) -> Presented {
    let mut values = ask.headers.get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        // The other two ways of RFC 6750 §2.
        (None, _) if ask.url.query_pairs().any(|(name, _)| name == WAY) => Presented::Other,
        (None, _) if ask.body.starts_with(WAY) => Presented::Other,
        (None, _) => Presented::Nothing,
        (Some(value), None) if value.as_bytes().starts_with(b"Bearer ") => Presented::Token,
        _ => Presented::Other,
    }
}

/// Returns true if claims or signature of the token that was sent are in the answer.
fn echoed(ask: &Ask, answer: &Answer) -> bool {
    let values = ask.headers.get_all(AUTHORIZATION).iter();
    let words = values.flat_map(|value| value.to_str().unwrap_or_default().split(' '));
    let parts = words.flat_map(|word| word.split('.').skip(usize::from(word.contains('.'))));
    let long: Vec<&str> = parts.filter(|part| part.len() >= TELLING).collect();
    let headers = answer.headers.values();
    let mut texts = headers.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    long.iter().any(|part| answer.body.contains(part))
        || texts.any(|text| long.iter().any(|part| text.contains(part)))
}

/// Returns the time that a server asks to wait, if it had too many requests.
fn too_many(answer: &Answer) -> Option<Duration> {
    if answer.status != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    let seconds = answer.header(RETRY_AFTER.as_str()).parse().unwrap_or(1_u64);
    Some(Duration::from_secs(seconds.clamp(1, 30)))
}

/// The name of a token in a query or a form.
const WAY: &str = "access_token";

/// The time for which one good token is used.
const FRESH: Duration = Duration::from_secs(120);

/// The number of times that a request is sent again after 429.
const PATIENCE: usize = 5;

/// The shortest part of a token that cannot be in an answer by chance.
const TELLING: usize = 20;
