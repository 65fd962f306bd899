//! The services that tools reach in the workbench: those of the author's file, or samples.
//!
//! The file is read again when it changes. A service that a tool asks for and the file does not
//! have gets a stand-in, so that the tool is offered and its author sees what it asks.

mod asked;
mod fake;
mod file;
mod mistake;
mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use toml::{Table, Value};
use url::Url;

use crate::folder::{Config, Folder};
use crate::issuer::Issuer;
use crate::journal;

use super::author::Author;
use fake::{Ear, Fake, Notes};
use file::{FakeService, FileText};
pub(super) use record::Recorder;

/// The name of the file beside a project.
pub(super) const FILE: &str = "services.toml";

/// The author's file of services.
pub(super) enum ServicesFile {
    /// It must be there.
    Named(PathBuf),
    /// Without it, there are samples.
    Beside(PathBuf),
}

impl ServicesFile {
    /// Returns the file for a folder of components: there, or beside the folder.
    pub(super) fn of_tools(tools: &Path) -> Self {
        let named = matches!(tools.components().next_back(), Some(Component::Normal(_)));
        let beside = if named {
            tools.with_file_name(FILE)
        } else {
            tools.join("..").join(FILE)
        };
        let inside = tools.join(FILE);
        let is_there = beside.is_file() && !inside.is_file();
        Self::Beside(if is_there { beside } else { inside })
    }
}

/// Where requests go beside the author's file.
#[derive(Default)]
pub(super) struct Traffic {
    /// Services that run on this machine.
    pub(super) upstreams: Vec<(String, Url)>,
    pub(super) recorder: Option<Recorder>,
}

/// The services behind the host.
pub(super) struct Services {
    file: Watched,
    traffic: Traffic,
    author: Author,
    fakes: BTreeMap<String, Fake>,
    notes: Notes,
}

/// A file, and its state at the last look.
struct Watched {
    path: PathBuf,
    stamp: Option<(SystemTime, u64)>,
}

impl Services {
    /// Starts the services of a file, or the samples.
    ///
    /// # Errors
    /// The file cannot be used, or there is no port.
    pub(super) async fn start(
        file: ServicesFile,
        traffic: Traffic,
        issuer: &Issuer,
    ) -> anyhow::Result<Self> {
        let (path, needed) = match file {
            ServicesFile::Named(path) => (path, true),
            ServicesFile::Beside(path) => (path, false),
        };
        let file = Watched {
            stamp: stamp(&path),
            path,
        };
        let read = if needed || file.stamp.is_some() {
            FileText::read(&file.path)?
        } else {
            FileText::parse(SAMPLES, Path::new("samples"), PathBuf::new())?
        };
        let mut services = Self {
            file,
            traffic,
            author: Author::default(),
            fakes: BTreeMap::new(),
            notes: Notes::default(),
        };
        services.take(read, issuer).await?;
        Ok(services)
    }

