//! A hunt for values that someone else sees: many people who look alike, one host, and everything
//! around it misbehaves.
//!
//! People have the same subject at several issuers and in several tenants, or one that differs in
//! case, in Unicode or in encoding; service accounts have users' names. They share connections to
//! the host. Its service sends late, too much or too little, its authorization server issues tokens
//! of others, calls are given up, the configuration changes, and the host is ended and starts
//! again. Every value of the service is the HMAC of whoever it is for, so wherever one turns up, it
//! is known whose it is.
//!
//! Trusts nothing that the host says or sends. Tests start the host, each in its own way.

mod asked;
mod calls;
mod exchanger;
mod people;
mod seen;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::folder::{Config, Folder};
use crate::issuer::{Issuer, TokenSpec};
use crate::process::Host;
use calls::{BURST, Caller, Callers, Lines};
use exchanger::{AUDIENCE, CLIENT, Exchanger, SCOPE};
use people::{HOMES, Marks, crowd};
use seen::Seen;
use wire::{Desk, Wire};

/// The settings of a hunt.
pub struct Settings<'s> {
    /// The folder in which the host lives; it is made.
    pub folder: &'s Path,
    /// The folder with the built example tools.
    pub tools: &'s Path,
    /// The component `carrier`, if there is one.
    pub carrier: Option<Vec<u8>>,
    /// The number of people.
    pub users: usize,
    /// The number of calls.
    pub calls: usize,
    /// Returns the command that serves a configuration until its standard input closes.
    pub serve: &'s (dyn Fn(&Path) -> Command + Sync),
}

/// What a hunt found.
#[derive(Debug)]
pub struct Report {
    /// The number of people.
    pub users: usize,
    /// The number of calls.
    pub calls: usize,
    /// The number of values that were for those who saw them.
    pub own: usize,
    /// The number of values of others that someone saw.
    pub foreign: usize,
    /// The first of these, with the text around each.
    pub examples: Vec<String>,
    /// How often everything else happened.
    pub counts: BTreeMap<&'static str, usize>,
    /// The time that it took.
    pub took: Duration,
}

impl Report {
    /// Checks that every part of the hunt happened.
    ///
    /// # Errors
    /// A part did not; the error names it.
    pub fn is_lively(&self, carrier: bool) -> Result<()> {
        let of = |what: &str| self.counts.get(what).copied().unwrap_or_default();
        let carried: &[&str] = if carrier { &CARRIED } else { &[] };
        for what in wire::manners()
            .chain(HAPPENS)
            .chain(carried.iter().copied())
        {
            let head = what.contains("HEAD") && !carrier;
            ensure!(head || of(what) > 0, "never: {what}; {self}");
        }
        let answered = of("answers with a value") + of("answers to who asks");
        // A third of the service's answers are none, and a fifth of the calls is given up.
        ensure!(answered * 4 > self.calls, "most calls failed: {self}");
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, rest) = (self.took.as_secs(), &self.counts);
        write!(
            text,
            "{} users, {} calls, {} values seen by another user; {} values were theirs; \
             {seconds} s",
            self.users, self.calls, self.foreign, self.own
        )?;
        for (what, count) in rest {
            write!(text, "; {count} {what}")?;
        }
        Ok(())
    }
}

/// What must happen in every hunt of some length.
const HAPPENS: [&str; 6] = [
    "answers with a value",
    "answers to who asks",
    "calls given up",
    "a token of another was issued",
    "reloads",
    "restarts",
];
/// What must happen with a carrier.
const CARRIED: [&str; 2] = ["answers with progress", "questions"];

