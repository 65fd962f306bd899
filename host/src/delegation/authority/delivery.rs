//! A request on its way: out with its credential, over the principal's own connection, and back as
//! an answer with only the parts that a tool may see.

use std::sync::atomic::Ordering;

use http::{HeaderMap, HeaderValue};
use http_body_util::Full;
use hyper::body::Bytes;

use super::{Inner, Prepared};
use crate::audit::Settled;
use crate::cores::apart;
use crate::delegation::answer_headers::visible;
#[cfg(test)]
use crate::delegation::barriers::Barrier;
use crate::delegation::credential::Credential;
use crate::delegation::echo::Echoed;
use crate::delegation::idempotency::needs_key;
use crate::delegation::identify::{OnBehalf, identify};
use crate::delegation::planned::{Attempt, Planned, failed};
use crate::delegation::remote::RemoteCall;
use crate::downstream::{DownstreamError, Response};
use crate::egress::{Deadlines, EgressError, Party, Reply, Sent};

impl Inner {
    /// Builds the request with its credential. Nothing has reached the service yet.
    pub(super) async fn prepare(
        &self,
        planned: &Planned,
        progress: &mut Attempt,
        settled: Settled<'_>,
    ) -> Result<Prepared, DownstreamError> {
        let obtained = self.credential(planned, &progress.exchange, settled);
        let credential = tokio::time::timeout(self.broker.limits.downstream_time, obtained)
            .await
            .map_err(|_| {
                DownstreamError::Unavailable(
                    "the authorization server did not answer in time".into(),
                )
            })??;
        progress.credential = Some(credential.kind());
        let mut request = http::Request::new(Full::from(planned.body.clone()));
        *request.method_mut() = planned.method.clone();
        *request.uri_mut() = planned.target.clone();
        *request.headers_mut() = planned.headers.clone();
        let settings = &planned.service.settings;
        settings.headers.apply(request.headers_mut());
        let broker = &self.broker;
        // Each message of a conversation says it by itself.
        if planned.arguments.is_none() {
            self.identify(planned, request.headers_mut())?;
        }
        if let Some(name) = &settings.idempotency
            && needs_key(&planned.method)
        {
            let key = self.keys.take(planned.digest(), broker.random.as_ref());
            request.headers_mut().insert(name, key.value.clone());
            progress.key = Some(key);
        }
        credential.apply(&mut request)?;
        Ok(Prepared {
            request,
            credential,
        })
    }

    /// Adds what the service is told of the call, anew for each message: a transaction token is for
    /// one.
    pub(super) fn identify(
        &self,
        planned: &Planned,
        headers: &mut HeaderMap,
    ) -> Result<(), DownstreamError> {
        let behalf = OnBehalf {
            envelope: &self.envelope,
            service: &planned.service.settings,
            mode: planned.mode,
        };
        let random = self.broker.random.as_ref();
        identify(headers, &behalf, &self.broker.signer, random)
    }

    /// Sends the request, which is an effect, and returns the parts of the answer that a tool may
    /// see.
    pub(super) async fn deliver(
        &self,
        planned: &Planned,
        prepared: Prepared,
        progress: &mut Attempt,
        settled: Settled<'_>,
    ) -> Result<Response, DownstreamError> {
        if let Some(called) = RemoteCall::of(planned) {
            // In its box, so that requests of HTTP need no room for it.
            return Box::pin(self.converse(planned, called, prepared, progress)).await;
        }
        let settings = &planned.service.settings;
        let Prepared {
            request,
            credential,
        } = prepared;
        let place = self.place(&planned.service).await?;
        let transaction = request.headers().get(TRANSACTION).cloned();
        // From the moment that the client hands the request over, it may have changed something,
        // even if it is given up.
        let sending = (&progress.sent, settings.deadlines);
        let answer = self.send(planned, request, sending, settled).await;
        let heard = answer.as_ref().map(|_| ());
        self.leave(place, &planned.service, heard, &progress.sent);
        let answer = answer.map_err(|error| failed(&error, &settings.name))?;
        progress.status = Some(answer.status.as_u16());
        self.admit(planned, (&credential, transaction.as_ref()), &answer)
            .await?;
        Ok(Response {
            status: answer.status.as_u16(),
            headers: visible(&answer.headers, &settings.answer_headers),
            body: answer.body.to_vec(),
        })
    }

    /// Sends a message over the principal's own connection, and returns the whole answer. Takes
    /// [`Settled`], because sending is an effect.
    pub(super) async fn send(
        &self,
        planned: &Planned,
        mut request: http::Request<Full<Bytes>>,
        (sent, deadlines): (&Sent, Deadlines),
        _: Settled<'_>,
    ) -> Result<Reply, EgressError> {
        sent.follow(&mut request);
        let (client, party) = (&planned.service.client, self.party(planned));
        let most = self.broker.limits.downstream_bytes;
        client.send_for(party, request, deadlines, most).await
    }

    /// Counts an answer, and draws the consequences from its status.
    ///
    /// # Errors
    /// Fails if the call has had too many bytes, or if the answer repeats a credential, so that
    /// nothing of it may reach the tool.
    pub(super) async fn admit(
        &self,
        planned: &Planned,
        (credential, transaction): (&Credential, Option<&HeaderValue>),
        answer: &Reply,
    ) -> Result<(), DownstreamError> {
        let before = self.bytes.fetch_add(answer.body.len(), Ordering::Relaxed);
        let limits = &self.broker.limits;
        if before.saturating_add(answer.body.len()) > limits.downstream_total {
            return Err(DownstreamError::TooLarge);
        }
        self.note_refusal(planned, credential, answer.status);
        if self.is_echoed(credential, transaction, answer).await? {
            tracing::error!(
                service = planned.service.settings.name,
                "a service repeats a credential in its answer"
            );
            let why = "the service's answer repeats a credential of the host or the caller, so it is withheld";
            return Err(DownstreamError::CredentialRefused(why.into()));
        }
        Ok(())
    }

    /// Returns true if an answer repeats the credential, the caller's token or the transaction
    /// token. A service that echoes its request would hand the tool a credential.
    ///
    /// # Errors
    /// The search failed, so nobody knows.
    async fn is_echoed(
        &self,
        credential: &Credential,
        transaction: Option<&HeaderValue>,
        answer: &Reply,
    ) -> Result<bool, DownstreamError> {
        let mut credentials = Echoed::default();
        credentials.add(credential.bare().as_bytes());
        if let Some(token) = &self.subject {
            credentials.add(token.expose_for_exchange().as_bytes());
        }
        if let Some(token) = transaction {
            credentials.add(token.as_bytes());
        }
        let (headers, body) = (answer.headers.clone(), answer.body.clone());
        let is_long = body.len() > SHORT;
        let search = move || {
            let mut headers = headers.values();
            credentials.are_in(&body) || headers.any(|value| credentials.are_in(value.as_bytes()))
        };
        if !is_long {
            return Ok(search());
        }
        // In a long answer it takes so long that other calls would wait for it.
        apart(move |_| search())
            .await
            .map_err(|_| DownstreamError::Unavailable("the host failed".into()))
    }

    /// Returns the party for which the connection to the service carries this request.
    fn party(&self, planned: &Planned) -> Party {
        #[cfg(test)]
        if !Barrier::PoolKey.stands() {
            return Party::Everyone;
        }
        if planned.service.settings.shared_data {
            Party::Everyone
        } else {
            (&*self.envelope.claims().actor).into()
        }
    }
}

/// The header of a transaction token.
pub(super) const TRANSACTION: &str = "txn-token";
/// The longest answer that is searched at once, in bytes.
const SHORT: usize = 64 << 10;