    /// Returns the file; `None` for samples.
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.stamp.map(|_| &*self.file.path)
    }

    /// Returns the names of all services that someone has described.
    pub(super) fn names(&self) -> Vec<&str> {
        let fakes = self.fakes.iter().filter(|(_, fake)| !fake.stands_in());
        let fakes = fakes.map(|(name, _)| name.as_str());
        fakes.chain(self.author.services()).collect()
    }

    /// Reads the file again if it has changed. Returns true if anything may differ.
    ///
    /// # Errors
    /// The file cannot be used: what was before stays.
    pub(super) async fn follow(&mut self, issuer: &Issuer) -> anyhow::Result<bool> {
        let now = stamp(&self.file.path);
        // A file that is just being replaced is missing for a moment.
        if now.is_none() || now == self.file.stamp {
            return Ok(false);
        }
        self.file.stamp = now;
        let read = FileText::read(&self.file.path)?;
        self.take(read, issuer).await?;
        Ok(true)
    }

    async fn take(&mut self, mut read: FileText, issuer: &Issuer) -> anyhow::Result<()> {
        for (name, url) in &self.traffic.upstreams {
            if !read.fakes.iter().any(|fake| fake.name == *name) {
                read.fakes.push(FakeService::unknown(name));
            }
            let own = read.fakes.iter_mut().filter(|fake| fake.name == *name);
            own.for_each(|fake| fake.upstream = Some(url.clone()));
        }
        let names: BTreeSet<&String> = read.fakes.iter().map(|fake| &fake.name).collect();
        self.fakes.retain(|name, _| names.contains(name));
        for need in read.author.needs() {
            issuer.open(&need.audience, &need.scopes);
        }
        for service in read.fakes {
            issuer.open(&service.name, &service.scopes);
            match self.fakes.get(&service.name) {
                Some(fake) => fake.become_of(service),
                None => self.add(service, issuer, false).await?,
            }
        }
        self.author = read.author;
        Ok(())
    }

    async fn add(
        &mut self,
        service: FakeService,
        issuer: &Issuer,
        stands_in: bool,
    ) -> anyhow::Result<()> {
        let name = service.name.clone();
        let ear = Ear {
            notes: self.notes.clone(),
            recorder: self.traffic.recorder.clone(),
        };
        let fake = Fake::start(service, issuer, ear, stands_in).await?;
        self.fakes.insert(name, fake);
        Ok(())
    }

    /// Lets stand-ins take the place of the services that nothing here is. Returns what to tell
    /// the author, and nothing if there is a service for each name.
    ///
    /// # Errors
    /// There is no port.
    pub(super) async fn stand_in(
        &mut self,
        asked: &BTreeMap<String, BTreeSet<String>>,
        issuer: &Issuer,
    ) -> anyhow::Result<Vec<String>> {
        let mut told = Vec::new();
        for (name, tools) in asked {
            if self.fakes.contains_key(name) || self.author.services().any(|own| own == name) {
                continue;
            }
            let service = FakeService::unknown(name);
            issuer.open(name, &service.scopes);
            self.add(service, issuer, true).await?;
            let tools: Vec<&str> = tools.iter().map(String::as_str).collect();
            told.push(self.lacks(name, &tools.join(", ")));
        }
        Ok(told)
    }

    fn lacks(&self, name: &str, tools: &str) -> String {
        let place = match self.file() {
            Some(file) => format!("{} has none; add to it", file.display()),
            None => format!("no sample is; write into {}", self.file.path.display()),
        };
        format!(
            "no service {name} for {tools}: {place}:\n  [[services.{name}.answers]]\n  \
             request = \"GET /\"\n  json = {{ }}\nor, for the real one, [services.{name}] with \
             its url, as `bailiwick import mcp` writes it for a remote MCP server"
        )
    }

    /// Returns what the services have to say since the last look.
    pub(super) fn notes(&self) -> Vec<String> {
        self.notes.take()
    }

    /// Returns what to change after the host has refused requests of tools, by the records of its
    /// journal beyond those that were `seen`.
    pub(super) fn refusals(&self, folder: &Folder, seen: &mut usize) -> Vec<String> {
        // A journal that cannot be read now is read after the next call.
        let records = journal::read(&folder.audit()).unwrap_or_default();
        let fresh = records.get(*seen..).unwrap_or_default();
        *seen = records.len();
        let text = |record, field| journal::text(record, field);
        let refused = journal::events(fresh, "downstream.refused");
        let refused = refused
            .into_iter()
            .filter(|record| text(record, "reason") == "not-granted");
        let told = refused.filter_map(|record| {
            self.refused(
                journal::target(record),
                text(record, "method"),
                text(record, "service"),
            )
        });
        let told: BTreeSet<String> = told.collect();
        told.into_iter().collect()
    }

    /// Says what to change after the host has refused a tool's request to a service.
    fn refused(&self, tool: &str, method: &str, service: &str) -> Option<String> {
        let fake = self.fakes.get(service)?;
        if method == REMOTE {
            return Some(format!(
                "{tool} asked {service} for a tool of a remote MCP server, which no fake service \
                 has: write the lines of `bailiwick import mcp` into {}, with how the host proves \
                 itself",
                self.file.path.display()
            ));
        }
        let allow = fake.service().allowed();
        let own: Vec<&str> = allow
            .iter()
            .map(String::as_str)
            .filter(|template| template.starts_with(method))
            .collect();
        let own = if own.is_empty() {
            "nothing".to_owned()
        } else {
            own.join(", ")
        };
        let cure = match fake.service().allow {
            Some(_) => format!("add its template to allow under [services.{service}]"),
            None => format!(
                "add an answer that names its query keys:\n  [[services.{service}.answers]]\n  \
                 request = \"{method} /path?key={{}}\"\n  json = {{ }}"
            ),
        };
        Some(format!(
            "{tool} asked {service} for a {method} that it may not ask for; allowed are: {own}. \
             To allow it, {cure}"
        ))
    }

    /// Adds the services and grants them to the named components, unless the author's file says
    /// what a component gets.
    ///
    /// # Errors
    /// The result is no TOML.
    pub(super) fn configure(
        &self,
        mut config: Config,
        issuer: &Issuer,
        folder: &Folder,
        names: &[String],
    ) -> anyhow::Result<Config> {
        let mut author = self.author.clone();
        let mut granted = Table::new();
        for (name, fake) in &self.fakes {
            let mode = fake.service().authority.as_str();
            granted.insert(name.clone(), Value::String(mode.to_owned()));
            author.add_service(name, fake.table());
        }
        for name in names {
            author.grant(name, &granted);
        }
        config.services = author.filled(issuer.url(), &folder.path().join("secrets"))?;
        Ok(config)
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let about = fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// The host's message that a call has ended.
pub(super) const CALL_ENDED: &str = " INFO a call ended ";

/// The method of requests to remote MCP servers, as the journal has it.
const REMOTE: &str = "tools/call";

const SAMPLES: &str = include_str!("services/samples.toml");
