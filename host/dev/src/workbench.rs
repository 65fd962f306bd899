//! The workbench of a tool's author: an issuer and a host around a folder of components. The author
//! only edits, builds and calls.
//!
//! The host is `bailiwick serve`, unchanged, as a child. Its surroundings differ: an issuer that
//! gives tokens to anyone on this machine, keys and a journal in a temporary folder, and a new host
//! whenever a component changes.
//!
//! Invariant: everything listens on loopback, and nothing outlives the process, however it ends
//! (`sweeper`).

mod author;
mod options;
mod services;
mod shelf;
mod sweeper;
mod tell;

pub use options::{Options, USAGE};

use std::time::Duration;

use anyhow::Context as _;

use crate::folder::{Config, Folder};
use crate::issuer::{self, Client, Issuer, User};
use crate::process::{self, Host, Interrupts};
use crate::teller::Teller;
use author::Author;
use services::Services;
use shelf::Shelf;
use sweeper::Sweeper;
pub use sweeper::{SWEEP, sweep};
use tell::{Components, Told};

/// Serves the folder until Ctrl-C, or until the terminal closes.
///
/// # Errors
/// The folder, the file of services or the host cannot be used.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let mut interrupts = Interrupts::listen(options.until_stdin_closes)?;
    let mut bench = tokio::select! {
        bench = Bench::set_up(options) => bench?,
        () = interrupts.next() => return Ok(()),
    };
    let served = tokio::select! {
        served = bench.serve() => served,
        () = interrupts.next() => Ok(()),
    };
    bench.clear().await?;
    bench.sweeper.finish().await?;
    served
}

struct Bench<'o> {
    options: &'o Options,
    teller: Teller,
    issuer: Issuer,
    services: Services,
    folder: Folder,
    shelf: Shelf,
    port: u16,
    host: Option<Host>,
    heard: usize,
    told: Told,
    // Last, so that the folder is removed after everything that uses it.
    sweeper: Sweeper,
}

impl<'o> Bench<'o> {
    async fn set_up(options: &'o Options) -> anyhow::Result<Self> {
        let author = options.services.as_deref().map(Author::read).transpose()?;
        let sweeper = Sweeper::start()?;
        let folder = Folder::create(&sweeper.folder().join("host"))?;
        folder.write_secret("exchange", &Client::host().secret)?;
        let issuer = Issuer::start_with(issuer_settings(options, author.as_ref())).await?;
        let services = Services::start(author, &issuer).await?;
        let shelf = Shelf::new(&options.tools)?;
        Ok(Self {
            options,
            teller: Teller::from_environment(),
            issuer,
            services,
            folder,
            shelf,
            port: options.port,
            host: None,
            heard: 0,
            told: Told::default(),
            sweeper,
        })
    }

    /// Starts a host, and a new one whenever the folder has changed.
    async fn serve(&mut self) -> anyhow::Result<()> {
        tell::banner(&mut self.teller, &self.issuer, &self.folder.audit());
        self.start().await?;
        loop {
            tokio::time::sleep(TICK).await;
            self.hear();
            if self.shelf.has_changed()? {
                self.clear().await?;
                if let Err(error) = self.start().await {
                    self.teller
                        .check("the host starts", false, &format!("{error:#}"));
                }
            } else if let Some(host) = &mut self.host
                && let Some(status) = host.ended()?
            {
                self.hear();
                self.host = None;
                self.teller.check(
                    "the host runs",
                    false,
                    &format!("it ended: {status}; waiting for a change"),
                );
            }
        }
    }

    async fn start(&mut self) -> anyhow::Result<()> {
        let names = self.shelf.copy_to(&self.folder)?;
        self.folder.write_config(&self.config(&names)?)?;
        self.heard = 0;
        let mut command = process::serve(&self.options.bailiwick, &self.folder.config());
        command.env("NO_COLOR", "1");
        let host = self.host.insert(Host::start_command(command).await?);
        self.sweeper.wait_for(host).await?;
        self.services.trust_host(host);
        // The same port next time, so that clients and their tokens stay valid.
        self.port = host.port().context("the host's address has no port")?;
        self.hear();
        let Some(host) = &self.host else {
            return Ok(());
        };
        let components = Components {
            bailiwick: &self.options.bailiwick,
            folder: &self.folder.path().join("tools"),
            digests: self.shelf.served(),
        };
        self.told
            .tell(&mut self.teller, &self.issuer, host, &components)
            .await
    }

    fn config(&self, names: &[String]) -> anyhow::Result<Config> {
        let config = Config::new(self.issuer.url(), "dev.example")
            .listening(self.port)
            .in_its_own_folder();
        self.services
            .configure(config, &self.issuer, &self.folder, names)
    }

    /// Repeats the host's new output.
    fn hear(&mut self) {
        let Some(host) = &self.host else { return };
        let said = host.said();
        for line in said.get(self.heard..).unwrap_or_default().lines() {
            self.teller.aside(line);
        }
        self.heard = said.len();
    }

    async fn clear(&mut self) -> anyhow::Result<()> {
        match self.host.take() {
            Some(host) => host.stop().await.map(drop),
            None => Ok(()),
        }
    }
}

/// Returns the sample users, who may also request whatever the author's services accept.
fn issuer_settings(options: &Options, author: Option<&Author>) -> issuer::Settings {
    let mut users: Vec<User> = User::samples()
        .into_iter()
        .filter(|user| tell::USERS.contains(&&*user.sub))
        .collect();
    let mut host = Client::host();
    for needed in author.into_iter().flat_map(Author::needs) {
        let scopes: Vec<&str> = needed.scopes.iter().map(String::as_str).collect();
        if needed.of_users {
            users = users
                .into_iter()
                .map(|user| user.may(&needed.audience, &scopes))
                .collect();
        } else {
            host = host.may(&needed.audience, &scopes);
        }
    }
    issuer::Settings {
        port: options.issuer_port,
        users,
        clients: vec![host],
        ..issuer::Settings::default()
    }
}

/// The time between two looks at the folder.
const TICK: Duration = Duration::from_millis(500);
