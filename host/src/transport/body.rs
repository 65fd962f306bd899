//! Bodies under way: how much memory all of them together, and how many of one principal, may hold.
//!
//! Invariant: room is taken as bytes arrive, never for what a client only announces, and given
//! back once the body is parsed.

use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::call::Gate;
use crate::identity::Caller;

/// The room for bodies.
pub(super) struct Bodies {
    bytes: Semaphore,
    readers: Gate,
    max_body: usize,
}

/// Why a body was not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// There is no room now.
    Busy,
    /// It is larger than one may be.
    TooLarge,
    /// It ended before its end.
    Broken,
    /// It did not arrive in time.
    Slow,
}

impl Bodies {
    /// Room for bodies of at most `max_body` bytes each.
    pub(super) fn new(max_body: usize) -> Self {
        let bytes = Semaphore::new(MAX_BYTES.max(max_body));
        Self { bytes, readers: Gate::of(MAX_READERS, MAX_READERS_OF_ONE), max_body }
    }

    /// Reads the whole body of a request of `caller` and hands it to `parse` while it has room.
    pub(super) async fn read<T>(
        &self,
        caller: &Caller,
        body: Incoming,
        parse: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, Unread> {
        let _reader = self.readers.try_enter(caller).ok_or(Unread::Busy)?;
        let (bytes, _room) =
            tokio::time::timeout(BODY_TIME, self.collect(body)).await.map_err(|_elapsed| Unread::Slow)??;
        Ok(parse(&bytes))
    }

    async fn collect(&self, mut body: Incoming) -> Result<(Vec<u8>, Option<SemaphorePermit<'_>>), Unread> {
        let mut bytes = Vec::new();
        let mut room: Option<SemaphorePermit<'_>> = None;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
            if data.len() > self.max_body.saturating_sub(bytes.len()) {
                return Err(Unread::TooLarge);
            }
            let more = u32::try_from(data.len()).map_err(|_| Unread::TooLarge)?;
            let more = self.bytes.try_acquire_many(more).map_err(|_| Unread::Busy)?;
            match &mut room {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
            bytes.extend_from_slice(&data);
        }
        Ok((bytes, room))
    }
}

/// How long a client may take to send a body.
const BODY_TIME: Duration = Duration::from_secs(10);
const MAX_BYTES: usize = 32 << 20;
const MAX_READERS: usize = 1024;
const MAX_READERS_OF_ONE: usize = 64;
