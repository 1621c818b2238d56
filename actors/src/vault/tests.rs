//! Secrets under keys that can be lost, and a log that stays whole without them.

use std::path::Path;
use std::sync::Arc;

use events::account;
use events::envelope::{Actor, Metadata, Position, Revision, StreamId};
use events::id::{AccountId, CommandId};
use events::time::Timestamp;

use super::*;
use crate::store::sqlite::{Loss, OpenError, SqliteStore, verify_chain, verify_chain_opened};
use crate::store::{EventStore, Expected, ReadError, Records, Snapshot};

const SECRET: &str = "whsec_of_nobody_else";
const AT: Timestamp = Timestamp::from_millis(1_795_512_345_678);

fn master(byte: u8) -> MasterKey {
    MasterKey::parse(&format!("{byte:02x}").repeat(32)).unwrap()
}

fn open(
    directory: &Path,
    loss: Loss,
    master: Option<&MasterKey>,
) -> Result<SqliteStore, OpenError> {
    SqliteStore::open_under(
        directory,
        Arc::new(|reason: &str| panic!("{reason}")),
        loss,
        master,
        None,
    )
}

fn stream(number: u128) -> StreamId {
    StreamId::account(AccountId(number))
}

fn registered(number: u128) -> Append {
    let metadata = Metadata {
        causation: CommandId(number << 16),
        correlation: None,
        actor: Actor::Owner,
        at: AT,
    };
    let event = account::Event::Registered {
        id: AccountId(number),
        key_hash: [1; 32],
        webhook_secret: SECRET.to_owned(),
        at: AT,
    };
    Append {
        stream: stream(number),
        expected: Expected::NoStream,
        events: vec![NewEvent::new(0, event.into(), &metadata)],
    }
}

async fn secret_of(store: &SqliteStore, number: u128) -> Result<String, ReadError> {
    let read = store.read_stream(stream(number), Revision(0), 10).await?;
    let Event::Account(account::Event::Registered { webhook_secret, .. }) = &read[0].event else {
        panic!("it is another event");
    };
    Ok(webhook_secret.clone())
}

/// Whether the bytes stand in any file of the directory.
fn stands_in(directory: &Path, secret: &str) -> bool {
    std::fs::read_dir(directory).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
    })
}

#[test]
fn a_master_key_is_32_bytes_in_hexadecimal_or_base64() {
    let hexadecimal = MasterKey::parse(&format!("{}\n", "ab".repeat(32))).unwrap();
    assert_eq!(
        MasterKey::parse("q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s="),
        Some(hexadecimal.clone())
    );
    assert_eq!(format!("{hexadecimal:?}"), "MasterKey(hidden)");
    for text in ["", "ab", &"ab".repeat(31), &"xy".repeat(32), &"é".repeat(32), &"+f".repeat(32)] {
        assert_eq!(MasterKey::parse(text), None, "{text}");
    }
}

#[test]
fn what_is_encrypted_opens_with_its_key_at_its_place_alone() {
    let (key, other) = (Key::fresh(), Key::fresh());
    let (nonce, ciphertext) = key.encrypt(b"123456", b"here");
    assert_eq!(key.decrypt(&nonce, &ciphertext, b"here").as_deref(), Some(&b"123456"[..]));
    assert_eq!(key.decrypt(&nonce, &ciphertext, b"there"), None);
    assert_eq!(other.decrypt(&nonce, &ciphertext, b"here"), None);
    let mut edited = ciphertext.clone();
    edited[0] ^= 1;
    assert_eq!(key.decrypt(&nonce, &edited, b"here"), None);
    let wrapped = master(1).wrap(b"name", &key);
    assert_eq!(master(1).unwrap(b"name", &wrapped), Some(key));
    assert_eq!(master(1).unwrap(b"other", &wrapped), None);
    assert_eq!(master(2).unwrap(b"name", &wrapped), None);
    assert_eq!(master(1).unwrap(b"name", &wrapped[..20]), None);
}

/// The bytes of XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03, A.3.1): logs are read for ever.
#[test]
fn the_cipher_is_the_one_of_its_specification() {
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    };
    let key: Vec<u8> = (0x80..0xa0).collect();
    let nonce: Vec<u8> = (0x40..0x58).collect();
    let ciphertext = bytes(
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49",
    );
    let opened = Key::of(key.try_into().unwrap()).decrypt(
        &nonce.try_into().unwrap(),
        &ciphertext,
        &bytes("50515253c0c1c2c3c4c5c6c7"),
    );
    let text = String::from_utf8(opened.unwrap()).unwrap();
    assert!(text.starts_with("Ladies and Gentlemen of the class of '99"), "{text}");
}

