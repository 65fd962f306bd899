//! A hunt through everything that MCP serves: lists, calls, progress, questions, resources, prompts
//! and completion, of the newest revision and in sessions, over connections that callers share.
//!
//! In a round, each caller makes an exchange of each kind, and neighbours make the same at once.
//! Then other code comes behind the resources, and every stream tells of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::Server;
use bailiwick_dev::{Config, Issuer};
use bailiwick_tests::{World, ensure_eq, guest, wanted};
use tokio::task::JoinSet;

use super::callers::{CALLERS, Caller, FACETS, TENANTS};
use super::exchanges::{Asker, Exchange, KINDS};
use super::listeners::{self, Stream};
use super::seen::Seen;
use super::ways::{WAYS, Way, Ways};
use super::{AGENTS, LIFETIME};

/// The number of exchanges of a round.
const ROUND: usize = CALLERS * KINDS.len();
/// The number of exchanges at once.
const AT_ONCE: usize = 16;
const ROUNDS: usize = 2;

/// A host, its callers, and what they saw.
pub(super) struct Hunt {
    pub(super) ways: Ways,
    pub(super) seen: Seen,
    askers: Vec<Asker>,
    component: Vec<u8>,
    release: Mutex<usize>,
    world: World,
    _partner: Issuer,
    _orders: Server,
}

impl Hunt {
    async fn start() -> Result<Self> {
        let component = guest("mirror").await?;
        let partner = Issuer::start().await?;
        let url = partner.url().to_owned();
        let mirror = ("mirror.wasm".to_owned(), component.clone());
        let more = move |config: &mut Config| {
            let tenant = "tenant = { claim = \"tenant\" }\n";
            config.issuers = format!(
                "{}{tenant}\n[[issuers]]\nissuer = \"{url}\"\nalias = \"partner\"\n\
                 jwks_uri = \"{url}/jwks\"\nprivate_addresses = [\"127.0.0.0/8\"]\n{tenant}",
                config.issuers
            );
            config.server += "sessions = true\n";
        };
        let (world, orders) = super::world(vec![mirror], more).await?;
        let ways = Ways::to(world.host.url()).await?;
        let mut askers = Vec::new();
        for caller in (0..CALLERS).map(Caller::at) {
            let spec = world.spec(&caller.sub()).client(caller.agent());
            let spec = spec.tenant(caller.tenant()).scopes(&caller.scopes());
            let issuer = [&world.issuer, &partner];
            let issuer = issuer.get(caller.tenant).context("no issuer")?;
            let token = issuer.token(&spec.lifetime(LIFETIME))?;
            askers.push(listeners::open(&ways, caller, token).await?);
        }
        Ok(Self {
            ways,
            seen: Seen::by([world.issuer.url().to_owned(), partner.url().to_owned()]),
            askers,
            component,
            release: Mutex::default(),
            world,
            _partner: partner,
            _orders: orders,
        })
    }

    fn asker(&self, place: usize) -> Result<&Asker> {
        self.askers.get(place % CALLERS).context("no such caller")
    }

