//! Bodies under way, and the memory that all of them together and those of one principal may hold.
//!
//! Invariant: room is taken as bytes arrive, never for a length that a client only announces, and
//! given back once the body is parsed. No principal has more than a share of it. When all of it is
//! taken, the principal who holds most makes room for one who holds less.

mod parsed;
mod room;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Incoming};
use tokio::sync::oneshot;
use tokio::task::JoinError;
use tokio::time::{Instant, timeout_at};

use crate::cores;
use crate::principal::Principal;
pub(super) use parsed::{Held, Parsed};
use room::{BodyBounds, Rooms};

/// The room for bodies.
pub(super) struct Bodies {
    bounds: BodyBounds,
    rooms: Arc<Mutex<Rooms>>,
    max_body: usize,
}

/// The reason why a body was not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// There is no room now, or a principal who held less needed it.
    Busy,
    /// The principal already holds a full share.
    TooMany,
    /// It is larger than one body may be.
    TooLarge,
    /// It broke off.
    Broken,
    /// It did not arrive in time.
    Slow,
}

/// A body that was read, with its room.
pub(super) struct WholeBody {
    bytes: Vec<u8>,
    _reader: Reader,
}

/// The burden of a request whose body was parsed.
///
/// A call that waits for answers keeps its arguments for minutes, and so it keeps the answers that
/// wait for others.
pub(super) struct Burden {
    /// The memory of its values, if they are many.
    pub(super) held: Option<Held>,
    /// The length of its body, in bytes.
    pub(super) bytes: usize,
    /// True if its body was costly. Then sealing its arguments, and handing them to a tool, take
    /// long too.
    pub(super) costly: bool,
}

impl Burden {
    /// Returns true if a call may wait for answers with it.
    pub(super) fn may_wait(&self) -> bool {
        self.held.is_none() && self.bytes <= MAX_WAITING
    }
}

impl WholeBody {
    /// Returns its length, in bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns true if parsing it takes long enough to hold up others.
    pub(super) fn is_costly(&self) -> bool {
        self.bytes.len() > CHEAP
    }

    /// Parses the body.
    pub(super) fn parse<T>(self, parse: impl FnOnce(&[u8]) -> T) -> T {
        parse(&self.bytes)
    }

    /// Parses the body while others go on. Keeps `turn` until that is done: parsing does not end
    /// when the client leaves, so the next body of the same principal must not begin then.
    ///
    /// # Errors
    /// Fails if parsing panicked.
    pub(super) async fn parse_apart<T: Send + 'static>(
        self,
        turn: impl Send + 'static,
        parse: impl FnOnce(&[u8]) -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let apart = cores::movable(async move {
            cores::leave().await;
            let parsed = cores::block_in_place(|| self.parse(parse));
            drop(turn);
            parsed
        });
        apart.await
    }
}

impl Bodies {
    /// Makes room for bodies of at most `max_body` bytes each.
    pub(super) fn new(max_body: usize) -> Self {
        Self {
            bounds: BodyBounds::new(max_body),
            rooms: Arc::default(),
            max_body,
        }
    }

    /// Reads the whole body of a request of `principal`. It has room until it is dropped.
    pub(super) async fn read(
        &self,
        principal: Principal,
        body: Incoming,
    ) -> Result<WholeBody, Unread> {
        let (reader, out) = self.enter(principal)?;
        let bytes = tokio::select! {
            biased;
            _ = out => return Err(Unread::Busy),
            bytes = self.collect(body, &reader) => bytes?,
        };
        Ok(WholeBody {
            bytes,
            _reader: reader,
        })
    }

    /// Holds a body of `principal` that came whole. It has room until it is dropped.
    pub(super) fn hold(&self, principal: Principal, bytes: Vec<u8>) -> Result<WholeBody, Unread> {
        if bytes.len() > self.max_body {
            return Err(Unread::TooLarge);
        }
        let (reader, _out) = self.enter(principal)?;
        lock(&self.rooms).take(&self.bounds, reader.id, bytes.len())?;
        Ok(WholeBody {
            bytes,
            _reader: reader,
        })
    }

