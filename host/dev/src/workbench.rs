//! The workbench of a tool's author: an issuer and a host around a project or a folder of
//! components. The author only edits and calls.
//!
//! The host is `bailiwick serve`, unchanged, as a child. Its surroundings differ: an issuer where
//! anyone on this machine logs in as anyone, keys and a journal in a temporary folder, and a copy
//! of the author's components. The host itself notices that the copy has changed, and loads it.
//! Only compiled code stays, for the next workbench of this user (`code`).
//! The components of a project are built here, too, after each change (`project`).
//!
//! Invariant: everything listens on loopback, and no process, key of an issuer or record outlives
//! the workbench, however it ends (`sweeper`).

mod arguments;
mod author;
mod once;
mod options;
mod overheard;
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

use crate::code::Code;
use crate::folder::{Config, Folder};
use crate::issuer::{self, Client, Issuer, User};
use crate::process::{self, Host, Interrupts};
use crate::teller::Teller;
use project::Project;
use services::{Recorder, Services, ServicesFile, Traffic};
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
    code: Code,
    project: Option<Project>,
    shelf: Shelf,
    port: u16,
    /// The components in the configuration that is written.
    configured: Option<Vec<String>>,
    host: Option<Host>,
    heard: usize,
    told: Told,
    /// The journal's records that were looked at.
    recorded: usize,
    // Last, so that the folder is removed after everything that uses it.
    sweeper: Sweeper,
}

impl<'o> Bench<'o> {
    async fn set_up(options: &'o Options) -> anyhow::Result<Self> {
        let mut settings = issuer_settings(options.issuer_port);
        if let Some(file) = &options.users {
            users::add(file, &mut settings.users)?;
        }
        ports::is_free(options.port, "--port")?;
        ports::is_free(options.issuer_port, "--issuer-port")?;
        ports::is_free(options.page_port, "--page-port")?;
        let sweeper = Sweeper::start()?;
        let (folder, code) = host_folder(&sweeper)?;
        let issuer = Issuer::start_with(settings).await?;
        let file = match &options.services {
            Some(file) => ServicesFile::Named(file.clone()),
            None if Project::is_in(&options.folder) => {
                ServicesFile::Beside(options.folder.join(services::FILE))
            }
            None => ServicesFile::of_tools(&options.folder),
        };
        let traffic = Traffic {
            upstreams: options.upstreams.clone(),
            recorder: options
                .record
                .as_deref()
                .map(Recorder::create)
                .transpose()?,
        };
        let services = Services::start(file, traffic, &issuer).await?;
        let project = Project::of(options, &code, sweeper.folder())?;
        let tools = project.as_ref().map_or(&*options.folder, Project::built);
        let shelf = Shelf::new(tools)?;
        Ok(Self {
            options,
            teller: Teller::from_environment(),
            issuer,
            services,
            folder,
            code,
            project,
            shelf,
            port: options.port,
            configured: None,
            host: None,
            heard: 0,
            told: Told::default(),
            recorded: 0,
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
            self.follow_services().await?;
            let changed = self.follow()?;
            let heard = self.hear();
            if heard.contains(IN_EFFECT)
                && let Err(error) = self.tell().await
            {
                self.teller
                    .check("the host answers", false, &format!("{error:#}"));
            }
            self.advise(&heard);
            self.look_after_host(changed).await?;
        }
    }

    /// Looks after the author's project, if it is one.
    async fn build(&mut self) -> anyhow::Result<()> {
        if let Some(project) = &mut self.project
            && project.look(&mut self.teller)?
        {
            self.folder.write_notice(project.failure())?;
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

    /// Takes the author's services as they are now.
    async fn follow_services(&mut self) -> anyhow::Result<()> {
        match self.services.follow(&self.issuer).await {
            Ok(false) => {}
            Ok(true) => {
                let names = self.services.names().join(", ");
                self.teller.aside(&format!("services: {names}"));
                self.configured = None;
                self.stand_in().await?;
            }
            Err(error) => {
                let error = format!("{error:#}; what was before stays");
                self.teller.check("the services are read", false, &error);
            }
        }
        Ok(())
    }

    /// Lets stand-ins take the place of services that are missing, and says which.
    async fn stand_in(&mut self) -> anyhow::Result<()> {
        let asked = self.told.asked(self.shelf.copied());
        for lack in self.services.stand_in(&asked, &self.issuer).await? {
            self.teller.check(&lack, false, "");
            self.configured = None;
        }
        Ok(())
    }

    /// Says what an author can change about requests that were refused or had no answer.
    fn advise(&mut self, heard: &str) {
        for note in self.services.notes() {
            self.teller.check(&note, false, "");
        }
        if heard.contains(services::CALL_ENDED) {
            let refused = self.services.refusals(&self.folder, &mut self.recorded);
            for advice in refused {
                self.teller.check(&advice, false, "");
            }
        }
    }

    async fn start(&mut self) -> anyhow::Result<()> {
        self.heard = 0;
        let mut command = process::serve(&self.options.bailiwick, &self.folder.config());
        command.env("NO_COLOR", "1");
        let host = self.host.insert(Host::start_command(command).await?);
        self.sweeper.wait_for(host).await?;
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
            host: &self.folder,
            code: &self.code,
            digests: self.shelf.copied(),
        };
        let place = Place {
            issuer: &self.issuer,
            folder: &self.folder,
            host,
            services: &self.services,
            tokens: self.options.tokens,
        };
        self.told
            .tell(&mut self.teller, &place, &components)
            .await?;
        self.stand_in().await
    }

    fn config(&self, names: &[String]) -> anyhow::Result<Config> {
        let (issuer, services, folder) = (&self.issuer, &self.services, &self.folder);
        let config = config(issuer, services, folder, self.port, names)?;
        let config = self.code.configure(config);
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

/// Makes the host's folder in the temporary one; returns where its code is kept, too.
fn host_folder(sweeper: &Sweeper) -> anyhow::Result<(Folder, Code)> {
    let folder = Folder::create(&sweeper.folder().join(HOST))?;
    folder.write_secret("exchange", &Client::host().secret)?;
    let code = Code::of_user(&sweeper.folder().join(CODE))?;
    code.lend_to(&folder)?;
    Ok((folder, code))
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

/// Returns the settings of an issuer with the sample users and the host.
fn issuer_settings(port: u16) -> issuer::Settings {
    let samples = User::samples().into_iter();
    issuer::Settings {
        port,
        users: samples
            .filter(|user| tell::USERS.contains(&&*user.sub))
            .collect(),
        clients: vec![Client::host()],
        ..issuer::Settings::default()
    }
}

/// The host's own folder in the temporary one.
const HOST: &str = "host";

/// The folder of compiled code in the temporary one, if this user's own cannot be used.
const CODE: &str = "code";

/// The host's message that a change of its files is in effect.
const IN_EFFECT: &str = "a change is in effect";

/// The time between two looks at the author's folder: as long as the host's, so that a file that
/// grows there grows in the copy, too, and the host waits for it.
const TICK: Duration = Duration::from_millis(50);
