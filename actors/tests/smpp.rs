//! A session at an SMSC that is not ours, the crate `smpp34`'s: bound, served, and left politely.
//! More SMSCs are in `tests/outside/smpp.py`.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[expect(dead_code, reason = "the world has more than this file needs")]
mod world;

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use events::platform::Platform;
use smpp34::server::ESME;
use smpp34::{
    SmppConnectionInformation, SmppServer, SmppServerListener, TlvTag, bind_transceiver,
    bind_transceiver_resp,
};
use suppliers::smpp::{Bind, DefaultAlphabet, Mode, SessionContext, Smpp};
use telenumerus_actors::kernel::clock::Clock;
use telenumerus_actors::numbers::SessionAvailability;
use telenumerus_actors::store::memory::{Failure, MemoryStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use world::{START, Setup, World};

const PHONE: &str = "+12025550123";

/// Who has bound, and who has left.
enum Seen {
    Bound(Box<ESME>),
    Left,
}

struct Handler(mpsc::UnboundedSender<Seen>);

#[async_trait]
impl SmppServerListener for Handler {
    async fn on_bind_transceiver(
        &self,
        request: bind_transceiver,
        _: &SmppConnectionInformation,
        _: &String,
    ) -> bind_transceiver_resp {
        assert_eq!((request.system_id.as_str(), request.password.as_str()), ("telenum", "secret"));
        request.accept("smpp34".to_owned(), Some(0x34))
    }

    async fn on_esme_bound(&self, esme: ESME, _: &String) {
        self.0.send(Seen::Bound(Box::new(esme))).unwrap();
    }

    async fn on_esme_unbound(&self, _: &String) {
        let _ = self.0.send(Seen::Left);
    }
}

fn bind(port: u16) -> Bind {
    Bind {
        address: format!("127.0.0.1:{port}"),
        tls: false,
        ca_file: None,
        system_id: "telenum".to_owned(),
        password: "secret".to_owned(),
        system_type: String::new(),
        mode: Mode::Transceiver,
        default_alphabet: DefaultAlphabet::Gsm,
        enquire_link: Duration::from_millis(200),
    }
}

#[tokio::test]
async fn an_smsc_that_is_not_ours_is_served_and_left() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (seen, mut facts) = mpsc::unbounded_channel();
    let mut smsc = SmppServer::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port, Arc::new(Handler(seen)));
    smsc.start().await;
    let world = World::start(
        MemoryStore::default(),
        &Setup { own: vec![PHONE], ..Setup::default() },
        1,
        START,
    )
    .await;
    let (inbox, parts, entropy) = (world.inbox.clone(), world.parts.clone(), world.entropy.clone());
    let reach = Arc::new(SessionAvailability::new(Clock::System, 1, Duration::ZERO));
    let context = SessionContext {
        supplier: "own".parse().unwrap(),
        inbox,
        parts,
        reach: Arc::clone(&reach),
        entropy,
        counted: Arc::new(|_| {}),
        noticed: Arc::new(|_| {}),
    };
    assert!(!reach.is_open());
    let sessions = Smpp::start(vec![bind(port)], &context).await.unwrap();
    let Some(Seen::Bound(esme)) = facts.recv().await else { panic!("nobody bound") };
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    world.number(account, order).await;
    let deliver = |text: &'static [u8]| {
        esme.deliver_sm().source_addr("Google").destination_addr(&PHONE[1..]).short_message(text)
    };

    // The store fails: the SMSC is asked to send it again, and has to say it again.
    world.store.fail_next([Some(Failure::BeforeWriting), Some(Failure::BeforeWriting)]);
    assert!(!deliver(b"Google code 482913").send().await.unwrap().is_success());
    let segment = |number: u8, text: &'static [u8]| {
        deliver(text)
            .tlv(TlvTag::SarMsgRefNum, [0, 7])
            .tlv(TlvTag::SarTotalSegments, [2])
            .tlv(TlvTag::SarSegmentSeqnum, [number])
    };
    assert!(segment(2, b"is 482914").send().await.unwrap().is_success());
    assert!(
        segment(1, b"Your Google code ")
            .tlv_raw(0x1500, *b"nobody knows")
            .send()
            .await
            .unwrap()
            .is_success()
    );
    assert_eq!(world.ended(account, order).await.code.as_deref(), Some("482914"));
    assert!(!deliver(b"x").destination_addr("Google").send().await.unwrap().is_success());
    assert!(sessions.statuses()[0].bound && reach.is_open());

    sessions.stop().await;
    assert!(matches!(facts.recv().await, Some(Seen::Left)));
    assert!(!sessions.statuses()[0].bound && !reach.is_open());
    smsc.stop().await;
}

