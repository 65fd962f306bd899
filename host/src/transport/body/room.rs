//! The room for bodies: readers, a reserve for small bodies, and a pool for the others.
//!
//! Invariant: the totals are the sums of what the readers hold, and no principal holds more than a
//! share.

use std::collections::{BTreeMap, HashMap};

use tokio::sync::oneshot;

use super::Unread;
use crate::principal::Principal;

/// A kind of room that bodies share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyRoom {
    /// Bodies that are being read.
    Readers,
    /// Bytes of bodies that are small so far.
    Reserve,
    /// Bytes of the larger bodies.
    Pool,
}

/// An amount of each kind of room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Amounts {
    readers: usize,
    reserve: usize,
    pool: usize,
}

/// The room that there is, and the share of one principal.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyBounds {
    all: Amounts,
    each: Amounts,
}

/// The room that is taken.
#[derive(Default)]
pub(super) struct Rooms {
    readers: BTreeMap<u64, Holder>,
    held: HashMap<Principal, Amounts>,
    total: Amounts,
    next: u64,
}

struct Holder {
    principal: Principal,
    bytes: usize,
    /// Dropped when this reader has to go.
    _stay: oneshot::Sender<()>,
}

impl BodyBounds {
    /// Sets the bounds for bodies of at most `max_body` bytes. The share of one principal holds at
    /// least two such bodies.
    pub(super) fn new(max_body: usize) -> Self {
        let each = Amounts {
            readers: READERS_OF_ONE,
            reserve: RESERVE_OF_ONE,
            pool: POOL_OF_ONE.max(max_body.saturating_mul(2)),
        };
        let all = Amounts {
            readers: each.readers * SHARES * 2,
            reserve: each.reserve * SHARES,
            pool: each.pool.saturating_mul(SHARES),
        };
        Self { all, each }
    }
}

impl Rooms {
    /// Lets one more body of `principal` in.
    pub(super) fn enter(
        &mut self,
        bounds: &BodyBounds,
        principal: Principal,
        stay: oneshot::Sender<()>,
    ) -> Result<u64, Unread> {
        self.make_room(bounds, BodyRoom::Readers, 1, &principal)?;
        let id = self.next;
        self.next += 1;
        self.change(&principal, BodyRoom::Readers, |amount| amount + 1);
        self.readers.insert(
            id,
            Holder {
                principal,
                bytes: 0,
                _stay: stay,
            },
        );
        Ok(id)
    }

    /// Takes room for `more` bytes of a reader. A body that becomes large moves to the pool as a
    /// whole.
    pub(super) fn take(&mut self, bounds: &BodyBounds, id: u64, more: usize) -> Result<(), Unread> {
        let holder = self.readers.get_mut(&id).ok_or(Unread::Busy)?;
        let (principal, before) = (holder.principal.clone(), std::mem::take(&mut holder.bytes));
        self.change(&principal, room(before), |amount| {
            amount.saturating_sub(before)
        });
        let after = before + more;
        self.make_room(bounds, room(after), after, &principal)?;
        self.change(&principal, room(after), |amount| amount + after);
        if let Some(holder) = self.readers.get_mut(&id) {
            holder.bytes = after;
        }
        Ok(())
    }

    /// Gives back everything that a reader holds.
    pub(super) fn leave(&mut self, id: u64) {
        if let Some(Holder {
            principal, bytes, ..
        }) = self.readers.remove(&id)
        {
            self.change(&principal, room(bytes), |amount| {
                amount.saturating_sub(bytes)
            });
            self.change(&principal, BodyRoom::Readers, |amount| {
                amount.saturating_sub(1)
            });
        }
    }

    /// Makes sure that `principal` can have `amount` more: within the principal's share and, if
    /// need be, at the expense of one who holds more.
    fn make_room(
        &mut self,
        bounds: &BodyBounds,
        room: BodyRoom,
        amount: usize,
        principal: &Principal,
    ) -> Result<(), Unread> {
        let own = self.held.get(principal).map_or(0, |held| held.of(room)) + amount;
        if own > bounds.each.of(room) {
            return Err(Unread::TooMany);
        }
        while self.total.of(room) + amount > bounds.all.of(room) {
            let id = self.oldest_of_the_largest(room, own).ok_or(Unread::Busy)?;
            self.leave(id);
        }
        Ok(())
    }

    /// Returns the oldest reader of the principal who holds most of `room`, if that is more than
    /// `own`.
    fn oldest_of_the_largest(&self, room: BodyRoom, own: usize) -> Option<u64> {
        let (largest, held) = self.held.iter().max_by_key(|(_, held)| held.of(room))?;
        let in_room = |holder: &Holder| {
            room == BodyRoom::Readers || self::room(holder.bytes) == room && holder.bytes > 0
        };
        let own_of = |holder: &Holder| holder.principal == *largest && in_room(holder);
        let oldest = self
            .readers
            .iter()
            .find(|(_, holder)| own_of(holder))
            .map(|(id, _)| *id);
        oldest.filter(|_| held.of(room) > own)
    }

    fn change(&mut self, principal: &Principal, room: BodyRoom, change: impl Fn(usize) -> usize) {
        let held = self.held.entry(principal.clone()).or_default();
        held.set(room, &change);
        if *held == Amounts::default() {
            self.held.remove(principal);
        }
        self.total.set(room, &change);
    }
}

