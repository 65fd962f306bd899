//! The places for requests at a service, and what the operator hears of them.

use tokio::time::Instant;

use super::Inner;
use crate::delegation::bulkhead::{Change, NoServicePlace, ServicePlace};
use crate::delegation::service::Service;
use crate::downstream::DownstreamError;
use crate::egress::{EgressError, Sent};
use crate::principal::ActorId;

impl Inner {
    /// Fails if the service is not asked now, so that no credential is obtained for nothing.
    pub(super) fn unless_paused(&self, service: &Service) -> Result<(), DownstreamError> {
        let asked = service
            .bulkhead
            .unless_paused(&self.actor(), Instant::now());
        asked.map_err(|why| self.no_place(service, why))
    }

    /// Takes a place at the service. Waiting for one is a part of connecting.
    pub(super) async fn place<'s>(
        &self,
        service: &'s Service,
    ) -> Result<ServicePlace<'s>, DownstreamError> {
        let wait = service.settings.deadlines.connect;
        let place = service.bulkhead.enter(self.actor(), wait).await;
        place.map_err(|why| self.no_place(service, why))
    }

    /// Gives the place back, with what its request says about the service.
    pub(super) fn leave(
        &self,
        place: ServicePlace<'_>,
        service: &Service,
        answer: Result<(), &EgressError>,
        sent: &Sent,
    ) {
        let name = service.settings.name.as_str();
        match place.leave(answer, sent) {
            None => {}
            Some(Change::Paused(length)) => {
                self.broker.meters.troubled(name, "pause-began");
                tracing::warn!(
                    service = name,
                    seconds = length.as_secs(),
                    "a service gave no answer to several requests in a row, so it is not asked for a while"
                );
            }
            Some(Change::Resumed) => {
                self.broker.meters.troubled(name, "pause-ended");
                tracing::info!(service = name, "a service answers again");
            }
        }
    }

    fn no_place(&self, service: &Service, why: NoServicePlace) -> DownstreamError {
        self.broker
            .meters
            .troubled(&service.settings.name, why.outcome());
        why.into()
    }

    /// Returns the actor, whose places they are.
    pub(super) fn actor(&self) -> ActorId {
        (&*self.envelope.claims().actor).into()
    }
}
