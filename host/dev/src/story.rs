//! The demo: two users, one agent, and a handful of things that should not work.
//!
//! Issuer and services run here; the host is a child. Every step says what is expected
//! before it happens, and the ends are read from the outside: answers, the service's own access
//! log, the host's journal, and the journal's verification.

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

/// What the demo needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The binary `bailiwick`.
    pub bailiwick: PathBuf,
    /// The folder with the built example tools.
    pub tools: PathBuf,
    /// Where configuration, journal and access log are left.
    pub out: PathBuf,
    /// Ends after the story instead of serving on.
    pub once: bool,
    /// Ends also when standard input closes.
    pub until_stdin_closes: bool,
}

/// Tells the story; whether everything came out as told.
///
/// # Errors
/// The stage cannot be built, or something breaks that the story does not tell.
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

/// Tells everything that happens while the host runs; unless only that is asked for, it never ends
/// by itself.
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
        serving::explain(teller, stage)?;
        std::future::pending::<()>().await;
    }
    Ok(())
}

/// Runs `bailiwick audit verify` and shows what it says.
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
