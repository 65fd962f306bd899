//! The plan of an import: each chosen operation as a tool, or left out with its reason.

use std::collections::{BTreeMap, BTreeSet};

use super::endpoint::EndpointKeys;
use super::fitting::text;
use super::join;
use super::left_out::LeftOut;
use super::program::{GuestProgram, Shelved, data};
use super::settings::{self, GrantedService, ImportedGrant};
use super::{ImportError, ImportRequest};
use crate::build;
use crate::dispatch::MAX_OF_A_KIND;
use crate::remote::RemoteRevision;
use crate::sandbox::RawDefinition;

/// The plan of an import.
pub struct ImportPlan {
    service: String,
    source: PlanSource,
    allowed: Vec<String>,
    rows: Vec<ImportRow>,
    tools: Vec<GrantedTool>,
    /// The number of operations that were not chosen.
    pub unchosen: usize,
}

/// What is imported.
pub(super) enum PlanSource {
    /// The operations of an API.
    Api {
        /// The digest of its description.
        digest: String,
        /// The servers that the description names.
        servers: Vec<String>,
    },
    /// The tools of an MCP server.
    Remote {
        /// Its endpoint.
        place: EndpointKeys,
        /// The revision that it speaks.
        revision: RemoteRevision,
    },
}

/// A chosen operation of an API, or a chosen tool of a remote server.
#[derive(Debug, Clone)]
pub struct ImportRow {
    /// The method and path, or the method and the remote tool, as the description has them.
    pub operation: String,
    /// The name of the tool.
    pub tool: String,
    /// Whether it changes nothing. Of a remote tool, its server says so.
    pub reads: bool,
    /// What is not as the description has it, or why the operation is left out.
    pub outcome: Result<Vec<String>, LeftOut>,
    pub(super) tags: Vec<String>,
}

/// A tool that can be imported.
pub(super) struct PlannedTool {
    pub(super) definition: RawDefinition,
    pub(super) program: GuestProgram,
    /// The line of the grant.
    pub(super) line: String,
    /// The scopes that a token for the service needs.
    pub(super) scopes: Vec<String>,
    /// The name on the remote server, and the pin of the definition there.
    pub(super) pin: Option<(String, String)>,
    /// What is not as the description has it.
    pub(super) notes: Vec<String>,
}

/// A tool as it is written.
struct GrantedTool {
    shelved: Shelved,
    line: String,
    scopes: Vec<String>,
    pin: Option<(String, String)>,
}

impl ImportPlan {
    /// Begins a plan without tools.
    ///
    /// # Errors
    /// The service cannot have its name.
    pub(super) fn new(request: &ImportRequest, source: PlanSource) -> Result<Self, ImportError> {
        let service = &request.service;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if !(1..=64).contains(&service.len()) || !service.bytes().all(plain) {
            return Err(ImportError::Service(service.clone()));
        }
        Ok(Self {
            service: service.clone(),
            source,
            allowed: request.rules.allowed.iter().cloned().collect(),
            rows: Vec::new(),
            tools: Vec::new(),
            unchosen: 0,
        })
    }

    /// Adds a tool, or the reason why there is none, with the row that says so.
    pub(super) fn add(
        &mut self,
        planned: Result<PlannedTool, LeftOut>,
        row: impl FnOnce(Result<Vec<String>, LeftOut>) -> ImportRow,
    ) -> Result<(), ImportError> {
        let outcome = match planned {
            Ok(tool) => {
                self.tools.push(GrantedTool {
                    shelved: Shelved {
                        name: tool.definition.name.clone(),
                        definition: text(&tool.definition)?,
                        program: serde_json::to_vec(&tool.program)?,
                    },
                    line: tool.line,
                    scopes: tool.scopes,
                    pin: tool.pin,
                });
                Ok(tool.notes)
            }
            Err(left_out) => Err(left_out),
        };
        self.rows.push(row(outcome));
        Ok(())
    }

    /// Returns the chosen operations in their order.
    pub fn rows(&self) -> &[ImportRow] {
        &self.rows
    }

    /// Returns the parameters that the grant must allow by name.
    pub fn allowed(&self) -> &[String] {
        &self.allowed
    }

