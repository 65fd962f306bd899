//! A service with everything that is needed to reach it.

use std::sync::Arc;

use super::bulkhead::Bulkhead;
use super::exchange::Exchange;
use super::looks::Looks;
use super::own::OwnCredential;
use super::reissue::Reissue;
use super::settings::ServiceSettings;
use super::user::UserAuthority;
use crate::egress::{Client, Tls};
use crate::seams::Clock;

/// A service that is ready to be called.
pub struct Service {
    /// The settings without `auth`, `exchange` and `reissue`, which became the two credentials
    /// below.
    pub(super) settings: ServiceSettings,
    pub(super) client: Client,
    /// The places for requests to it.
    pub(super) bulkhead: Bulkhead,
    /// The host's own credential.
    pub(super) own: OwnCredential,
    /// The looks at a remote MCP server's definitions.
    pub(super) looks: Looks,
    /// The way to a user's authority, if there is one.
    pub(super) user: Option<UserAuthority>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Service {
    /// Joins the settings with the clients that carry them out.
    pub fn new(mut settings: ServiceSettings, tls: &Tls, clock: &Arc<dyn Clock>) -> Self {
        let looks = Looks::at(&settings);
        let auth = std::mem::take(&mut settings.auth);
        let (exchange, reissue) = (settings.exchange.take(), settings.reissue.take());
        let certificate = settings.certificate();
        let exchanged = exchange.map(|exchange| Exchange::new(exchange, certificate, tls, clock));
        let exchanged = exchanged.map(UserAuthority::Exchange);
        let deadlines = settings.deadlines;
        let reissued =
            reissue.map(|reissue| UserAuthority::Reissue(Reissue::new(reissue, deadlines, clock)));
        Self {
            client: Client::new(&tls.of(&settings.tls), settings.addresses.clone()),
            bulkhead: Bulkhead::new(settings.concurrency),
            own: OwnCredential::new(auth, tls, clock),
            looks,
            user: exchanged.or(reissued),
            clock: Arc::clone(clock),
            settings,
        }
    }
}
