//! Published vectors (the mnemonic "abandon" x 11 "about"), hostile keys and addresses, and the
//! assignment as scenarios.

use super::*;
use crate::deposit::Currency;
use crate::spec::given;

const BTC: &str = "xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V";
const ETH: &str = "xpub6DCoCpSuQZB2jawqnGMEPS63ePKWkwWPH4TU45Q7LPXWuNd8TMtVxRrgjtEshuqpK3mdhaWHPFsBngh5GFZaM6si3yZdUsT8ddYM3PwnATt";
/// The same account of BTC with the letters of BIP 84, which publishes it.
const BTC_ZPUB: &str = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs";
const NOW: Timestamp = Timestamp::from_millis(5_000);

fn key(currency: Currency, text: &str) -> AccountKey {
    AccountKey::parse(currency, Network::Mainnet, text).unwrap()
}

#[test]
fn published_vectors() {
    let btc = key(Currency::Btc, BTC);
    assert_eq!(btc.address(0).unwrap().text, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu");
    assert_eq!(btc.address(1).unwrap().text, "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g");
    assert_eq!(
        btc.address(0).unwrap().destination.as_str(),
        "0014c0cebcd6c3d3ca8c75dc5ec62ebe55330ef910e2"
    );
    assert_eq!(key(Currency::Btc, BTC_ZPUB), btc);
    assert_eq!(
        key(Currency::UsdtErc20, ETH).address(0).unwrap().text,
        "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
    );
}

#[test]
fn networks_have_prefixes_of_their_own() {
    let of =
        |currency, network| AccountKey::parse(currency, network, BTC).unwrap().address(0).unwrap();
    assert!(of(Currency::Btc, Network::Testnet).text.starts_with("tb1q"));
    assert!(of(Currency::Btc, Network::Regtest).text.starts_with("bcrt1q"));
    assert!(of(Currency::Ltc, Network::Mainnet).text.starts_with("ltc1q"));
    assert!(of(Currency::Ltc, Network::Regtest).text.starts_with("rltc1q"));
    assert_eq!(
        of(Currency::Ltc, Network::Mainnet).destination,
        of(Currency::Btc, Network::Regtest).destination
    );
}

#[test]
fn private_keys_are_called_what_they_are_and_never_repeated() {
    // The published account key of BIP 84's vector, its private twin, and other shapes that secrets
    // come in.
    let xprv = "zprvAdG4iTXWBoARxkkzNpNh8r6Qag3irQB8PzEMkAFeTRXxHpbF9z4QgEvBRmfvqWvGp42t42nvgGpNgYSJA9iefm1yYNZKEm7z6qUWCroSQnE";
    let words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon \
        abandon about";
    for secret in
        [xprv, words, &"ab".repeat(32), &format!("0x{}", "AB".repeat(32)), "xprv9s21ZrQH143K"]
    {
        let error = AccountKey::parse(Currency::Btc, Network::Mainnet, secret).unwrap_err();
        assert_eq!(error, ParseKeyError::Private);
        assert!(!error.to_string().contains(secret));
    }
}

#[test]
fn hostile_keys_are_refused() {
    let cut = &BTC[..BTC.len() - 1];
    let typo = BTC.replacen("6CatW", "6CbtW", 1);
    let long = BTC.repeat(1_000);
    for text in [
        "",
        "xpub",
        "xpub6",
        cut,
        &typo,
        &long,
        "é".repeat(111).as_str(),
        "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu",
    ] {
        assert_eq!(
            AccountKey::parse(Currency::Btc, Network::Mainnet, text),
            Err(ParseKeyError::Malformed),
            "{text:.30}"
        );
    }
    // A wallet's root, published with BIP 32: its addresses would stand where no wallet looks for
    // them.
    let root = "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8";
    assert_eq!(
        AccountKey::parse(Currency::Btc, Network::Mainnet, root),
        Err(ParseKeyError::NotAnAccount(0))
    );
}

#[test]
fn shared_addresses_are_read_and_those_of_other_networks_are_not() {
    let parse = |currency, text: &str| Address::parse(currency, Network::Mainnet, text);
    let segwit = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu";
    assert_eq!(parse(Currency::Btc, segwit).unwrap(), key(Currency::Btc, BTC).address(0).unwrap());
    // BIP 350's vector of a taproot output.
    let taproot =
        parse(Currency::Btc, "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0")
            .unwrap();
    assert_eq!(
        taproot.destination.as_str(),
        "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    );
    let evm = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94";
    assert_eq!(
        parse(Currency::UsdtErc20, evm).unwrap(),
        parse(Currency::UsdtErc20, &evm.to_lowercase()).unwrap()
    );
    for (currency, text, why) in [
        (Currency::Ltc, segwit, ParseAddressError::OtherNetwork),
        (
            Currency::Btc,
            "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
            ParseAddressError::OtherNetwork,
        ),
        (Currency::Btc, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyv", ParseAddressError::Checksum),
        (Currency::Btc, "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", ParseAddressError::Malformed),
        (
            Currency::UsdtErc20,
            "0x9858efFD232B4033E47d90003D41EC34EcaEda94",
            ParseAddressError::Checksum,
        ),
        (
            Currency::UsdtErc20,
            "9858EfFD232B4033E47d90003D41EC34EcaEda94",
            ParseAddressError::Malformed,
        ),
        (Currency::UsdtErc20, segwit, ParseAddressError::Malformed),
        (Currency::Btc, "", ParseAddressError::Malformed),
    ] {
        assert_eq!(parse(currency, text), Err(why), "{text}");
    }
}

#[test]
fn an_account_gets_the_next_index_once_and_keeps_it() {
    let assign = |account, key: &AccountKey| Assign {
        account: AccountId(account),
        key: key.clone(),
        at: NOW,
    };
    let assigned = |account, key: &AccountKey, index| {
        Event::Assigned(Assigned {
            account: AccountId(account),
            key: key.id().clone(),
            index,
            address: key.address(index).unwrap(),
            at: NOW,
        })
    };
    let (old, new) = (key(Currency::Btc, BTC), key(Currency::Btc, ETH));
    let book = given(State::default(), &[]).when(&assign(1, &old)).then(&[assigned(1, &old, 0)]);
    let book = given(book, &[]).when(&assign(2, &old)).then(&[assigned(2, &old, 1)]);
    let book = given(book, &[]).when(&assign(1, &old)).then_nothing();
    // Another key starts anew; what was told before still comes in.
    let book = given(book, &[]).when(&assign(1, &new)).then(&[assigned(1, &new, 0)]);
    assert_eq!(book.owner(&old.address(0).unwrap().destination), Some(AccountId(1)));
    assert_eq!(book.owner(&new.address(0).unwrap().destination), Some(AccountId(1)));
    assert_eq!(
        (book.len(), book.next_index(old.id()), book.address(AccountId(2), new.id())),
        (3, 2, None)
    );
}

#[test]
fn a_key_without_an_index_left_refuses() {
    let key = key(Currency::Btc, BTC);
    let last = Assigned {
        account: AccountId(1),
        key: key.id().clone(),
        index: MAX_INDEX,
        address: key.address(MAX_INDEX).unwrap(),
        at: NOW,
    };
    let assign = Assign { account: AccountId(2), key, at: NOW };
    given(State::default(), &[Event::Assigned(last)])
        .when(&assign)
        .then_refused(&Refusal::Exhausted);
}