impl Amounts {
    fn of(&self, room: BodyRoom) -> usize {
        match room {
            BodyRoom::Readers => self.readers,
            BodyRoom::Reserve => self.reserve,
            BodyRoom::Pool => self.pool,
        }
    }

    fn set(&mut self, room: BodyRoom, change: impl Fn(usize) -> usize) {
        let amount = match room {
            BodyRoom::Readers => &mut self.readers,
            BodyRoom::Reserve => &mut self.reserve,
            BodyRoom::Pool => &mut self.pool,
        };
        *amount = change(*amount);
    }
}

/// Returns the kind of room for a body of so many bytes.
fn room(bytes: usize) -> BodyRoom {
    if bytes <= SMALL {
        BodyRoom::Reserve
    } else {
        BodyRoom::Pool
    }
}

/// The largest body that is small.
const SMALL: usize = 64 << 10;
/// The number of shares in the whole. One principal has one.
const SHARES: usize = 8;
const READERS_OF_ONE: usize = 64;
const RESERVE_OF_ONE: usize = 2 << 20;
const POOL_OF_ONE: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    struct Desk {
        bounds: BodyBounds,
        rooms: Rooms,
        kept: Vec<(u64, oneshot::Receiver<()>)>,
    }

    impl Desk {
        fn new(max_body: usize) -> Self {
            Self {
                bounds: BodyBounds::new(max_body),
                rooms: Rooms::default(),
                kept: Vec::new(),
            }
        }

        /// Begins a body of which `bytes` have arrived, and no more.
        fn begin(&mut self, subject: &str, bytes: usize) -> Result<u64, Unread> {
            let (stay, out) = oneshot::channel();
            let id = self.rooms.enter(
                &self.bounds,
                Principal::new("https://issuer.example", subject),
                stay,
            )?;
            self.kept.push((id, out));
            let mut left = bytes;
            while left > 0 {
                let chunk = left.min(8 << 10);
                let taken = self.rooms.take(&self.bounds, id, chunk);
                taken.inspect_err(|_| self.rooms.leave(id))?;
                left -= chunk;
            }
            Ok(id)
        }

        fn has_to_go(&mut self, id: u64) -> bool {
            let closed = |out: &mut oneshot::Receiver<()>| {
                out.try_recv() == Err(oneshot::error::TryRecvError::Closed)
            };
            self.kept
                .iter_mut()
                .any(|(kept, out)| *kept == id && closed(out))
        }

        fn check(&self) {
            let mut total = Amounts::default();
            for held in self.rooms.held.values() {
                total.readers += held.readers;
                total.reserve += held.reserve;
                total.pool += held.pool;
            }
            assert_eq!(total, self.rooms.total);
            let Amounts {
                readers,
                reserve,
                pool,
            } = self.rooms.total;
            let all = self.bounds.all;
            assert!(
                readers <= all.readers && reserve <= all.reserve && pool <= all.pool,
                "{total:?}"
            );
        }
    }

    const MIB: usize = 1 << 20;

    #[test]
    fn unfinished_bodies_of_one_user_leave_room_for_the_others() {
        for max_body in [1, 100, MIB, 16 * MIB] {
            let mut desk = Desk::new(max_body);
            let refused = (0..32)
                .filter(|_| desk.begin("mallory", max_body).is_err())
                .count();
            assert!(
                refused < 31,
                "{max_body}: even two of the largest have to fit into one share"
            );
            assert!(desk.begin("alice", max_body).is_ok(), "{max_body}");
            assert!(desk.begin("alice", 200.min(max_body)).is_ok(), "{max_body}");
            desk.check();
        }
    }

    #[test]
    fn users_together_make_room_for_one_who_holds_less() {
        for (bytes, each) in [(1, 64), (64 << 10, 32), (MIB, 4)] {
            let mut desk = Desk::new(MIB);
            let first = desk.begin("mallory-0", bytes);
            for user in 0..20 {
                for _ in 0..each {
                    let _ = desk.begin(&format!("mallory-{user}"), bytes);
                }
            }
            desk.check();
            assert!(desk.begin("alice", bytes).is_ok(), "{bytes}");
            assert!(
                first.is_ok_and(|first| desk.has_to_go(first)),
                "{bytes}: the oldest of the largest goes"
            );
            desk.check();
        }
    }

    #[test]
    fn small_bodies_do_not_wait_for_large_ones() {
        let mut desk = Desk::new(MIB);
        for user in 0..40 {
            let _ = desk.begin(&format!("mallory-{user}"), MIB);
        }
        assert_eq!(desk.rooms.total.pool, desk.bounds.all.pool);
        assert!(desk.begin("alice", 64 << 10).is_ok());
        assert_eq!(
            desk.begin("alice", 2 * MIB),
            Err(Unread::Busy),
            "no one holds more than that"
        );
    }

    #[test]
    fn everything_is_given_back() {
        let mut desk = Desk::new(MIB);
        let ids: Vec<_> = (0..50_usize)
            .filter_map(|n| desk.begin(&format!("u{}", n % 7), n * 4000).ok())
            .collect();
        for id in ids {
            desk.rooms.leave(id);
            desk.rooms.leave(id);
        }
        assert_eq!(desk.rooms.total, Amounts::default());
        assert!(desk.rooms.held.is_empty() && desk.rooms.readers.is_empty());
    }
}