/// Hunts.
///
/// # Errors
/// A part of the hunt does not start, or the host does not end as it should. Values of others are
/// no error.
pub async fn hunt(settings: Settings<'_>) -> Result<Report> {
    let began = Instant::now();
    let ground = Ground::lay(&settings).await?;
    let epochs = (settings.calls / CALLS_OF_HOST).max(3);
    let next = Arc::new(AtomicUsize::new(0));
    for epoch in 1..=epochs {
        let host = Host::start_command((settings.serve)(&ground.folder.config())).await?;
        let until = (settings.calls * epoch / epochs).next_multiple_of(BURST);
        let said = ground.let_call(host, &next, until, epoch).await?;
        said.lines().for_each(|line| ground.seen.look_at_line(line));
        if epoch > 1 {
            ground.seen.count("restarts");
        }
    }
    let seen = &ground.seen;
    Ok(Report {
        users: settings.users,
        calls: settings.calls,
        own: seen.own(),
        foreign: seen.foreign(),
        examples: seen.examples(),
        counts: seen.counts(),
        took: began.elapsed(),
    })
}

/// Everything that outlives a host.
struct Ground {
    folder: Folder,
    reload: Reload,
    homes: Vec<Issuer>,
    marks: Arc<Marks>,
    seen: Arc<Seen>,
    users: usize,
    has_carrier: bool,
    _exchanger: Exchanger,
    _wire: Wire,
}

impl Ground {
    async fn lay(settings: &Settings<'_>) -> Result<Self> {
        let (seen, marks) = (Arc::<Seen>::default(), Arc::new(Marks::new()?));
        let mut homes = Vec::new();
        for _ in 0..HOMES {
            homes.push(Issuer::start().await?);
        }
        let exchanger = Exchanger::start(Arc::clone(&seen)).await?;
        let wire = Wire::start(Desk {
            marks: Arc::clone(&marks),
            seen: Arc::clone(&seen),
            issuer: exchanger.issuer.url().to_owned(),
            turn: AtomicUsize::new(0),
        });
        let wire = wire.await?;
        let folder = Folder::create(settings.folder)?;
        folder.add_tool(&settings.tools.join("whoami.wasm"))?;
        folder.write_secret("exchange", "a secret of the host & only of it")?;
        let digest = folder.add_tool(&settings.tools.join("orders.wasm"))?;
        let first = homes.first().map(Issuer::url).unwrap_or_default();
        let mut config = Config::new(first, TRUST_DOMAIN).grant(
            "orders",
            &digest,
            &[("orders_api", "on_behalf_of")],
        );
        if let Some(carrier) = &settings.carrier {
            let digest = folder.write_tool("carrier.wasm", carrier)?;
            config = config.grant("carrier", &digest, &[("orders_api", "restricted_user")]);
        }
        config.issuers = homes.iter().enumerate().map(issuer).collect();
        config.services = service(&wire.url, &exchanger);
        config.audit.push_str("refusals_per_second = 100\n");
        folder.write_config(&config)?;
        let every = (settings.calls / 10).min(CALLS_OF_POLICY);
        let reload = Reload {
            folder: folder.clone(),
            config,
            every: every.next_multiple_of(BURST),
        };
        Ok(Self {
            folder,
            reload,
            homes,
            marks,
            seen,
            users: settings.users,
            has_carrier: settings.carrier.is_some(),
            _exchanger: exchanger,
            _wire: wire,
        })
    }