    /// Returns the number of operations that can be imported.
    pub fn tools(&self) -> usize {
        self.tools.len()
    }

    /// Returns the word for what is imported, in the plural.
    pub fn word(&self) -> &'static str {
        match self.source {
            PlanSource::Api { .. } => "operations",
            PlanSource::Remote { .. } => "tools",
        }
    }

    /// Checks that the tools of the plan are as many as a component can have.
    ///
    /// # Errors
    /// There are none, or too many.
    pub fn check_count(&self) -> Result<(), ImportError> {
        match self.tools.len() {
            0 if self.rows.is_empty() && self.unchosen > 0 => Err(ImportError::NoneChosen),
            0 => Err(ImportError::Nothing(self.word())),
            count if count > MAX_OF_A_KIND => Err(ImportError::TooMany {
                count,
                what: self.word(),
                most: MAX_OF_A_KIND,
                choices: self.choices(),
            }),
            _ => Ok(()),
        }
    }

    /// Returns the component with all tools of the plan.
    ///
    /// # Errors
    /// There are none, or more than a component can have.
    pub fn component(&self) -> Result<Vec<u8>, ImportError> {
        self.check_count()?;
        let shelved: Vec<&Shelved> = self.tools.iter().map(|tool| &tool.shelved).collect();
        join::component(&data(&shelved)?, &self.origin()?)
    }

    /// Returns the lines of the configuration that grant the requests of the plan to the component
    /// `name` with this digest.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn settings(&self, name: &str, digest: &str) -> Result<String, ImportError> {
        let lines: BTreeSet<&str> = self.tools.iter().map(|tool| tool.line.as_str()).collect();
        let granted = match &self.source {
            PlanSource::Api { servers, .. } => GrantedService::Api {
                servers,
                scopes: self.scopes(),
            },
            PlanSource::Remote { place, revision } => GrantedService::Remote {
                place,
                revision: revision.as_str(),
                pins: self.pins(),
            },
        };
        Ok(settings::text(&ImportedGrant {
            service: &self.service,
            granted,
            name,
            digest,
            lines: &lines,
            allowed: &self.allowed,
        })?)
    }

    /// Returns the digest of what is imported: of an API's description, or of the pins of remote
    /// tools.
    fn origin(&self) -> Result<String, ImportError> {
        Ok(match &self.source {
            PlanSource::Api { digest, .. } => digest.clone(),
            PlanSource::Remote { .. } => build::digest(&serde_json::to_vec(&self.pins())?),
        })
    }

    /// Returns the pins of the remote tools by their names there.
    fn pins(&self) -> BTreeMap<&str, &str> {
        let pins = self.tools.iter().filter_map(|tool| tool.pin.as_ref());
        pins.map(|(name, pin)| (name.as_str(), pin.as_str()))
            .collect()
    }

    /// Returns the scopes of tokens for the service, by tools.
    fn scopes(&self) -> BTreeMap<&str, &[String]> {
        let tools = self.tools.iter().filter(|tool| !tool.scopes.is_empty());
        tools
            .map(|tool| (tool.shelved.name.as_str(), tool.scopes.as_slice()))
            .collect()
    }

    /// Returns the options that choose some of the operations.
    fn choices(&self) -> String {
        match self.source {
            PlanSource::Api { .. } => format!("--only, --tag or --method{}", self.tags()),
            PlanSource::Remote { .. } => "--only".to_owned(),
        }
    }

    /// Returns the tags of what can be imported, with their numbers, the most used first.
    fn tags(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.outcome.is_ok()) {
            for tag in &row.tags {
                *counts.entry(tag).or_default() += 1;
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(tag, count)| (std::cmp::Reverse(*count), *tag));
        let shown = counts.iter().take(MOST_TAGS);
        let shown: Vec<_> = shown
            .map(|(tag, count)| format!("{tag} ({count})"))
            .collect();
        if shown.is_empty() {
            return String::new();
        }
        let more = if counts.len() > MOST_TAGS {
            ", …"
        } else {
            ""
        };
        format!("; its tags: {}{more}", shown.join(", "))
    }
}

/// The tags that are told.
const MOST_TAGS: usize = 24;
