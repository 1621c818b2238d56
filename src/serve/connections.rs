//! The open connections of a listener: how many there may be, for whom, and which one goes when
//! there is no room.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::refused::Reason;

/// How many connections a listener has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// In all.
    pub in_all: usize,
    /// Of those, for callers who have shown a valid key on them; strangers have the rest.
    pub reserved: usize,
    /// For one address (IPv6: its /64), those of accounts with money apart.
    pub per_address: usize,
    /// For one account, that do not count for its address.
    pub per_account: usize,
}

/// The network that an address counts as: of IPv6 its /64, for a household has as many addresses as
/// it likes.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Who is at the other end, as far as is known. The order is the one in which they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum Standing {
    /// Has shown no key.
    Stranger = 0,
    /// Has shown the key of an account that never had money. Such accounts cost nothing.
    Registered = 1,
    /// Has shown the key of an account that has had money, or is a trusted proxy.
    Known = 2,
}

impl Standing {
    fn from(number: u8) -> Self {
        match number {
            0 => Self::Stranger,
            1 => Self::Registered,
            _ => Self::Known,
        }
    }
}

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// Waits for a request's head.
    Waiting = 0,
    /// Waits for more of a request's body.
    Receiving = 1,
    /// Its request is being answered.
    Answering = 2,
    /// Waits for the other end to read.
    Stalled = 3,
}

/// One connection. Requests carry it among their extensions.
#[derive(Debug)]
pub struct Connection {
    id: u64,
    peer: IpAddr,
    /// What it counts for; nothing for a trusted proxy.
    network: Option<IpAddr>,
    account: Mutex<Option<u128>>,
    standing: AtomicU8,
    phase: AtomicU8,
    /// When it entered its phase, in ticks of all connections.
    since: AtomicU64,
    /// Rises with whatever the service does that may be written out.
    activity: AtomicU64,
    /// The head that is being read has a whole line.
    saw_line: AtomicBool,
    body_late: AtomicBool,
    body_unread: AtomicBool,
    /// Whether its answer is a stream of events.
    is_streaming: AtomicBool,
    /// A request has come whose answer is not handed over whole.
    is_asked: AtomicBool,
    evicted: Notify,
    all: Arc<Connections>,
}

impl Connection {
    /// The other end of the socket.
    pub fn peer(&self) -> IpAddr {
        self.peer
    }

    /// The caller has shown the valid key of `account`, which is `funded` if it ever had money.
    pub fn shows_key(&self, account: u128, funded: bool) {
        let shown = if funded { Standing::Known } else { Standing::Registered };
        // The usual case, without a lock: nothing new.
        if self.standing() < shown {
            self.all.recognise(self, account, shown);
        }
    }

    /// Whether the body of the request that is being answered did not arrive in time.
    pub fn is_body_late(&self) -> bool {
        self.body_late.load(Ordering::Relaxed)
    }

    pub(super) fn body_is_late(&self) {
        self.body_late.store(true, Ordering::Relaxed);
    }

    /// Its answer is a stream of events from here on, until it has answered.
    pub(super) fn streams(&self) {
        self.is_streaming.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_streaming(&self) -> bool {
        self.is_streaming.load(Ordering::Relaxed)
    }

    pub(super) fn is_body_unread(&self) -> bool {
        self.body_unread.load(Ordering::Relaxed)
    }

    pub(super) fn leaves_body_unread(&self) {
        self.body_unread.store(true, Ordering::Relaxed);
    }

    pub(super) fn saw_line(&self) -> &AtomicBool {
        &self.saw_line
    }

    /// Counts something that may be written out.
    pub(super) fn acts(&self) {
        self.activity.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn activity(&self) -> u64 {
        self.activity.load(Ordering::Relaxed)
    }

    pub(super) fn is_answering(&self) -> bool {
        self.phase.load(Ordering::Relaxed) == Phase::Answering as u8
    }

    /// A request has come.
    pub(super) fn is_asked(&self) {
        self.is_asked.store(true, Ordering::Relaxed);
        self.body_late.store(false, Ordering::Relaxed);
        self.enter(Phase::Answering);
    }

    /// Its answer is handed over.
    pub(super) fn has_answered(&self) {
        self.is_streaming.store(false, Ordering::Relaxed);
        self.acts();
        self.is_asked.store(false, Ordering::Relaxed);
        self.saw_line.store(false, Ordering::Relaxed);
        self.enter(Phase::Waiting);
    }

    /// The other end reads again.
    pub(super) fn goes_on(&self) {
        self.enter(if self.is_asked.load(Ordering::Relaxed) {
            Phase::Answering
        } else {
            Phase::Waiting
        });
    }

    pub(super) fn enter(&self, phase: Phase) {
        if self.phase.swap(phase as u8, Ordering::Relaxed) != phase as u8 {
            self.since.store(self.all.tick(), Ordering::Relaxed);
        }
    }

    /// Returns once the connection has to make room.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    fn standing(&self) -> Standing {
        Standing::from(self.standing.load(Ordering::Relaxed))
    }

    /// The lower, the sooner it goes; `None` while its request is being answered.
    fn rank(&self) -> Option<(Standing, bool, u64)> {
        let phase = self.phase.load(Ordering::Relaxed);
        let is_idle = phase == Phase::Waiting as u8;
        (phase != Phase::Answering as u8)
            .then(|| (self.standing(), !is_idle, self.since.load(Ordering::Relaxed)))
    }
}

/// All of them.
#[derive(Debug)]
pub struct Connections {
    limits: ConnectionLimits,
    ticks: AtomicU64,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    open: BTreeMap<u64, Arc<Connection>>,
    /// Those that count for an address.
    by_network: HashMap<IpAddr, BTreeMap<u64, Arc<Connection>>>,
    by_account: HashMap<u128, usize>,
    strangers: usize,
}

/// A connection's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Place(pub Arc<Connection>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.all.table.lock().remove(&self.0);
    }
}

