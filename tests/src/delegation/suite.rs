//! A run: many users, one lie after another, and what reached the service meanwhile.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bailiwick_dev::TokenSpec;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use url::Url;

use super::cases::{AN_ACTOR, Case, FAILURES, LIES, LIES_ABOUT_THE_ACTOR};
use super::judge::{Presented, marked};
use super::report::{Class, Report};
use super::stage::{SCOPE, Stage};
use crate::resource_server::probe::Probe;
use crate::resource_server::wire::Wire;
use crate::resource_server::{Mint, Minted, Target};

/// The gateway to check.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// The MCP endpoint, as clients use it.
    pub url: String,
    /// A PEM file with the authorities that vouch for it, in place of the system's.
    pub ca: Option<PathBuf>,
    /// The audience of callers' tokens, if it is not the URL.
    pub audience: Option<String>,
    /// The tool that makes one GET to the service for its user.
    pub tool: String,
    /// The tool's arguments.
    pub arguments: Value,
    /// The number of users who take turns and then come at once.
    pub users: usize,
    /// The time that it may take until it is configured.
    pub patience: Duration,
}

impl Gateway {
    /// Returns a gateway that is configured already.
    pub fn at(url: &str, tool: &str, arguments: Value) -> Self {
        Self {
            url: url.to_owned(),
            ca: None,
            audience: None,
            tool: tool.to_owned(),
            arguments,
            users: 20,
            patience: Duration::from_secs(30),
        }
    }
}

/// Checks a gateway.
///
/// # Errors
/// Fails if no good call reaches the service, at the start or later.
pub async fn run(stage: &Stage, gateway: &Gateway) -> Result<Report> {
    let mut suite = Suite::start(stage, gateway).await?;
    suite.in_turns(gateway.users).await?;
    suite.at_once(gateway.users).await?;
    let exchanges = stage.issuer.exchanges();
    let with_actor = exchanges
        .iter()
        .any(|exchange| exchange.field("actor_token").is_some());
    let about_actors = if with_actor {
        &LIES_ABOUT_THE_ACTOR[..]
    } else {
        &AN_ACTOR[..]
    };
    for case in LIES.iter().chain(about_actors) {
        let seen = suite.misled(case).await?;
        suite.report.lies.add(case, &seen);
        suite.twin(case.1).await?;
    }
    for case in &FAILURES {
        let seen = suite.misled(case).await?;
        suite.report.fallbacks.add(case, &seen);
        suite.twin(case.1).await?;
    }
    Ok(suite.report)
}

/// A user, and the token with which this one comes.
#[derive(Clone)]
struct Caller {
    user: String,
    token: String,
}

/// What became of a call under a lie: whether the gateway asked for a token, and what it presented
/// to the service.
struct Seen {
    asked: bool,
    presented: Vec<Presented>,
}

impl Class {
    /// Adds a case after which nothing may have reached the service.
    fn add(&mut self, case: &Case, seen: &Seen) {
        let name = case.1;
        if seen.asked || !seen.presented.is_empty() {
            self.tried += 1;
        } else {
            self.not_tried.push(name);
        }
        let faults = seen.presented.iter();
        self.wrong
            .extend(faults.map(|presented| format!("{name}: the service got {presented}")));
    }
}

/// The way to the gateway.
struct Line {
    wire: Wire,
    probe: Probe,
}

struct Suite<'s> {
    stage: &'s Stage,
    audience: String,
    line: Arc<Line>,
    callers: Vec<Caller>,
    report: Report,
}

impl<'s> Suite<'s> {
    /// Waits until a good call reaches the service.
    async fn start(stage: &'s Stage, gateway: &Gateway) -> Result<Self> {
        let url = Url::parse(&gateway.url).with_context(|| format!("{} is no URL", gateway.url))?;
        let audience = gateway.audience.clone().unwrap_or(gateway.url.clone());
        let target = Target {
            url: gateway.url.clone(),
            ca: gateway.ca.clone(),
            audience: gateway.audience.clone(),
            subject: String::new(),
            scopes: vec![SCOPE.to_owned()],
            tool: Some(gateway.tool.clone()),
            arguments: gateway.arguments.clone(),
            mint: Mint::Function(Box::new(|_| Ok(Minted::Unable("not here".to_owned())))),
        };
        let until = Instant::now() + gateway.patience;
        let mut number = 0;
        let (wire, probe) = loop {
            number += 1;
            let caller = caller(stage, &audience, &format!("early-{number}"))?;
            let wire = Wire::new(gateway.ca.as_deref())?;
            let found = Probe::find(&wire, &target, &url, &caller.token).await;
            let reached = !stage.service.heard().requests.is_empty();
            match found {
                Ok(probe) if reached => break (wire, probe),
                _ if Instant::now() < until => sleep(PAUSE).await,
                Ok(_) => bail!(
                    "the tool answers, and no request reaches {}",
                    stage.service.url()
                ),
                Err(error) => return Err(error.context("the gateway is not ready")),
            }
        };
        Ok(Self {
            stage,
            audience,
            line: Arc::new(Line { wire, probe }),
            callers: Vec::new(),
            report: Report {
                mix_ups: Class::named("mix-up"),
                lies: Class::named("lies"),
                fallbacks: Class::named("no fallback"),
            },
        })
    }

