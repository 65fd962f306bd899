//! The workbench of a tool's author: an issuer and a host around a project or a folder of
//! components. The author only edits and calls.
//!
//! The host is `bailiwick serve`, unchanged, as a child. Its surroundings differ: an issuer where
//! anyone on this machine logs in as anyone, keys and a journal in a temporary folder, and a copy
//! of the author's components. The host itself notices that the copy has changed, and loads it.
//! The components of a project are built here, too, after each change (`project`).
//!
//! Invariant: everything listens on loopback, and nothing outlives the process, however it ends
//! (`sweeper`).

mod arguments;
mod author;
mod once;
mod options;
mod ports;
mod project;
mod services;
mod shelf;
mod sweeper;
mod tell;
mod users;
mod watching;

pub use once::{Call, call};
pub use options::{Options, USAGE};

use std::time::Duration;

use anyhow::Context as _;

use crate::folder::{Config, Folder};
use crate::issuer::{self, Client, Issuer, User};
use crate::process::{self, Host, Interrupts};
use crate::teller::Teller;
use author::Author;
use project::Project;
use services::Services;
use shelf::Shelf;
use sweeper::Sweeper;
pub use sweeper::{SWEEP, sweep};
use tell::{Components, Place, Told};

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
    project: Option<Project>,
    shelf: Shelf,
    port: u16,
    /// The components in the configuration that is written.
    configured: Option<Vec<String>>,
    host: Option<Host>,
    heard: usize,
    told: Told,
    // Last, so that the folder is removed after everything that uses it.
    sweeper: Sweeper,
}

impl<'o> Bench<'o> {
    async fn set_up(options: &'o Options) -> anyhow::Result<Self> {
        let author = options.services.as_deref().map(Author::read).transpose()?;
        let mut settings = issuer_settings(options.issuer_port, author.as_ref());
        if let Some(file) = &options.users {
            users::add(file, &mut settings.users)?;
        }
        ports::is_free(options.port, "--port")?;
        ports::is_free(options.issuer_port, "--issuer-port")?;
        ports::is_free(options.page_port, "--page-port")?;
        let sweeper = Sweeper::start()?;
        let folder = Folder::create(&sweeper.folder().join("host"))?;
        folder.write_secret("exchange", &Client::host().secret)?;
        let issuer = Issuer::start_with(settings).await?;
        let services = Services::start(author, &issuer).await?;
        let project = Project::of(options, sweeper.folder())?;
        let tools = project.as_ref().map_or(&*options.folder, Project::built);
        let shelf = Shelf::new(tools)?;
        Ok(Self {
            options,
            teller: Teller::from_environment(),
            issuer,
            services,
            folder,
            project,
            shelf,
            port: options.port,
            configured: None,
            host: None,
            heard: 0,
            told: Told::default(),
            sweeper,
        })
    }

    /// Starts the host when there is something to serve, and lets its folder follow the author's.
    async fn serve(&mut self) -> anyhow::Result<()> {
        while self
            .project
            .as_ref()
            .is_some_and(|project| !project.has_component())
        {
            tokio::time::sleep(TICK).await;
            self.build().await?;
        }
        self.follow()?;
        self.start().await?;
        loop {
            tokio::time::sleep(TICK).await;
            self.build().await?;
            let changed = self.follow()?;
            if self.hear().contains(IN_EFFECT)
                && let Err(error) = self.tell().await
            {
                self.teller
                    .check("the host answers", false, &format!("{error:#}"));
            }
            self.look_after_host(changed).await?;
        }
    }

    /// Looks after the author's project, if it is one.
    async fn build(&mut self) -> anyhow::Result<()> {
        if let Some(project) = &mut self.project
            && project.look(&mut self.teller)?
        {
            let group = project.group();
            self.sweeper.kill_at_end(group).await?;
            if group.is_some() {
                let folder = self.options.folder.display();
                self.teller.aside(&format!("building {folder}"));
            }
        }
        Ok(())
    }