#[tokio::test]
async fn secrets_are_in_no_file_and_are_read_with_the_key() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), Loss::Refused, Some(&master(1))).unwrap();
    store.append(registered(1)).await.unwrap();
    let snapshot = Snapshot {
        revision: Revision(0),
        last_event: registered(1).events[0].id,
        bytes: SECRET.into(),
    };
    store.save_snapshot(stream(1), snapshot.clone());
    while store.load_snapshot(stream(1)).await.is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.load_snapshot(stream(1)).await, Some(snapshot.clone()));
    assert_eq!(secret_of(&store, 1).await.unwrap(), SECRET);
    store.close().await;
    drop(store);
    assert!(!stands_in(directory.path(), SECRET));

    let store = open(directory.path(), Loss::Refused, Some(&master(1))).unwrap();
    assert_eq!(secret_of(&store, 1).await.unwrap(), SECRET);
    assert_eq!(store.load_snapshot(stream(1)).await, Some(snapshot));
    store.append(registered(2)).await.unwrap();
    assert_eq!(store.read_all(Position(0), 10).await.unwrap().len(), 2);
    store.close().await;
    drop(store);

    let (mut sealed, mut opened) = (Vec::new(), Vec::new());
    let words = |into: &mut Vec<String>, event: &Event| {
        if let Event::Account(account::Event::Registered { webhook_secret, .. }) = event {
            into.push(webhook_secret.clone());
        }
    };
    let found = verify_chain(directory.path(), |record| words(&mut sealed, &record.recorded.event));
    assert_eq!((found.unwrap(), sealed), (vec![], vec!["<sealed>".to_owned(); 2]));
    let vault = Vault::open_to_read(directory.path(), &master(1)).unwrap();
    let found = verify_chain_opened(directory.path(), Some(&vault), |record| {
        words(&mut opened, &record.recorded.event);
    });
    assert_eq!((found.unwrap(), opened), (vec![], vec![SECRET.to_owned(); 2]));
}

#[tokio::test]
async fn a_log_goes_on_as_it_was_written_and_secrets_are_encrypted_from_then_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), Loss::Refused, None).unwrap();
    store.append(registered(1)).await.unwrap();
    store.close().await;
    drop(store);
    let store = open(directory.path(), Loss::Refused, Some(&master(1))).unwrap();
    store.append(registered(2)).await.unwrap();
    assert_eq!(secret_of(&store, 1).await.unwrap(), SECRET);
    assert_eq!(secret_of(&store, 2).await.unwrap(), SECRET);
    store.close().await;
}

#[tokio::test]
async fn a_vault_that_is_locked_lost_or_anothers_stops_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), Loss::Refused, Some(&master(1))).unwrap();
    store.append(registered(1)).await.unwrap();
    store.close().await;
    drop(store);
    let refused = |master: Option<&MasterKey>| match open(directory.path(), Loss::Refused, master) {
        Err(OpenError::Vault(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(refused(None), VaultError::Locked { .. }));
    assert!(matches!(refused(Some(&master(2))), VaultError::WrongKey { .. }));
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(directory.path().join(format!("{FILE}{suffix}")));
    }
    assert!(matches!(refused(Some(&master(1))), VaultError::Missing { .. }));
    assert!(matches!(refused(None), VaultError::Unconfigured { .. }));
    let store = open(directory.path(), Loss::Accepted, None).unwrap();
    let unread = secret_of(&store, 1).await.unwrap_err();
    assert!(
        matches!(unread, ReadError::Undecodable { source: DecodeError::Sealed, .. }),
        "{unread}"
    );
    store.close().await;
    drop(store);
    let store = open(directory.path(), Loss::Accepted, Some(&master(1))).unwrap();
    assert_eq!(secret_of(&store, 1).await.unwrap(), "<erased>");
    store.close().await;
    drop(store);
    std::fs::write(directory.path().join(FILE), b"no vault at all, and longer than a header")
        .unwrap();
    assert!(matches!(refused(Some(&master(1))), VaultError::Sqlite { .. }));
}

#[tokio::test]
async fn a_vault_that_never_had_the_log_s_keys_is_not_taken() {
    let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (directory, number) in [(&directory, 1), (&other, 2)] {
        let store = open(directory.path(), Loss::Refused, Some(&master(1))).unwrap();
        store.append(registered(number)).await.unwrap();
        store.close().await;
    }
    let file = directory.path().join(FILE);
    let own = std::fs::read(&file).unwrap();
    let put = |bytes: &[u8]| {
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(directory.path().join(format!("{FILE}{suffix}")));
        }
        std::fs::write(&file, bytes).unwrap();
    };
    for foreign in [Vec::new(), std::fs::read(other.path().join(FILE)).unwrap()] {
        put(&foreign);
        let refused = open(directory.path(), Loss::Refused, Some(&master(1)));
        assert!(
            matches!(refused, Err(OpenError::Vault(VaultError::AnotherLogs { .. }))),
            "{refused:?}"
        );
    }
    // One whose keys were erased had them.
    put(&own);
    let erased = VaultFile::open(&file, &master(1)).unwrap();
    let store = open(directory.path(), Loss::Refused, Some(&master(1))).unwrap();
    let record = &store.stored_in(stream(1), Revision(0), 1).await.unwrap()[0];
    let names = keys_of(&record.payload, &SecretKind::ALL).unwrap().unwrap();
    store.close().await;
    drop(store);
    assert_eq!(erased.erase(&names).unwrap(), names.len());
    assert_eq!(erased.count(&names).unwrap(), 0);
    drop(erased);
    let store = open(directory.path(), Loss::Refused, Some(&master(1))).unwrap();
    assert_eq!(secret_of(&store, 1).await.unwrap(), "<erased>");
    store.close().await;
}
