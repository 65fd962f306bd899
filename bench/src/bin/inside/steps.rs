//! Measures the steps around the sandbox: verify, permit, seal, record, and the sandbox's own path.

use std::sync::Arc;
use std::time::Instant;

use bailiwick::audit::{Outcome, Trail};
use bailiwick::delegation::ContentRules;
use bailiwick::denials::{Denial, DenialList, DenialOf, Denials};
use bailiwick::downstream::DownstreamTally;
use bailiwick::identity::{Caller, Presented};
use bailiwick::seams::SystemClock;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Figures;
use crate::ground::Ground;
use crate::timing::{each, median};

pub(crate) async fn measure(ground: &Ground, figures: &mut Figures) -> anyhow::Result<()> {
    let (caller, subject) = ground.caller().await?;
    verify(ground, figures).await?;
    denials(&caller, figures).await?;
    figures.insert(
        "permit".into(),
        each(20, async || ground.decide(&caller)).await?,
    );
    let decided = ground.decide(&caller)?;
    figures.insert(
        "seal".into(),
        each(10, async || ground.seal(&caller, &decided)).await?,
    );
    let envelope = ground.seal(&caller, &decided)?;

    // The sandbox's path as a call takes it: envelope and arguments in, a fresh instance, the
    // answer judged.
    let trail = ground.open(&envelope).await?;
    let authority = ground.broker.authority(
        Arc::clone(&envelope),
        Some(subject),
        ContentRules::default(),
        trail.clone(),
    );
    let authority = Arc::new(authority);
    let cancelled = CancellationToken::new();
    let run = async || {
        let authority = Arc::clone(&authority);
        let ended = ground
            .run(&decided, &envelope, (&trail, authority), &cancelled)
            .await?;
        anyhow::ensure!(
            ended.outcome == Outcome::Done,
            "the call ended as {:?}",
            ended.reason
        );
        Ok(ended)
    };
    figures.insert("sandbox".into(), each(20, run).await?);
    record(ground, figures).await
}

/// Measures new tokens, and one that was verified before.
async fn verify(ground: &Ground, figures: &mut Figures) -> anyhow::Result<()> {
    let fresh = (0..).map(|number| ground.token(number));
    figures.insert("verify".into(), admitted(ground, fresh).await?);
    let known = std::iter::repeat_with(|| ground.token(0));
    figures.insert("verify_again".into(), admitted(ground, known).await?);
    Ok(())
}

/// Measures the question whether the operator has denied a caller, who is not denied.
async fn denials(caller: &Caller, figures: &mut Figures) -> anyhow::Result<()> {
    let denial = |number: u64| Denial {
        id: format!("d{number}"),
        of: DenialOf::Subject,
        issuer: Some(caller.actor().iss.clone()),
        name: format!("user-{number}"),
        reason: "they left".into(),
        added: 0,
        until: None,
    };
    for (name, many) in [("denials", 0), ("denials_of_4000", 4_000)] {
        let denials = Denials::none(Arc::new(SystemClock));
        denials.adopt([&DenialList {
            serial: many,
            denials: (1..=many).map(denial).collect(),
        }]);
        let asking = caller.asking().for_tool("echo", "sha256:0");
        let ask = async || anyhow::Ok(denials.stop(&asking));
        figures.insert(name.into(), each(1000, ask).await?);
    }
    Ok(())
}

/// Makes each token before the clock starts.
async fn admitted(
    ground: &Ground,
    tokens: impl Iterator<Item = anyhow::Result<Presented>>,
) -> anyhow::Result<f64> {
    let mut took = Vec::new();
    for token in tokens.take(2000) {
        let token = token?;
        let started = Instant::now();
        std::hint::black_box(ground.identity.admit(token).await?);
        took.push(started.elapsed());
    }
    Ok(median(took))
}

/// Measures one durable record, by one writer and by many at once.
async fn record(ground: &Ground, figures: &mut Figures) -> anyhow::Result<()> {
    let (caller, _) = ground.caller().await?;
    let decided = ground.decide(&caller)?;
    let envelope = ground.seal(&caller, &decided)?;
    let pair = async || {
        let opened = ground.open(&envelope).await?;
        let closed = opened.close(Outcome::Done, None, DownstreamTally::default());
        closed.await?;
        anyhow::Ok(())
    };
    figures.insert("record".into(), each(1, pair).await? / 2.0);
    let mut batches = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        let mut writers = JoinSet::new();
        for _ in 0..WRITERS {
            let (journal, envelope) = (ground.journal.clone(), Arc::clone(&envelope));
            writers.spawn(async move {
                for _ in 0..PAIRS {
                    Trail::open(journal.clone(), &envelope, "default")
                        .await?
                        .close(Outcome::Done, None, DownstreamTally::default())
                        .await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(written) = writers.join_next().await {
            written??;
        }
        batches.push(started.elapsed() / (WRITERS * PAIRS * 2));
    }
    figures.insert("record_of_256".into(), median(batches));
    Ok(())
}

const WRITERS: u32 = 256;
const PAIRS: u32 = 8;