impl Connections {
    /// None yet.
    pub fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self { limits, ticks: AtomicU64::new(0), table: Mutex::default() })
    }

    /// Gives a new connection a place, if need be that of an idle one: of the same address where
    /// the address has too many.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr, is_trusted: bool) -> Result<Place, Reason> {
        let network = (!is_trusted).then(|| network(peer));
        let mut table = self.table.lock();
        if let Some(network) = network
            && let Some(of_network) = table
                .by_network
                .get(&network)
                .filter(|of_network| of_network.len() >= self.limits.per_address)
        {
            let first = first_to_go(of_network.values(), Standing::Known)
                .ok_or(Reason::TooManyOfAddress)?;
            table.let_go(&first);
        }
        // A caller with a key comes as a stranger: rather an old one goes than that a new one never
        // gets to show it.
        if !is_trusted
            && table.strangers >= self.limits.in_all.saturating_sub(self.limits.reserved)
            && let Some(first) = first_to_go(table.open.values(), Standing::Stranger)
        {
            table.let_go(&first);
        }
        if table.open.len() >= self.limits.in_all {
            let first =
                first_to_go(table.open.values(), Standing::Known).ok_or(Reason::TooManyInAll)?;
            table.let_go(&first);
        }
        Ok(Place(table.insert(self, peer, network)))
    }

    /// Lets an idle one go, where the system has no room for more; false if there is none.
    pub(super) fn relieve(&self) -> bool {
        let mut table = self.table.lock();
        let first = first_to_go(table.open.values(), Standing::Known);
        first.map(|first| table.let_go(&first)).is_some()
    }

    fn recognise(&self, connection: &Connection, account: u128, shown: Standing) {
        let mut table = self.table.lock();
        let mut counted = connection.account.lock();
        // One that was let go in the meantime counts for nothing any more.
        if counted.is_some_and(|counted| counted != account)
            || !table.open.contains_key(&connection.id)
        {
            return;
        }
        if counted.is_none() {
            let of_account = table.by_account.entry(account).or_default();
            if *of_account >= self.limits.per_account {
                return;
            }
            *of_account += 1;
            *counted = Some(account);
        }
        if connection.standing() == Standing::Stranger {
            table.strangers -= 1;
        }
        connection.standing.store(shown as u8, Ordering::Relaxed);
        if shown == Standing::Known {
            table.leave_network(connection);
        }
    }

    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed)
    }
}

impl Table {
    fn insert(
        &mut self,
        all: &Arc<Connections>,
        peer: IpAddr,
        network: Option<IpAddr>,
    ) -> Arc<Connection> {
        let standing = if network.is_some() { Standing::Stranger } else { Standing::Known };
        let connection = Arc::new(Connection {
            id: self.next,
            peer,
            network,
            account: Mutex::new(None),
            standing: AtomicU8::new(standing as u8),
            phase: AtomicU8::new(Phase::Waiting as u8),
            since: AtomicU64::new(all.tick()),
            activity: AtomicU64::new(0),
            saw_line: AtomicBool::new(false),
            body_late: AtomicBool::new(false),
            body_unread: AtomicBool::new(false),
            is_streaming: AtomicBool::new(false),
            is_asked: AtomicBool::new(false),
            evicted: Notify::new(),
            all: Arc::clone(all),
        });
        self.next += 1;
        self.open.insert(connection.id, Arc::clone(&connection));
        if let Some(network) = network {
            self.strangers += 1;
            self.by_network
                .entry(network)
                .or_default()
                .insert(connection.id, Arc::clone(&connection));
        }
        connection
    }

    /// Takes its place away, and tells it.
    fn let_go(&mut self, connection: &Connection) {
        self.remove(connection);
        connection.evicted.notify_one();
        metrics::counter!("http_connections_evicted_total").increment(1);
    }

    fn remove(&mut self, connection: &Connection) {
        if self.open.remove(&connection.id).is_none() {
            return;
        }
        self.leave_network(connection);
        if connection.standing() == Standing::Stranger {
            self.strangers -= 1;
        }
        let account = connection.account.lock().take();
        if let Some(account) = account
            && let Some(count) = self.by_account.get_mut(&account)
        {
            *count -= 1;
            if *count == 0 {
                self.by_account.remove(&account);
            }
        }
    }

    fn leave_network(&mut self, connection: &Connection) {
        let Some(network) = connection.network else { return };
        if let Some(of_network) = self.by_network.get_mut(&network) {
            of_network.remove(&connection.id);
            if of_network.is_empty() {
                self.by_network.remove(&network);
            }
        }
    }
}

/// Of those that stand no higher than `highest` and are not being answered, the one that goes
/// first.
///
/// This looks at all of them, but only while there is no room: some thousand, a few ten
/// microseconds.
fn first_to_go<'a>(
    among: impl Iterator<Item = &'a Arc<Connection>>,
    highest: Standing,
) -> Option<Arc<Connection>> {
    let ranked = among.filter_map(|connection| Some((connection.rank()?, connection)));
    let ranked = ranked.filter(|((standing, ..), _)| *standing <= highest);
    ranked.min_by_key(|(rank, _)| *rank).map(|(_, connection)| Arc::clone(connection))
}

#[cfg(test)]
mod tests;