/// An SMSC that says whatever a test wants, byte by byte.
struct Raw {
    stream: tokio::net::TcpStream,
}

impl Raw {
    /// The session's bind, answered with these bytes behind the header.
    async fn bound(listener: &tokio::net::TcpListener, answer: &[u8]) -> Self {
        let (stream, _) = listener.accept().await.unwrap();
        let mut smsc = Self { stream };
        let (command, sequence) = smsc.hear().await;
        assert_eq!(command, 0x09);
        smsc.say(0x8000_0009, sequence, answer).await;
        smsc
    }

    async fn say(&mut self, command: u32, sequence: u32, body: &[u8]) {
        let length = u32::try_from(16 + body.len()).unwrap();
        let pdu = [
            &length.to_be_bytes()[..],
            &command.to_be_bytes(),
            &[0; 4],
            &sequence.to_be_bytes(),
            body,
        ]
        .concat();
        self.stream.write_all(&pdu).await.unwrap();
    }

    /// Command and sequence of what comes next; the link is kept alive on the way.
    async fn hear(&mut self) -> (u32, u32) {
        let (command, _, sequence) = self.hear_status().await;
        (command, sequence)
    }

    async fn hear_status(&mut self) -> (u32, u32, u32) {
        loop {
            let mut header = [0; 16];
            self.stream.read_exact(&mut header).await.unwrap();
            let word = |at: usize| u32::from_be_bytes(header[at..at + 4].try_into().unwrap());
            let mut body = vec![0; usize::try_from(word(0)).unwrap() - 16];
            self.stream.read_exact(&mut body).await.unwrap();
            if word(4) != 0x15 {
                return (word(4), word(8), word(12));
            }
            self.say(0x8000_0015, word(12), &[]).await;
        }
    }
}

/// A service with a number and a session at a raw SMSC.
async fn raw(answer: &[u8]) -> (World, Smpp, Raw, Arc<parking_lot::Mutex<Vec<&'static str>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let world = World::start(
        MemoryStore::default(),
        &Setup { own: vec![PHONE], ..Setup::default() },
        1,
        START,
    )
    .await;
    let (inbox, parts, entropy) = (world.inbox.clone(), world.parts.clone(), world.entropy.clone());
    let reach = Arc::new(SessionAvailability::new(Clock::System, 1, Duration::ZERO));
    let noticed: Arc<parking_lot::Mutex<Vec<&'static str>>> = Arc::default();
    let notes = Arc::clone(&noticed);
    let note = Arc::new(move |oddity| notes.lock().push(oddity));
    let context = SessionContext {
        supplier: "own".parse().unwrap(),
        inbox,
        parts,
        reach,
        entropy,
        counted: Arc::new(|_| {}),
        noticed: note,
    };
    let sessions =
        Smpp::start(vec![bind(listener.local_addr().unwrap().port())], &context).await.unwrap();
    let smsc = Raw::bound(&listener, answer).await;
    (world, sessions, smsc, noticed)
}

/// A `deliver_sm` with a text, and whatever stands behind it.
fn deliver(text: &[u8], behind: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    [
        b"\0\x05\0Google\0\x01\x0112025550123\0".as_slice(),
        &[0; 3],
        b"\0\0",
        &[0; 4],
        &[length],
        text,
        behind,
    ]
    .concat()
}

