//! The places for connections: a share for each peer address, and a few places beside them for
//! health.
//!
//! A connection that has not finished a header, or waits between two requests, can be asked to go.
//!
//! Invariant: a connection with a request under way is never ended to make room, and there is
//! always room to ask for the host's health.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio_util::sync::CancellationToken;

/// The most connections that there may be.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct ConnectionBounds {
    /// Connections that may ask for anything.
    pub(in super::super) all: usize,
    /// The share of one peer address in these.
    pub(in super::super) each: usize,
    /// Additional connections that may ask only for health.
    pub(in super::super) health: usize,
}

/// The places for connections.
pub(super) struct Places {
    bounds: ConnectionBounds,
    /// Peers without a share, because many clients come through them.
    trusted: Vec<IpNet>,
    state: Mutex<Occupied>,
}

/// A connection's place, given back when dropped.
pub(super) struct ConnectionPlace {
    id: u64,
    only_health: bool,
    out: CancellationToken,
    places: Arc<Places>,
}

#[derive(Default)]
struct Occupied {
    next: u64,
    ordinary: Seating,
    health: Seating,
}

#[derive(Default)]
struct Seating {
    seats: HashMap<u64, Seat>,
    /// The connections that can be asked to go, in the order in which they go.
    waiting: BTreeMap<LeavingTurn, u64>,
    peers: HashMap<IpAddr, Peer>,
}

/// The connections of one peer address.
#[derive(Default)]
struct Peer {
    held: usize,
    waiting: BTreeSet<LeavingTurn>,
}

struct Seat {
    /// `None` if the connection counts against no share.
    peer: Option<IpAddr>,
    /// `None` while a request is under way.
    turn: Option<LeavingTurn>,
    out: CancellationToken,
}

/// The order in which connections have to go: first those that never finished a header, then those
/// that have waited longest. Example: `(false, 7)` goes before `(false, 9)`, and both before
/// `(true, 3)`.
type LeavingTurn = (bool, u64);

impl Places {
    pub(super) fn new(bounds: ConnectionBounds, trusted: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Self {
            bounds,
            trusted,
            state: Mutex::default(),
        })
    }

    /// Gives a connection from `peer` a place, if need be at the expense of one that waits.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<ConnectionPlace> {
        let peer = peer.to_canonical();
        let share =
            (!self.trusted.iter().any(|trusted| trusted.contains(&peer))).then(|| network(peer));
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        let ConnectionBounds { all, each, health } = self.bounds;
        let (only_health, out) = match state.ordinary.enter(id, share, all, each) {
            Some(out) => (false, out),
            None => (true, state.health.enter(id, None, health, health)?),
        };
        Some(ConnectionPlace {
            id,
            only_health,
            out,
            places: Arc::clone(self),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Occupied> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionPlace {
    /// Returns true if this is one of the places kept for questions about health.
    pub(super) fn only_health(&self) -> bool {
        self.only_health
    }

    /// Marks the place as busy: a header is complete, so a request is under way.
    pub(super) fn busy(&self) {
        self.room(&mut self.places.lock()).busy(self.id);
    }

    /// Marks the place as idle: the request is answered, and the connection waits for the next.
    pub(super) fn idle(&self) {
        let mut state = self.places.lock();
        let turn = (true, state.next);
        state.next += 1;
        self.room(&mut state).idle(self.id, turn);
    }

    /// Returns true if another connection has the place.
    pub(super) fn is_out(&self) -> bool {
        self.out.is_cancelled()
    }

    /// Waits until another connection needs the place.
    pub(super) async fn out(&self) {
        self.out.cancelled().await;
    }

    fn room<'s>(&self, state: &'s mut Occupied) -> &'s mut Seating {
        if self.only_health {
            &mut state.health
        } else {
            &mut state.ordinary
        }
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        self.room(&mut self.places.lock()).leave(self.id);
    }
}

impl Seating {
    fn enter(
        &mut self,
        id: u64,
        peer: Option<IpAddr>,
        all: usize,
        each: usize,
    ) -> Option<CancellationToken> {
        if let Some(own) = peer.and_then(|peer| self.peers.get(&peer))
            && own.held >= each
        {
            let turn = own.waiting.first().copied()?;
            self.send_away(turn);
        }
        if self.seats.len() >= all {
            let turn = self.waiting.keys().next().copied()?;
            self.send_away(turn);
        }
        let out = CancellationToken::new();
        self.seats.insert(
            id,
            Seat {
                peer,
                turn: None,
                out: out.clone(),
            },
        );
        if let Some(peer) = peer {
            self.peers.entry(peer).or_default().held += 1;
        }
        self.idle(id, (false, id));
        Some(out)
    }

    fn send_away(&mut self, turn: LeavingTurn) {
        if let Some(id) = self.waiting.get(&turn).copied()
            && let Some(seat) = self.leave(id)
        {
            seat.out.cancel();
        }
    }

    fn leave(&mut self, id: u64) -> Option<Seat> {
        self.busy(id);
        let seat = self.seats.remove(&id)?;
        if let Some(peer) = seat.peer
            && let Some(own) = self.peers.get_mut(&peer)
        {
            own.held = own.held.saturating_sub(1);
            if own.held == 0 {
                self.peers.remove(&peer);
            }
        }
        Some(seat)
    }

