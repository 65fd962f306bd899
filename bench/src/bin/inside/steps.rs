//! The steps around the sandbox: verify, permit, seal, record, and the sandbox's own path.

use std::sync::Arc;
use std::time::Instant;

use bailiwick::audit::{OpenCall, Outcome};
use bailiwick::downstream::DownstreamTally;
use bailiwick::identity::BearerToken;
use bailiwick::sandbox::Signals;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Figures;
use crate::ground::Ground;
use crate::timing::{each, median};

pub(crate) async fn measure(ground: &Ground, figures: &mut Figures) -> anyhow::Result<()> {
    let (caller, subject) = ground.caller().await?;
    verify(ground, figures).await?;
    figures.insert(
        "permit".into(),
        each(20, async || ground.permit(&caller)).await?,
    );
    let permit = ground.permit(&caller)?;
    figures.insert(
        "seal".into(),
        each(10, async || ground.seal(&caller, &permit)).await?,
    );
    let sealed = ground.seal(&caller, &permit)?;

    // The sandbox's path as a call takes it: envelope and arguments in, a fresh instance, the
    // answer judged.
    let opened = OpenCall::open(ground.journal.clone(), &sealed).await?;
    let authority = Arc::new(ground.broker.authority(
        &permit,
        sealed.clone(),
        subject,
        opened.trail(),
    ));
    let (cancelled, stopping) = (CancellationToken::new(), CancellationToken::new());
    let run = async || {
        let signals = Signals {
            cancelled: cancelled.clone(),
            stopping: stopping.clone(),
            progress: None,
        };
        let authority = Arc::clone(&authority);
        let ended = ground
            .sandbox
            .run(
                &opened,
                &ground.components,
                &permit,
                &sealed,
                authority,
                signals,
            )
            .await;
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

/// Tokens that were never seen, and one that was.
async fn verify(ground: &Ground, figures: &mut Figures) -> anyhow::Result<()> {
    let fresh = (0..).map(|number| ground.token(number));
    figures.insert("verify".into(), admitted(ground, fresh).await?);
    let known = std::iter::repeat_with(|| ground.token(0));
    figures.insert("verify_again".into(), admitted(ground, known).await?);
    Ok(())
}

/// Each token is made before the clock starts.
async fn admitted(
    ground: &Ground,
    tokens: impl Iterator<Item = anyhow::Result<BearerToken>>,
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

/// One durable record, by one writer and by many at once.
async fn record(ground: &Ground, figures: &mut Figures) -> anyhow::Result<()> {
    let (caller, _) = ground.caller().await?;
    let permit = ground.permit(&caller)?;
    let sealed = ground.seal(&caller, &permit)?;
    let pair = async || {
        let opened = OpenCall::open(ground.journal.clone(), &sealed).await?;
        opened
            .close(Outcome::Done, None, DownstreamTally::default())
            .await
    };
    figures.insert("record".into(), each(1, pair).await? / 2.0);
    let mut batches = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        let mut writers = JoinSet::new();
        for _ in 0..WRITERS {
            let (journal, sealed) = (ground.journal.clone(), sealed.clone());
            writers.spawn(async move {
                for _ in 0..PAIRS {
                    OpenCall::open(journal.clone(), &sealed)
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