    /// Returns the mark of the code that is behind the resources.
    pub(super) fn release(&self) -> &'static str {
        let release = self.release.lock().unwrap_or_else(PoisonError::into_inner);
        RELEASES.get(*release % 2).copied().unwrap_or_default()
    }

    /// Brings other code behind the resources.
    fn change(&self) -> Result<()> {
        let mut release = self.release.lock().unwrap_or_else(PoisonError::into_inner);
        *release += 1;
        let mark = RELEASES.get(*release % 2).copied().unwrap_or_default();
        let (own, mut code) = (RELEASES[0].as_bytes(), self.component.clone());
        let windows = self.component.windows(own.len()).enumerate();
        for (at, _) in windows.filter(|(_, part)| *part == own) {
            let place = code.get_mut(at..at + own.len()).context("no place")?;
            place.copy_from_slice(mark.as_bytes());
        }
        self.world.folder.write_tool("mirror.wasm", &code)?;
        Ok(())
    }

    /// Makes one exchange. Its turn decides everything about it.
    async fn exchange(&self, turn: usize) -> Result<()> {
        let (round, place) = (turn / ROUND, turn % CALLERS);
        let in_turn = turn / CALLERS % KINDS.len();
        let kind = KINDS.get(in_turn).copied().context("no kind")?;
        let step = round + place + in_turn;
        let exchange = Exchange {
            hunt: self,
            asker: self.asker(place)?,
            stranger: self.asker(place + 1 + turn % (CALLERS - 1))?,
            way: WAYS.get(step % WAYS.len()).copied().context("no way")?,
            facet: FACETS
                .get((step / 2) % FACETS.len())
                .copied()
                .context("no facet")?,
            in_session: (round + place / 2).is_multiple_of(2),
            turn,
        };
        exchange.make(kind).await.with_context(|| {
            let mark = exchange.asker.caller.mark();
            format!("exchange {turn} of {mark}: {kind:?} {:?}", exchange.way)
        })
    }

    /// Makes the exchanges of a round, many at once, then changes what streams tell of.
    async fn round(self: &Arc<Self>, round: usize) -> Result<()> {
        let mut streams = Vec::new();
        for (place, asker) in self.askers.iter().enumerate() {
            let way = if (place + round).is_multiple_of(2) {
                Way::Proxied
            } else {
                Way::Alone
            };
            streams.push(Stream::open(&self.ways, way, asker).await?);
        }
        let next = Arc::new(AtomicUsize::new(round * ROUND));
        let mut callers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (hunt, next) = (Arc::clone(self), Arc::clone(&next));
            callers.spawn(async move {
                loop {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    if turn >= (round + 1) * ROUND {
                        return Ok(());
                    }
                    hunt.exchange(turn).await?;
                }
            });
        }
        while let Some(ended) = callers.join_next().await {
            let ended: Result<()> = ended?;
            ended?;
        }
        self.change()?;
        for stream in streams {
            stream.hears(self).await?;
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_users_ask_for_over_shared_connections_is_theirs() -> Result<()> {
    let wanted = wanted("BAILIWICK_MIXUP_CALLS")?;
    let rounds = wanted.map_or(ROUNDS, |calls| (calls / ROUND).max(1));
    let hunt = Arc::new(Hunt::start().await?);
    let began = Instant::now();
    let mut made = Ok(());
    for round in 0..rounds {
        made = hunt.round(round).await;
        if made.is_err() {
            break;
        }
    }
    report(&hunt, began);
    let foreign = hunt.seen.foreign();
    ensure!(
        foreign.is_empty(),
        "{:#?}",
        foreign.iter().take(10).collect::<Vec<_>>()
    );
    made?;
    for what in expected() {
        let count = hunt.seen.counts().get(&what).copied().unwrap_or_default();
        ensure!(count > 0, "never: {what}");
    }
    for way in [Way::Shared, Way::Proxied] {
        let sent = hunt.seen.counts().get(&format!("{way:?}")).copied();
        let opened = hunt.ways.opened(way);
        ensure!(sent > Some(2 * opened), "{way:?}: {opened} connections");
    }
    let hunt = Arc::into_inner(hunt).context("someone still hunts")?;
    let (content, said) = hunt.world.stop().await?.verify().await?;
    ensure!(content, "the journal does not verify: {said}");
    Ok(())
}

/// Returns everything that must have happened.
fn expected() -> Vec<String> {
    let mut all: Vec<_> = WAYS.map(|way| format!("{way:?}")).into();
    for kind in KINDS {
        all.push(format!("{kind:?}"));
        all.push(format!("{kind:?} in a session"));
    }
    all.extend(OTHERS.map(String::from));
    all
}

#[tokio::test]
async fn the_hunt_through_everything_notices_each_answer_to_another() -> Result<()> {
    let hunt = Hunt::start().await?;
    let seen = |hunt: &Hunt| hunt.seen.foreign().len();
    for in_session in [false, true] {
        for kind in KINDS {
            // The first may use all that the second may not.
            let (asker, other) = (hunt.asker(0)?, hunt.asker(CALLERS - 1)?);
            let mistaken = Asker {
                caller: other.caller,
                ..asker.clone()
            };
            for (asker, is_noticed) in [(asker, false), (&mistaken, true)] {
                let before = seen(&hunt);
                let exchange = Exchange {
                    hunt: &hunt,
                    asker,
                    stranger: hunt.asker(5)?,
                    way: Way::Shared,
                    facet: FACETS[0],
                    in_session,
                    turn: 0,
                };
                let made = exchange.make(kind).await;
                let noticed = made.is_err() || seen(&hunt) > before;
                ensure_eq(
                    noticed,
                    is_noticed,
                    &format!("{kind:?} {in_session}: {made:?}"),
                )?;
            }
        }
    }
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "what was counted, for those who ask with --nocapture"
)]
fn report(hunt: &Hunt, began: Instant) {
    let ((texts, own), counts) = (hunt.seen.figures(), hunt.seen.counts());
    let of = |way: Way| counts.get(&format!("{way:?}")).copied().unwrap_or_default();
    println!(
        "{texts} answers to {} users of {} tenants through {} agents, {} over {} connection and {} \
         over one proxy with {} connections: {own} values were theirs, {} values seen by \
         another user; {:.0?}",
        CALLERS / AGENTS.len(),
        TENANTS.len(),
        AGENTS.len(),
        of(Way::Shared),
        hunt.ways.opened(Way::Shared),
        of(Way::Proxied),
        hunt.ways.opened(Way::Proxied),
        hunt.seen.foreign().len(),
        began.elapsed()
    );
}

/// What the component calls itself, before and after a change.
const RELEASES: [&str; 2] = ["mirror-release-a", "mirror-release-b"];
/// What must happen besides.
const OTHERS: [&str; 5] = [
    "a scope is missing",
    "the state of another is refused",
    "a request to the client",
    "the answer of another has no effect",
    "a stream tells of a changed resource",
];