    /// Lets people call until a turn, and ends the host in the middle of their last calls; every
    /// other time without a warning. Returns everything that it said.
    async fn let_call(
        &self,
        host: Host,
        next: &Arc<AtomicUsize>,
        until: usize,
        epoch: usize,
    ) -> Result<String> {
        let callers = Arc::new(self.callers(&host.url())?);
        let all_taken = Arc::new(Notify::new());
        let mut people = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (callers, next) = (Arc::clone(&callers), Arc::clone(next));
            let (all_taken, reload) = (Arc::clone(&all_taken), self.reload.clone());
            people.spawn(async move {
                loop {
                    let turn = next.fetch_add(BURST, Ordering::Relaxed);
                    if turn >= until {
                        next.fetch_min(until, Ordering::Relaxed);
                        all_taken.notify_one();
                        return Ok(());
                    }
                    reload.at(turn, &callers.seen)?;
                    callers.burst(turn).await;
                }
            });
        }
        all_taken.notified().await;
        let said = if epoch.is_multiple_of(2) {
            host.kill().await?
        } else {
            let (status, said) = host.stop().await?;
            ensure!(status.success(), "the host ended with {status}:\n{said}");
            said
        };
        while let Some(ended) = people.join_next().await {
            let ended: Result<()> = ended?;
            ended?;
        }
        Ok(said)
    }

    /// Gives everyone new tokens for the host at a URL.
    fn callers(&self, url: &str) -> Result<Callers> {
        let mut all = Vec::new();
        for person in crowd(self.users) {
            let home = self.homes.get(person.home).context("no such home")?;
            let token = |agent: usize| {
                let spec = TokenSpec::of(&person.sub)
                    .client(person.agent(agent))
                    .tenant(person.tenant)
                    .audience(url)
                    .scopes(&[SCOPE])
                    .lifetime(LIFETIME);
                home.token(&spec)
            };
            let tokens = [token(0)?, token(1)?];
            let mark = self
                .marks
                .of(home.url(), person.tenant, &person.sub, person.account);
            all.push(Caller {
                issuer: home.url().to_owned(),
                mark,
                tokens,
                person,
            });
        }
        Ok(Callers {
            all,
            lines: Lines::to(url)?,
            seen: Arc::clone(&self.seen),
            has_carrier: self.has_carrier,
        })
    }
}

/// Changes the configuration now and then.
#[derive(Clone)]
struct Reload {
    folder: Folder,
    config: Config,
    /// The calls between two changes.
    every: usize,
}

impl Reload {
    fn at(&self, turn: usize, seen: &Seen) -> Result<()> {
        if turn == 0 || !turn.is_multiple_of(self.every) {
            return Ok(());
        }
        let mut config = self.config.clone();
        if (turn / self.every).is_multiple_of(2) {
            config.services = config.services.replace("finish", "abort");
        }
        seen.count("reloads");
        self.folder.write_config(&config)
    }
}

fn issuer((place, home): (usize, &Issuer)) -> String {
    let url = home.url();
    format!(
        "[[issuers]]\nissuer = \"{url}\"\nalias = \"home{place}\"\njwks_uri = \"{url}/jwks\"\n\
         private_addresses = [\"127.0.0.0/8\"]\ntenant = {{ claim = \"tenant\" }}\n\n"
    )
}

fn service(url: &str, exchanger: &Exchanger) -> String {
    let aliases: Vec<String> = (0..HOMES).map(|place| format!("\"home{place}\"")).collect();
    let (aliases, issuer) = (aliases.join(", "), exchanger.issuer.url());
    let endpoint = &exchanger.endpoint;
    format!(
        r#"[services.orders_api]
url = "{url}"
private_addresses = ["127.0.0.0/8"]
in_trust_domain = true
actor_issuers = [{aliases}]
on_cancel = "finish"
allow = ["GET /orders/{{}}", "HEAD /orders/{{}}", "GET /customers/{{actor.sub}}/orders?status={{}}"]

[services.orders_api.exchange]
profile = "rfc8693"
token_endpoint = "{endpoint}"
client_id = "{CLIENT}"
client_secret_file = "secrets/exchange"
audience = "{AUDIENCE}"
scopes = ["{SCOPE}"]
issuer = "{issuer}"
jwks_uri = "{issuer}/jwks"
expect_tenant_claim = "tenant"
subject_issuers = [{aliases}]
actor = "none"
private_addresses = ["127.0.0.0/8"]

"#
    )
}

const TRUST_DOMAIN: &str = "test.example";
/// The calls that are made at once.
const AT_ONCE: usize = 16;
/// The most calls that one host gets.
const CALLS_OF_HOST: usize = 20_000;
/// The most calls between two changes of the configuration.
const CALLS_OF_POLICY: usize = 1_000;
/// The seconds that a token is good for.
const LIFETIME: i64 = 6 * 60 * 60;