#[tokio::test]
async fn a_bind_is_a_bind_whatever_its_answer_has() {
    for answer in [
        &b""[..],
        b"smsc\0",
        b"a name of more than sixteen letters\0",
        b"caf\xe9\0",
        b"no end",
        b"smsc\0\x02\x10\x00\x09\x34",
        &[0xff; 300],
    ] {
        let (_world, sessions, mut smsc, _) = raw(answer).await;
        smsc.say(0x15, 7, &[]).await;
        assert_eq!(smsc.hear().await, (0x8000_0015, 7), "{answer:?}");
        assert!(sessions.statuses()[0].bound, "{answer:?}");
    }
}

#[tokio::test]
async fn a_message_with_malformed_parameters_gives_its_order_the_code() {
    let (world, _sessions, mut smsc, noticed) = raw(b"").await;
    let account = world.account(100).await;
    let order = world.place(account, Platform::Google).await;
    world.number(account, order).await;
    smsc.say(0x05, 3, &deliver(b"Google code 482913", &[0x14, 0x03, 0xff, 0xff, 0])).await;
    assert_eq!(smsc.hear_status().await, (0x8000_0005, 0, 3));
    assert_eq!(world.ended(account, order).await.code.as_deref(), Some("482913"));
    assert_eq!(*noticed.lock(), ["parameter"]);
}

#[tokio::test]
async fn a_text_that_is_a_parameter_gives_its_order_the_code() {
    let (world, _sessions, mut smsc, _) = raw(b"").await;
    let account = world.account(100).await;
    let order = world.place(account, Platform::Discord).await;
    world.number(account, order).await;
    let text = b"Your Discord code is 777111";
    let head = b"\0\x05\0Discord\0\x01\x0112025550123\0\0\0\0\x04\x24\0".as_slice();
    smsc.say(0x103, 4, &[head, &[u8::try_from(text.len()).unwrap()], text].concat()).await;
    assert_eq!(smsc.hear_status().await, (0x8000_0103, 0, 4));
    assert_eq!(world.ended(account, order).await.code.as_deref(), Some("777111"));
}

#[tokio::test]
async fn whatever_an_smsc_says_is_answered_and_ends_nothing() {
    let (world, sessions, mut smsc, _) = raw(b"").await;
    let whole = deliver(b"Google code 111111", &[0x02, 0x04, 0, 2, 0, 9]);
    let mut sequence = 10;
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0xff;
        for body in [&whole[..at], &changed] {
            for command in [0x05, 0x103] {
                sequence += 1;
                smsc.say(command, sequence, body).await;
                let (answered, _, to) = smsc.hear_status().await;
                assert_eq!(
                    (answered, to),
                    (0x8000_0000 | command, sequence),
                    "{command:#x} {body:?}"
                );
            }
        }
    }
    // Refused, with the reason: no number, no text, a length beyond all measure, an unknown
    // command.
    let no_number = b"\0\x05\0Google\0\x01\x01Google\0\0\0\0\0\0\0\0\0\0\x01x".as_slice();
    for (command, body, status) in
        [(0x05, no_number, 0x0b), (0x05, &whole[..30], 0x01), (0x05, &vec![0; 100_000], 0x02)]
    {
        sequence += 1;
        smsc.say(command, sequence, body).await;
        assert_eq!(smsc.hear_status().await, (0x8000_0000 | command, status, sequence));
    }
    smsc.say(0x0bad, 5, &[]).await;
    assert_eq!(smsc.hear_status().await, (0x8000_0000, 0x03, 5));
    // Answers and notices want none.
    smsc.say(0x8000_0bad, 6, &[1]).await;
    smsc.say(0x102, 7, &[]).await;
    let account = world.account(100).await;
    let order = world.place(account, Platform::Google).await;
    world.number(account, order).await;
    smsc.say(0x05, 8, &deliver(b"Google code 482913", &[])).await;
    assert_eq!(smsc.hear_status().await, (0x8000_0005, 0, 8));
    assert_eq!(world.ended(account, order).await.code.as_deref(), Some("482913"));
    assert!(sessions.statuses()[0].bound);
}