    /// Copies what has changed. Returns true if anything has.
    fn follow(&mut self) -> anyhow::Result<bool> {
        let changed = self.shelf.copy_to(&self.folder)?;
        let names = self.shelf.names();
        if self.configured.as_ref() != Some(&names) {
            self.folder.write_config(&self.config(&names)?)?;
            self.configured = Some(names);
        }
        Ok(changed)
    }

    async fn start(&mut self) -> anyhow::Result<()> {
        self.heard = 0;
        let mut command = process::serve(&self.options.bailiwick, &self.folder.config());
        command.env("NO_COLOR", "1");
        let host = self.host.insert(Host::start_command(command).await?);
        self.sweeper.wait_for(host).await?;
        self.services.trust_host(host);
        if let Some(page) = self.host.as_ref().and_then(Host::page) {
            self.teller.lines(&format!("page     {page}"));
        }
        self.hear();
        self.tell().await
    }

    /// Reports a host that has ended by itself, and starts another one after the next change.
    async fn look_after_host(&mut self, changed: bool) -> anyhow::Result<()> {
        let Some(host) = &mut self.host else {
            if changed && let Err(error) = self.start().await {
                self.teller
                    .check("the host starts", false, &format!("{error:#}"));
            }
            return Ok(());
        };
        if let Some(status) = host.ended()? {
            // The same port next time, so that clients and their tokens stay valid.
            self.port = host.port().context("the host's address has no port")?;
            self.configured = None;
            self.hear();
            self.host = None;
            let ended = format!("it ended: {status}; waiting for a change");
            self.teller.check("the host runs", false, &ended);
        }
        Ok(())
    }

    /// Prints what the host serves now.
    async fn tell(&mut self) -> anyhow::Result<()> {
        let Some(host) = &self.host else {
            return Ok(());
        };
        let components = Components {
            bailiwick: &self.options.bailiwick,
            folder: &self.folder.path().join("tools"),
            digests: self.shelf.copied(),
        };
        let place = Place {
            issuer: &self.issuer,
            folder: &self.folder,
            host,
            tokens: self.options.tokens,
        };
        self.told.tell(&mut self.teller, &place, &components).await
    }

    fn config(&self, names: &[String]) -> anyhow::Result<Config> {
        let (issuer, services, folder) = (&self.issuer, &self.services, &self.folder);
        let config = config(issuer, services, folder, self.port, names)?;
        Ok(config.with_open_page(self.options.page_port))
    }

    /// Repeats the host's new output, and returns it.
    fn hear(&mut self) -> String {
        let Some(host) = &self.host else {
            return String::new();
        };
        let said = host.said_since(self.heard);
        for line in said.lines() {
            self.teller.aside(line);
        }
        self.heard += said.len();
        said
    }

    async fn clear(&mut self) -> anyhow::Result<()> {
        if let Some(mut project) = self.project.take() {
            project.end().await?;
            self.sweeper.kill_at_end(None).await?;
        }
        match self.host.take() {
            Some(host) => host.stop().await.map(drop),
            None => Ok(()),
        }
    }
}

/// Returns the configuration of a host on this port with these components.
fn config(
    issuer: &Issuer,
    services: &Services,
    folder: &Folder,
    port: u16,
    names: &[String],
) -> anyhow::Result<Config> {
    let config = Config::new(issuer.url(), "dev.example")
        .listening(port)
        .in_its_own_folder();
    services.configure(config, issuer, folder, names)
}

/// Returns the sample users, who may also request whatever the author's services accept.
fn issuer_settings(port: u16, author: Option<&Author>) -> issuer::Settings {
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
        port,
        users,
        clients: vec![host],
        ..issuer::Settings::default()
    }
}

/// The host's message that a change of its files is in effect.
const IN_EFFECT: &str = "a change is in effect";

/// The time between two looks at the author's folder: as long as the host's, so that a file that
/// grows there grows in the copy, too, and the host waits for it.
const TICK: Duration = Duration::from_millis(50);
