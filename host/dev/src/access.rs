//! A service's own access log: its visitors, their agents and tools, and the answers.
//!
//! A shared service account would make this log worthless; here it names both user and agent.
//!
//! Invariant: the user is named only from a verified token. Agent, tool, mode and call come from a
//! verified transaction token; without one, the audit headers are noted and never trusted.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use bailiwick_envelope::Transaction;
use serde::Serialize;

use crate::clock::now;
use crate::http::{Answer, Request};
use crate::newest::Newest;

/// One line of the access log.
#[derive(Clone, Debug, Serialize)]
pub struct Access {
    /// Seconds since 1970-01-01 UTC.
    pub time: u64,
    /// The service, as its host names it.
    pub service: &'static str,
    /// The user, if there was a verified one.
    pub user: Option<String>,
    /// The agent, if the host named one.
    pub agent: Option<String>,
    /// The tool, likewise.
    pub tool: Option<String>,
    /// The delegation mode, likewise.
    pub mode: Option<String>,
    /// The call, likewise: the same identifier as in the host's journal.
    pub call: Option<String>,
    /// The presenter of the bearer token: its `act.sub`, or its client if it has no user.
    pub via: Option<String>,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// The reason why the visitor was turned away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Access {
    /// Starts a line for a request and its answer, by a visitor who is not known yet.
    pub(crate) fn new(service: &'static str, request: &Request, answer: &Answer) -> Self {
        let said = |name: &str| request.header(name).map(str::to_owned);
        Self {
            time: now(),
            service,
            user: None,
            agent: said("x-agent-id"),
            tool: None,
            mode: said("x-delegation-mode"),
            call: None,
            via: None,
            method: request.method.to_string(),
            path: request.path.clone(),
            status: answer.status.as_u16(),
            reason: None,
        }
    }

    /// Adds the verified user, and the presenter of the token.
    pub(crate) fn by(self, user: Option<&str>, via: Option<&str>) -> Self {
        Self {
            user: user.map(str::to_owned),
            via: via.map(str::to_owned),
            ..self
        }
    }

    /// Adds the call that a verified transaction token describes.
    pub(crate) fn of_call(self, call: &Transaction) -> Self {
        Self {
            agent: Some(call.agent_id.clone()),
            tool: Some(call.name.clone()),
            mode: Some(call.mode.as_str().to_owned()),
            call: Some(call.txn.clone()),
            ..self
        }
    }

    /// Adds the reason why the visitor was turned away.
    pub(crate) fn refused(self, reason: &impl ToString) -> Self {
        Self {
            reason: Some(reason.to_string()),
            ..self
        }
    }
}

/// The newest lines in memory, and all of them in a file if there is one.
pub(crate) struct AccessLog {
    inner: Mutex<(Newest<Access>, Option<File>)>,
}

impl AccessLog {
    pub(crate) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let file = match path {
            Some(path) => Some(
                OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(path)
                    .with_context(|| format!("cannot write {}", path.display()))?,
            ),
            None => None,
        };
        Ok(Self {
            inner: Mutex::new((Newest::new(), file)),
        })
    }

    pub(crate) fn write(&self, line: Access) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(file), Ok(text)) = (&mut inner.1, serde_json::to_string(&line)) {
            // A sample service has no one to report to; the line stays in memory.
            let _lost = writeln!(file, "{text}");
        }
        inner.0.push(line);
    }

    pub(crate) fn lines(&self) -> Vec<Access> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.0.all()
    }
}
