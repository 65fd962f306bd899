//! The demo: two users, one agent, and several things that must not work.
//!
//! Issuer and services run here; the host is a child. Every step says what it expects before it
//! happens, and reads the result from outside: answers, the service's own access log, the host's
//! journal, and the journal's verification.

mod hostile;
mod modes;
mod serving;
mod stage;
mod steps;
mod table;

use std::path::PathBuf;

use anyhow::{anyhow, bail};

use crate::process::{self, Interrupts};
use crate::teller::Teller;
use stage::Stage;
use steps::Scene;

/// The options of the demo.
#[derive(Clone, Debug)]
pub struct Options {
    /// The binary `bailiwick`.
    pub bailiwick: PathBuf,
    /// The folder with the built example tools.
    pub tools: PathBuf,
    /// The folder for configuration, journal and access log.
    pub out: PathBuf,
    /// The folder for compiled code, which later demos use again.
    pub code: PathBuf,
    /// Ends after the story instead of serving on.
    pub once: bool,
    /// Ends also when standard input closes.
    pub until_stdin_closes: bool,
}

/// Tells the story; returns whether every check held.
///
/// # Errors
/// The stage cannot be built, or something breaks that the story does not cover.
pub async fn tell(options: &Options) -> anyhow::Result<bool> {
    let mut interrupts = Interrupts::listen(options.until_stdin_closes)?;
    let mut teller = Teller::from_environment();
    let stage = tokio::select! {
        stage = Stage::build(options) => stage?,
        () = interrupts.next() => bail!("interrupted"),
    };
    let told = tokio::select! {
        told = play(&stage, &mut teller, options) => told,
        () = interrupts.next() => if options.once { Err(anyhow!("interrupted")) } else { Ok(()) },
    };
    let (status, _) = stage.host.stop().await?;
    told?;
    if options.once {
        verify(&mut teller, options).await?;
        teller.check(
            "the host stops cleanly",
            status.success(),
            &status.to_string(),
        );
        teller.verdict();
    }
    Ok(teller.all_well())
}

/// Plays everything that happens while the host runs. Unless `once` is set, it serves until it is
/// interrupted.
async fn play(stage: &Stage, teller: &mut Teller, options: &Options) -> anyhow::Result<()> {
    teller.heading("On stage, all on loopback");
    stage.introduce(teller);

    teller.heading("The story");
    let mut scene = Scene::new(stage, teller);
    scene.play().await?;

    teller.heading("What the journal says");
    let records = crate::journal::read(&stage.folder.audit())?;
    teller.lines(&table::render(&records));
    teller.heading("What the services' own access log says");
    teller.lines(&stage.accesses()?);

    if !options.once {
        verify(teller, options).await?;
        serving::explain(teller, stage);
        std::future::pending::<()>().await;
    }
    Ok(())
}

/// Runs `bailiwick audit verify` and shows its output.
async fn verify(teller: &mut Teller, options: &Options) -> anyhow::Result<()> {
    teller.heading("Whether the journal is whole");
    let audit = options.out.join("audit");
    let key = audit.join("key");
    let (audit, key) = (audit.to_string_lossy(), key.to_string_lossy());
    teller.aside(&format!("bailiwick audit verify {audit} --key {key}"));
    let arguments = ["audit", "verify", &audit, "--key", &key];
    let output = process::run(&options.bailiwick, &arguments).await?;
    teller.lines(&String::from_utf8_lossy(&output.stdout));
    teller.lines(&String::from_utf8_lossy(&output.stderr));
    teller.check(
        "the journal verifies against its key",
        output.status.success(),
        &output.status.to_string(),
    );
    Ok(())
}
