//! The operator's page: its gate, and the journal that it follows.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::audit::Journal;
use crate::call::Host;
use crate::config::{Config, PageRule};
use crate::envelope::page_token;
use crate::observe::ReadMemory;
use crate::pages::{self, Following, PageGate};
use crate::seams::SystemRandom;
use crate::transport::Pages;

/// The page of a host that is not complete yet.
pub(super) struct PageOpening {
    gate: PageGate,
    following: Following,
    folder: PathBuf,
    notice: Option<PathBuf>,
}

impl PageOpening {
    /// Begins to follow the journal, if the configuration has a page. Prints where the page is and
    /// which file holds its token. `address` is that of the operations listener.
    pub(super) fn begin(
        config: &Config,
        journal: &Journal,
        address: Option<SocketAddr>,
    ) -> anyhow::Result<Option<Self>> {
        let (Some(operations), Some(address)) = (&config.operations, address) else {
            return Ok(None);
        };
        let url = format!("http://{address}/");
        let gate = match operations.page {
            PageRule::Off => return Ok(None),
            PageRule::WithoutToken => {
                tracing::warn!(
                    url,
                    "the operator's page is served to everyone on this machine"
                );
                PageGate::open()
            }
            PageRule::WithToken => {
                let (keys, trust) = (&config.envelope.keys, &config.server.trust);
                let (token, file) = page_token(keys, &SystemRandom, trust)?;
                let file = file.display();
                tracing::info!(url, token = %file, "the operator's page is served");
                PageGate::with_token(token)
            }
        };
        Ok(Some(Self {
            gate,
            following: Following::begin(journal, &config.audit.folder),
            folder: config.audit.folder.clone(),
            notice: operations.notice.clone(),
        }))
    }

    /// Opens the page of `host`.
    pub(super) fn open(self, host: Arc<Host>, memory: ReadMemory) -> Pages {
        let stop = host.stop.clone();
        let folder = self.folder;
        let ground = pages::PageGround {
            host,
            folder,
            notice: self.notice,
            memory,
        };
        pages::open(ground, self.gate, self.following, stop)
    }
}
