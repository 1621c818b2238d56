//! Webhooks: the schedule under the paused clock, and the guard against name servers that lie.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[expect(dead_code, reason = "the world has more than this file needs")]
mod world;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use events::account::Command;
use events::envelope::Actor;
use events::time::Timestamp;
use events::webhook::Outcome;
use telenumerus_actors::store::memory::MemoryStore;
use telenumerus_actors::webhook::{HttpSender, SenderSettings, WebhookPayload, WebhookSender};
use tokio::net::{TcpListener, UdpSocket};
use world::{START, Setup, World, open_deliveries};

async fn world(failure_rate: f64) -> World {
    World::start(
        MemoryStore::default(),
        &Setup { webhook_failure_rate: failure_rate, ..Setup::default() },
        3,
        START,
    )
    .await
}

async fn test_of(world: &World, account: events::id::AccountId) {
    let at = world.accounts.journal().now();
    world.accounts.transact(account, Command::TestWebhook { at }, Actor::Owner, at).await.unwrap();
}

fn arrivals(world: &World, part: &str) -> usize {
    world.mailbox.lock().iter().filter(|(url, ..)| url.contains(part)).count()
}

#[tokio::test(start_paused = true)]
async fn six_attempts_follow_the_schedule_and_then_it_is_over() {
    let world = world(1.0).await;
    let account = world.account(0).await;
    world.tell(account, "https://hooks.acme.dev/").await;
    test_of(&world, account).await;
    // The longest each step may take, jitter included, and less than the next one's shortest.
    for (attempts, seconds) in [(1, 1), (2, 6), (3, 34), (4, 133), (5, 661), (6, 3_961)] {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        assert_eq!(arrivals(&world, "hooks"), attempts);
    }
    tokio::time::sleep(Duration::from_hours(24)).await;
    assert_eq!(arrivals(&world, "hooks"), 6);
    assert!(open_deliveries(&world.store).await.is_empty());
    assert_eq!(world.webhooks.working(), 0, "nobody stays in memory for nothing");
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_a_bug_ends_is_made_again() {
    let world = world(0.0).await;
    let account = world.account(0).await;
    world.tell(account, "https://bug.acme.dev/").await;
    test_of(&world, account).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(
        (
            arrivals(&world, "bug"),
            open_deliveries(&world.store).await.len(),
            world.webhooks.working()
        ),
        (2, 0, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redelivery_that_meets_a_deliverer_about_to_leave_starts_another() {
    let world = world(0.0).await;
    let account = world.account(0).await;
    world.tell(account, "https://hooks.acme.dev/").await;
    test_of(&world, account).await;
    while world.webhooks.working() > 0 {
        tokio::task::yield_now().await;
    }
    // Each attempt ends at once and its deliverer leaves: the next redelivery comes in the middle
    // of that.
    for round in 0..2_000 {
        world
            .webhooks
            .redeliver(account, vec![1])
            .await
            .unwrap_or_else(|error| panic!("redelivery {round}: {error}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_receiver_delays_neither_others_nor_forever_itself() {
    let world = world(0.0).await;
    let (dead, alive) = (world.account(0).await, world.account(0).await);
    world.tell(dead, "https://dead.acme.dev/").await;
    world.tell(alive, "https://alive.acme.dev/").await;
    for _ in 0..50 {
        test_of(&world, dead).await;
    }
    test_of(&world, alive).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(arrivals(&world, "alive"), 1);
    assert!(arrivals(&world, "dead") <= 4, "few attempts at a time go to one that does not answer");
    tokio::time::sleep(Duration::from_hours(12)).await;
    assert_eq!(arrivals(&world, "dead"), 300);
    assert!(open_deliveries(&world.store).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_the_schedule() {
    let store = MemoryStore::default();
    let setup = Setup { webhook_failure_rate: 1.0, ..Setup::default() };
    let first = World::start(store.clone(), &setup, 3, START).await;
    let account = first.account(0).await;
    first.tell(account, "https://hooks.acme.dev/").await;
    test_of(&first, account).await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(arrivals(&first, "hooks"), 2);
    let second = World::start(
        store.cut(store.stops().into_iter().max().unwrap()),
        &setup,
        4,
        first.accounts.journal().now(),
    )
    .await;
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(arrivals(&second, "hooks"), 0, "the third attempt is not due before its time");
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(arrivals(&second, "hooks"), 1);
}

/// A name server that answers as it is told, and counts what it is asked.
struct NameServer {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl NameServer {
    /// Answers the n-th question for an address with the n-th list of addresses, the last for all
    /// after it.
    async fn start(answers: Vec<Vec<IpAddr>>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (socket.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut packet = [0; 512];
            let mut round = 0;
            while let Ok((length, peer)) = socket.recv_from(&mut packet).await {
                let question = &packet[..length];
                let end = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
                let wants_v4 = question[end - 4..end - 2] == [0, 1];
                let wanted = &answers[round.min(answers.len() - 1)];
                if wants_v4 {
                    round += 1;
                    counted.fetch_add(1, Ordering::SeqCst);
                }
                let fitting: Vec<&IpAddr> =
                    wanted.iter().filter(|address| address.is_ipv4() == wants_v4).collect();
                let mut answer = question[..2].to_vec();
                answer.extend([
                    0x81,
                    0x80,
                    0,
                    1,
                    0,
                    u8::try_from(fitting.len()).unwrap(),
                    0,
                    0,
                    0,
                    0,
                ]);
                answer.extend(&question[12..end]);
                for address in fitting {
                    answer.extend([0xc0, 12]);
                    match address {
                        IpAddr::V4(v4) => answer.extend(
                            [[0, 1, 0, 1, 0, 0, 0, 0, 0, 4].as_slice(), &v4.octets()].concat(),
                        ),
                        IpAddr::V6(v6) => answer.extend(
                            [[0, 28, 0, 1, 0, 0, 0, 0, 0, 16].as_slice(), &v6.octets()].concat(),
                        ),
                    }
                }
                let _ = socket.send_to(&answer, peer).await;
            }
        });
        Self { address, asked }
    }
}

fn letter(url: String) -> WebhookPayload {
    WebhookPayload {
        url,
        id: "dlv_1".to_owned(),
        event: "webhook.test",
        body: b"{}".to_vec(),
        fails_first: false,
        secrets: vec!["whsec_AA==".into()],
        at: Timestamp::default(),
    }
}

fn post(server: &NameServer, allow_private_targets: bool, port: u16) -> HttpSender {
    let settings = SenderSettings {
        allow_private_targets,
        allowed_ports: vec![443, port],
        dns_servers: vec![server.address],
        extra_ca_file: None,
    };
    HttpSender::new(&settings).unwrap()
}

/// A listener, and how many connections it was made.
async fn listener(address: &str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(address).await.unwrap();
    let (address, made) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&made);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    (address, made)
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[tokio::test]
async fn no_packet_goes_to_where_a_public_name_secretly_points() {
    let (target, made) = listener("127.0.0.1:0").await;
    let public = IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8));
    let lies: Vec<Vec<IpAddr>> = vec![
        vec![LOOPBACK],
        vec![public, LOOPBACK],
        vec![IpAddr::V6(Ipv6Addr::LOCALHOST)],
        vec!["::ffff:127.0.0.1".parse().unwrap()],
        vec!["169.254.169.254".parse().unwrap()],
        vec![public, "fd00:ec2::254".parse().unwrap()],
        vec!["0.0.0.0".parse().unwrap()],
        vec!["64:ff9b::7f00:1".parse().unwrap()],
    ];
    for lie in lies {
        let server = NameServer::start(vec![lie.clone()]).await;
        let outcome = post(&server, false, target.port())
            .deliver(letter(format!("https://hooks.acme.dev:{}/", target.port())))
            .await;
        assert_eq!(outcome, Outcome::TargetRefused, "{lie:?}");
        assert!(server.asked.load(Ordering::SeqCst) > 0, "the name was resolved");
    }
    assert_eq!(made.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_is_resolved_anew_for_each_attempt_and_the_connection_goes_to_that_answer() {
    let (first, first_made) = listener("127.0.0.1:0").await;
    let (second, second_made) = listener(&format!("127.0.0.2:{}", first.port())).await;
    // It answers one address and then another: a check that asks again, or an answer that is kept,
    // would be led astray.
    let server = NameServer::start(vec![vec![first.ip()], vec![second.ip()]]).await;
    let post = post(&server, true, 443);
    let url = format!("http://rebind.acme.dev:{}/", first.port());
    assert_eq!(post.deliver(letter(url.clone())).await, Outcome::ConnectionFailed);
    assert_eq!(
        (
            first_made.load(Ordering::SeqCst),
            second_made.load(Ordering::SeqCst),
            server.asked.load(Ordering::SeqCst)
        ),
        (1, 0, 1)
    );
    assert_eq!(post.deliver(letter(url)).await, Outcome::ConnectionFailed);
    assert_eq!(
        (
            first_made.load(Ordering::SeqCst),
            second_made.load(Ordering::SeqCst),
            server.asked.load(Ordering::SeqCst)
        ),
        (1, 1, 2)
    );
}

#[tokio::test]
async fn a_name_that_turned_private_since_it_was_set_is_refused_at_the_attempt() {
    let (target, made) = listener("127.0.0.1:0").await;
    let server = NameServer::start(vec![vec![LOOPBACK]]).await;
    let post = post(&server, false, target.port());
    for url in [
        format!("https://127.0.0.1:{}/", target.port()),
        format!("https://[::ffff:127.0.0.1]:{}/", target.port()),
        "https://localhost/".to_owned(),
    ] {
        assert_eq!(post.deliver(letter(url)).await, Outcome::TargetRefused);
    }
    assert_eq!(made.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_port_that_is_not_allowed_any_more_gets_no_packet() {
    let (target, made) = listener("127.0.0.1:0").await;
    let server = NameServer::start(vec![vec![IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8))]]).await;
    let outcome = post(&server, false, 8_443)
        .deliver(letter(format!("https://hooks.acme.dev:{}/", target.port())))
        .await;
    assert_eq!(
        (outcome, server.asked.load(Ordering::SeqCst), made.load(Ordering::SeqCst)),
        (Outcome::TargetRefused, 0, 0)
    );
}

#[tokio::test]
async fn a_name_without_an_address_is_told_from_a_dead_receiver() {
    let server = NameServer::start(vec![vec![]]).await;
    assert_eq!(
        post(&server, false, 443).deliver(letter("https://hooks.acme.dev/".to_owned())).await,
        Outcome::NotResolved
    );
}