    fn busy(&mut self, id: u64) {
        let Some(seat) = self.seats.get_mut(&id) else {
            return;
        };
        let Some(turn) = seat.turn.take() else { return };
        self.waiting.remove(&turn);
        if let Some(own) = seat.peer.and_then(|peer| self.peers.get_mut(&peer)) {
            own.waiting.remove(&turn);
        }
    }

    fn idle(&mut self, id: u64, turn: LeavingTurn) {
        self.busy(id);
        let Some(seat) = self.seats.get_mut(&id) else {
            return;
        };
        seat.turn = Some(turn);
        self.waiting.insert(turn, id);
        if let Some(own) = seat.peer.and_then(|peer| self.peers.get_mut(&peer)) {
            own.waiting.insert(turn);
        }
    }
}

/// Returns the network that counts as one peer: an IPv4 address, or the /64 of an IPv6 address,
/// which is the least that a site gets.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
            address.to_bits() & !u128::from(u64::MAX),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(all: usize, each: usize, health: usize, trusted: &str) -> Arc<Places> {
        Places::new(
            ConnectionBounds { all, each, health },
            trusted.parse().into_iter().collect(),
        )
    }

    fn enter(places: &Arc<Places>, peer: &str) -> Option<ConnectionPlace> {
        places.enter(peer.parse().unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)))
    }

    #[test]
    fn silent_connections_of_one_address_make_room_for_its_own_and_not_for_others() {
        let places = places(100, 10, 4, "");
        let alice = enter(&places, "192.0.2.1");
        let silent: Vec<_> = (0..50)
            .filter_map(|_| enter(&places, "192.0.2.66"))
            .collect();
        assert!(silent.iter().all(|place| !place.only_health()));
        assert_eq!(silent.iter().filter(|place| !place.is_out()).count(), 10);
        assert!(
            silent.iter().rev().take(10).all(|place| !place.is_out()),
            "the oldest go first"
        );
        assert!(alice.is_some_and(|alice| !alice.is_out()));
    }

    #[test]
    fn when_the_host_is_full_the_oldest_without_a_header_goes_and_then_the_oldest_that_is_idle() {
        let places = places(3, 3, 1, "");
        let seated: Vec<_> = (1..=3)
            .filter_map(|n| enter(&places, &format!("192.0.2.{n}")))
            .collect();
        let [idle, silent, busy] = seated.as_slice() else {
            return assert_eq!(seated.len(), 3);
        };
        idle.busy();
        idle.idle();
        busy.busy();
        let fourth = enter(&places, "192.0.2.4");
        assert_eq!(
            [idle, silent, busy].map(ConnectionPlace::is_out),
            [false, true, false]
        );
        fourth.iter().for_each(ConnectionPlace::busy);
        let fifth = enter(&places, "192.0.2.5");
        assert_eq!([idle, busy].map(ConnectionPlace::is_out), [true, false]);
        fifth.iter().for_each(ConnectionPlace::busy);
        let sixth = enter(&places, "192.0.2.6");
        assert!(
            sixth.is_some_and(|sixth| sixth.only_health()),
            "there is still a place for health"
        );
        assert!(!busy.is_out());
    }

    #[test]
    fn places_for_health_are_for_whoever_came_last() {
        let places = places(1, 1, 2, "");
        let only = enter(&places, "192.0.2.1");
        only.iter().for_each(ConnectionPlace::busy);
        let flood: Vec<_> = (0..9)
            .filter_map(|_| enter(&places, "192.0.2.66"))
            .collect();
        assert_eq!(
            (
                flood.len(),
                flood.iter().filter(|place| !place.is_out()).count()
            ),
            (9, 2)
        );
        assert!(flood.iter().all(ConnectionPlace::only_health));
        flood.last().iter().for_each(|place| place.busy());
        assert!(
            enter(&places, "192.0.2.1").is_some_and(|one| one.only_health()),
            "the other has asked nothing yet"
        );
    }

    #[test]
    fn clients_behind_a_trusted_proxy_have_no_share_to_exceed() {
        let places = places(300, 10, 4, "192.0.2.0/28");
        let clients: Vec<_> = (0..200)
            .filter_map(|_| enter(&places, "192.0.2.7"))
            .collect();
        assert_eq!(
            clients
                .iter()
                .filter(|place| !place.is_out() && !place.only_health())
                .count(),
            200
        );
        let mapped: Vec<_> = (0..20)
            .filter_map(|_| enter(&places, "::ffff:192.0.2.7"))
            .collect();
        assert_eq!(
            mapped.iter().filter(|place| place.is_out()).count(),
            0,
            "the same address, written as IPv6"
        );
    }

    #[test]
    fn an_address_of_ipv6_is_its_network() {
        let places = places(100, 3, 4, "");
        let one: Vec<_> = (0..9)
            .filter_map(|n| enter(&places, &format!("2001:db8:1:1:{n}::1")))
            .collect();
        assert_eq!(one.iter().filter(|place| !place.is_out()).count(), 3);
        assert!(enter(&places, "2001:db8:1:2::1").is_some_and(|other| !other.is_out()));
    }

    #[test]
    fn a_place_is_given_back_once() {
        let places = places(10, 2, 1, "");
        for _ in 0..100 {
            let (one, two) = (enter(&places, "192.0.2.1"), enter(&places, "192.0.2.1"));
            let three = enter(&places, "192.0.2.1");
            drop((one, three, two));
        }
        let state = places.lock();
        let room = &state.ordinary;
        assert!(room.seats.is_empty() && room.waiting.is_empty() && room.peers.is_empty());
    }
}
