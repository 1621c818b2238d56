//! A session at an SMSC that is not ours, the crate `smpp34`'s: bound, served, and left politely. More SMSCs are in `tests/outside/smpp.py`.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[expect(dead_code, reason = "the world has more than this file needs")]
mod world;

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actors::clock::Clock;
use actors::store::memory::{Failure, MemoryStore};
use actors::supplier::Reach;
use actors::supplier::smpp::{Bind, DefaultAlphabet, Mode, Smpp, Way};
use async_trait::async_trait;
use events::platform::Platform;
use smpp34::server::ESME;
use smpp34::{SmppConnectionInformation, SmppServer, SmppServerListener, TlvTag, bind_transceiver, bind_transceiver_resp};
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
    async fn on_bind_transceiver(&self, request: bind_transceiver, _: &SmppConnectionInformation, _: &String) -> bind_transceiver_resp {
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
    let world = World::start(MemoryStore::default(), &Setup { own: vec![PHONE], ..Setup::default() }, 1, START).await;
    let (inbox, parts, entropy) = (world.inbox.clone(), world.parts.clone(), world.entropy.clone());
    let reach = Arc::new(Reach::new(Clock::System, 1, Duration::ZERO));
    let way = Way { supplier: "own".parse().unwrap(), inbox, parts, reach: Arc::clone(&reach), entropy, counted: Arc::new(|_| {}) };
    assert!(!reach.is_open());
    let sessions = Smpp::start(vec![bind(port)], &way).await.unwrap();
    let Some(Seen::Bound(esme)) = facts.recv().await else { panic!("nobody bound") };
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    world.number(account, order).await;
    let deliver = |text: &'static [u8]| esme.deliver_sm().source_addr("Google").destination_addr(&PHONE[1..]).short_message(text);

    // The store fails: the SMSC is asked to send it again, and has to say it again.
    world.store.fail_next([Some(Failure::BeforeWriting), Some(Failure::BeforeWriting)]);
    assert!(!deliver(b"Google code 482913").send().await.unwrap().is_success());
    let segment = |number: u8, text: &'static [u8]| {
        deliver(text).tlv(TlvTag::SarMsgRefNum, [0, 7]).tlv(TlvTag::SarTotalSegments, [2]).tlv(TlvTag::SarSegmentSeqnum, [number])
    };
    assert!(segment(2, b"is 482914").send().await.unwrap().is_success());
    assert!(segment(1, b"Your Google code ").tlv_raw(0x1500, *b"nobody knows").send().await.unwrap().is_success());
    assert_eq!(world.ended(account, order).await.code.as_deref(), Some("482914"));
    assert!(!deliver(b"x").destination_addr("Google").send().await.unwrap().is_success());
    assert!(sessions.statuses()[0].bound && reach.is_open());

    sessions.stop().await;
    assert!(matches!(facts.recv().await, Some(Seen::Left)));
    assert!(!sessions.statuses()[0].bound && !reach.is_open());
    smsc.stop().await;
}