    fn enter(&self, principal: Principal) -> Result<(Reader, oneshot::Receiver<()>), Unread> {
        let (stay, out) = oneshot::channel();
        let id = lock(&self.rooms).enter(&self.bounds, principal, stay)?;
        Ok((
            Reader {
                id,
                rooms: Arc::clone(&self.rooms),
            },
            out,
        ))
    }

    async fn collect(&self, mut body: Incoming, reader: &Reader) -> Result<Vec<u8>, Unread> {
        let (began, mut bytes) = (Instant::now(), Vec::new());
        while let Some(data) = next(&mut body, began + time_for(bytes.len())).await? {
            if data.len() > self.max_body.saturating_sub(bytes.len()) {
                return Err(Unread::TooLarge);
            }
            lock(&self.rooms).take(&self.bounds, reader.id, data.len())?;
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    }
}

/// A body that is being read. Its room is given back when this is dropped.
struct Reader {
    id: u64,
    rooms: Arc<Mutex<Rooms>>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        lock(&self.rooms).leave(self.id);
    }
}

fn lock(rooms: &Mutex<Rooms>) -> MutexGuard<'_, Rooms> {
    rooms.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the next bytes of a body if they come before `due`, or `None` at its end.
async fn next(body: &mut Incoming, due: Instant) -> Result<Option<Bytes>, Unread> {
    loop {
        let Some(frame) = timeout_at(due, body.frame())
            .await
            .map_err(|_elapsed| Unread::Slow)?
        else {
            return Ok(None);
        };
        // Trailers are not read.
        if let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() {
            return Ok(Some(data));
        }
    }
}

/// Returns the time, from the beginning of a body, by which more must arrive after `received`
/// bytes.
fn time_for(received: usize) -> Duration {
    let at_the_rate =
        Duration::from_millis(u64::try_from(received / BYTES_PER_MS).unwrap_or(u64::MAX));
    GRACE.saturating_add(at_the_rate).min(BODY_TIME)
}

/// The largest body that is parsed at once, bytes: well below a millisecond.
const CHEAP: usize = 32 * 1024;
/// The largest bodies with which a call waits for answers, bytes.
pub(super) const MAX_WAITING: usize = 256 << 10;
/// The longest time that a client may take to send a body.
const BODY_TIME: Duration = Duration::from_secs(10);
/// The time before the least rate counts: enough for a lost packet.
const GRACE: Duration = Duration::from_secs(2);
/// The least rate, in bytes per millisecond.
const BYTES_PER_MS: usize = 16;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::sync::mpsc;

    use super::*;
    use crate::audit::Bell;
    use crate::cores::Cores;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_body_whose_client_has_gone_keeps_its_turn_until_it_is_parsed() {
        let cores = Cores::start(&Bell::default()).unwrap();
        let bodies = Bodies::new(CHEAP);
        let (reader, _out) = bodies
            .enter(Principal::new("https://idp.example", "mallory"))
            .unwrap();
        let body = WholeBody {
            bytes: Vec::new(),
            _reader: reader,
        };
        let turn = Arc::new(());
        let own = Arc::clone(&turn);
        let (begun, began) = oneshot::channel();
        let (end, ended) = mpsc::channel::<()>();
        let parsing = cores
            .deal()
            .runtime()
            .spawn(body.parse_apart(own, move |_| {
                begun.send(()).unwrap();
                let _ = ended.recv();
            }));
        began.await.unwrap();
        // What a connection does with its request when the client leaves.
        parsing.abort();
        assert!(parsing.await.unwrap_err().is_cancelled());
        assert_eq!(Arc::strong_count(&turn), 2, "the turn is given back");
        drop(end);
        while Arc::strong_count(&turn) > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
