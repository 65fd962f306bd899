//! The change that was made, as it is told.

use std::path::{Path, PathBuf};

use bailiwick::denials::{Adopted, Denial};
use serde::Serialize;

use crate::cli::page::{Page, Tone, counted};

/// A change of the list.
#[derive(Serialize)]
pub(super) struct Done {
    /// Its number.
    pub(super) change: u64,
    #[serde(flatten)]
    pub(super) what: What,
}

/// The kinds of changes.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum What {
    /// This denial came.
    Added(Denial),
    /// These went.
    Lifted(Vec<Denial>),
    /// The list counts as it is.
    Adopted {
        denials: Vec<Denial>,
        /// The place of the file that could not be read.
        #[serde(skip_serializing_if = "Option::is_none")]
        damaged: Option<PathBuf>,
    },
}

/// What the host that runs here made of a change.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HostSays {
    /// It is in effect and recorded.
    Followed,
    /// Nothing yet.
    NotFollowed,
    /// No host runs.
    None,
}

impl Done {
    pub(super) fn adopted(adopted: Adopted) -> Self {
        let Adopted { list, damaged } = adopted;
        let denials = list.denials;
        Self {
            change: list.serial,
            what: What::Adopted { denials, damaged },
        }
    }

    /// Returns the denial that came.
    pub(super) fn added(&self) -> Option<&Denial> {
        match &self.what {
            What::Added(denial) => Some(denial),
            What::Lifted(_) | What::Adopted { .. } => None,
        }
    }

    /// Prints the change of the list `file`, and what the host made of it.
    pub(super) fn tell(
        &self,
        host: HostSays,
        json: bool,
        file: &Path,
        page: &mut Page<'_>,
    ) -> anyhow::Result<()> {
        if json {
            #[derive(Serialize)]
            struct Told<'d> {
                #[serde(flatten)]
                done: &'d Done,
                host: HostSays,
            }
            return Ok(page.value(&Told { done: self, host })?);
        }
        self.what.tell(file, page)?;
        match host {
            HostSays::Followed => page.say(&[(Tone::Good, FOLLOWED)])?,
            HostSays::None => page.say(&[(Tone::Warning, NO_HOST)])?,
            // The command fails, and says so.
            HostSays::NotFollowed => {}
        }
        Ok(())
    }
}

impl What {
    fn tell(&self, file: &Path, page: &mut Page<'_>) -> anyhow::Result<()> {
        match self {
            Self::Added(denial) => said(page, denial, "")?,
            Self::Lifted(lifted) => {
                for denial in lifted {
                    said(page, denial, "lifted: ")?;
                }
            }
            Self::Adopted { denials, damaged } => {
                if let Some(damaged) = damaged {
                    let damaged = damaged.display();
                    let aside = format!("the file that could not be read is now {damaged}");
                    page.say(&[(Tone::Warning, &aside)])?;
                }
                let count = counted(denials.len(), "denial");
                let list = format!("{} with {count}", file.display());
                page.say(&[(Tone::Good, "adopted: "), (Tone::Plain, &list)])?;
            }
        }
        Ok(())
    }
}

fn said(page: &mut Page<'_>, denial: &Denial, how: &str) -> anyhow::Result<()> {
    let text = format!(" {how}{denial}");
    Ok(page.say(&[(Tone::Good, &denial.id), (Tone::Plain, &text)])?)
}

const FOLLOWED: &str = "the running host has followed";
const NO_HOST: &str = "no host runs here; the next one that starts follows";