    /// Makes a user of whom nothing is known yet.
    fn newcomer(&mut self) -> Result<Caller> {
        let user = format!("user-{}", self.callers.len() + 1);
        let caller = caller(self.stage, &self.audience, &user)?;
        self.callers.push(caller.clone());
        Ok(caller)
    }

    /// Returns what the service got since it had heard so many requests.
    fn presented(&self, since: usize) -> Vec<Presented> {
        let inbound = self.callers.iter().map(|caller| caller.token.clone());
        let inbound: Vec<String> = inbound.collect();
        let heard = self.stage.service.heard().requests;
        let new = heard.iter().skip(since);
        new.map(|request| self.stage.presented(request, &inbound))
            .collect()
    }

    fn heard(&self) -> usize {
        self.stage.service.heard().requests.len()
    }

    /// Calls as one user; notes every credential and every mark of another. Returns whether the
    /// service got a request.
    async fn alone(&mut self, caller: &Caller) -> Result<bool> {
        let before = self.heard();
        let answer = self.line.probe.repeat(&self.line.wire, &caller.token).await;
        let presented = self.presented(before);
        let expected = Presented::Exchanged(caller.user.clone());
        let wrong = &mut self.report.mix_ups.wrong;
        for other in presented.iter().filter(|other| **other != expected) {
            wrong.push(format!("{} called: the service got {other}", caller.user));
        }
        wrong.extend(
            answer
                .iter()
                .flat_map(|answer| foreign(caller, &answer.body)),
        );
        self.report.mix_ups.tried += 1;
        Ok(!presented.is_empty())
    }

    /// Lets users take turns, each twice, so that a cache has something to mix up.
    async fn in_turns(&mut self, users: usize) -> Result<()> {
        let callers: Result<Vec<Caller>> = (0..users).map(|_| self.newcomer()).collect();
        let callers = callers?;
        for caller in callers.iter().chain(&callers) {
            if !self.alone(caller).await? {
                bail!("{} called, and no request reached the service", caller.user);
            }
        }
        Ok(())
    }

    /// Lets all users call at once, and compares what the service got of each.
    async fn at_once(&mut self, users: usize) -> Result<()> {
        let callers: Vec<Caller> = self.callers.iter().take(users).cloned().collect();
        let before = self.heard();
        let mut calls = JoinSet::new();
        for caller in callers {
            let line = Arc::clone(&self.line);
            calls.spawn(async move {
                let answer = line.probe.repeat(&line.wire, &caller.token).await;
                (caller, answer.map(|answer| answer.body).unwrap_or_default())
            });
        }
        let mut due: BTreeMap<String, usize> = BTreeMap::new();
        while let Some(ended) = calls.join_next().await {
            let (caller, answer) = ended?;
            self.report.mix_ups.tried += 1;
            let foreign = foreign(&caller, &answer);
            self.report.mix_ups.wrong.extend(foreign);
            due.insert(caller.user, 1);
        }
        for presented in self.presented(before) {
            let left = match &presented {
                Presented::Exchanged(user) => due.get_mut(user).filter(|left| **left > 0),
                _ => None,
            };
            if let Some(left) = left {
                *left -= 1;
            } else {
                let fault = format!("all called at once: the service got {presented} too often");
                self.report.mix_ups.wrong.push(fault);
            }
        }
        Ok(())
    }

    /// Calls as a newcomer while the authorization server lies or fails.
    async fn misled(&mut self, (misbehaviour, _): &Case) -> Result<Seen> {
        let caller = self.newcomer()?;
        let (before, asked) = (self.heard(), self.stage.issuer.exchanges().len());
        self.stage.issuer.misbehave(*misbehaviour);
        // Whatever the caller is told, only the service decides.
        let _told = self.line.probe.repeat(&self.line.wire, &caller.token).await;
        self.stage.issuer.misbehave(None);
        Ok(Seen {
            asked: self.stage.issuer.exchanges().len() > asked,
            presented: self.presented(before),
        })
    }

    /// Makes sure that a good call still reaches the service.
    async fn twin(&mut self, after: &str) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let caller = self.newcomer()?;
            if self.alone(&caller).await? {
                return Ok(());
            }
            sleep(PAUSE).await;
        }
        bail!("after `{after}`, no good call reaches the service any more");
    }
}

/// Makes a user with a good token.
fn caller(stage: &Stage, audience: &str, user: &str) -> Result<Caller> {
    let spec = TokenSpec::of(user).audience(audience).scopes(&[SCOPE]);
    Ok(Caller {
        user: user.to_owned(),
        token: stage.issuer.token(&spec)?,
    })
}

/// Returns a fault for each mark of another in an answer.
fn foreign(caller: &Caller, answer: &str) -> Vec<String> {
    let others = marked(answer).into_iter();
    let others = others.filter(|user| *user != caller.user);
    others
        .map(|other| format!("{} called, and saw the answer to {other}", caller.user))
        .collect()
}

/// The time between two attempts.
const PAUSE: Duration = Duration::from_secs(1);
/// The attempts of a good call after a case.
const ATTEMPTS: usize = 30;
