//! A tool's request against its grant: what it would do, before anything is asked or sent.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Uri, header};
use hyper::body::Bytes;

use super::Inner;
use crate::audit;
use crate::delegation::asker::Acting;
use crate::delegation::content::Turns;
use crate::delegation::planned::{Planned, absolute};
use crate::delegation::request;
use crate::delegation::service::Service;
use crate::downstream::{DownstreamError, Request};
use crate::remote::RemoteArguments;

impl Inner {
    /// Returns the facts about a request that a refusal may record: names of ours, never text of
    /// the tool's.
    pub(super) fn asked(&self, request: &Request) -> audit::Request {
        let granted = self
            .envelope
            .claims()
            .delegation
            .modes()
            .contains_key(&request.service);
        let service = if granted {
            request.service.clone()
        } else {
            "(not granted)".to_owned()
        };
        let method = request::method(&request.method);
        let method = method.map_or("(other)".to_owned(), |_| request.method.clone());
        audit::Request {
            service: service.into(),
            method: method.into(),
            path_template: None,
        }
    }

    /// Checks the request against the grant. Nothing has left the host yet.
    pub(super) async fn plan(
        &self,
        used: usize,
        request: Request,
    ) -> Result<Planned, DownstreamError> {
        let claims = self.envelope.claims();
        let limits = &self.broker.limits;
        if used >= limits.downstream_calls {
            return Err(DownstreamError::QuotaExhausted);
        }
        let mode = claims
            .delegation
            .modes()
            .get(&request.service)
            .copied()
            .ok_or(DownstreamError::UnknownService)?;
        let service = self
            .broker
            .services
            .get(&request.service)
            .ok_or(DownstreamError::UnknownService)?;
        if request.body.len() > limits.downstream_bytes {
            return Err(DownstreamError::InvalidRequest(format!(
                "the body is larger than {} bytes",
                limits.downstream_bytes
            )));
        }
        let method = request::method(&request.method)?;
        let before = self.bytes.fetch_add(request.body.len(), Ordering::Relaxed);
        if before.saturating_add(request.body.len()) > limits.downstream_total {
            return Err(DownstreamError::QuotaExhausted);
        }
        if !request.body.is_empty() && matches!(method, Method::GET | Method::HEAD) {
            return Err(DownstreamError::InvalidRequest(
                "GET and HEAD have no body".into(),
            ));
        }
        let mut headers = request::headers(&request.headers)?;
        if let Some(name) = service.settings.own_header(&headers) {
            return Err(DownstreamError::InvalidRequest(format!(
                "the host sets the header {name} for this service; leave it out"
            )));
        }
        let (template, below) = service.settings.cover(&request, self.known())?;
        if let Some(acting) = Acting::in_mode(mode) {
            self.user(service, acting)?;
        }
        let other_meaning = service.settings.other_meaning(&request);
        let body = Bytes::from(request.body);
        let planned = Planned {
            service: Arc::clone(service),
            mode,
            template,
            other_meaning,
            method,
            target: service.target(&below)?,
            below,
            arguments: service.arguments(&mut headers, &body)?,
            headers,
            body,
        };
        let turns = Turns {
            places: &self.broker.judged,
            patience: JUDGED_WITHIN,
            ended: &self.stop,
        };
        let content = planned.content(self.known(), &claims.agent.id);
        self.rules.check(&content, &turns).await?;
        self.unless_paused(service)?;
        Ok(planned)
    }
}

impl Service {
    /// Returns where a request goes: below the service's URL, or to the one endpoint of a remote
    /// MCP server.
    fn target(&self, below: &str) -> Result<Uri, DownstreamError> {
        match &self.settings.remote {
            None => absolute(&self.settings.url, below),
            Some(_) => Ok(self.settings.url.clone()),
        }
    }

    /// Returns the arguments of a remote tool's call, if the service is a remote MCP server. Its
    /// type is set for rules and the policy point, which read the body by it.
    fn arguments(
        &self,
        headers: &mut HeaderMap,
        body: &Bytes,
    ) -> Result<Option<RemoteArguments>, DownstreamError> {
        let invalid = |why: String| DownstreamError::InvalidRequest(why);
        if self.settings.remote.is_none() {
            return Ok(None);
        }
        if !headers.is_empty() {
            return Err(invalid("the call of a remote tool has no headers".into()));
        }
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        let arguments = RemoteArguments::read(body.clone());
        arguments.map(Some).map_err(|why| invalid(why.to_string()))
    }
}

/// The longest time that the rules of a grant may take for one request.
const JUDGED_WITHIN: Duration = Duration::from_secs(2);
