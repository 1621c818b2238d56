//! `GET /order/:id/stream`: ids rise, a resumed stream has no gap and no repeat, a terminal event
//! ends it.

use std::io::{BufRead, BufReader};

use serde_json::{Value, json};

use crate::server::{QUICK, SILENT, Server, text};

/// The `id:` and the `data:` of every message.
fn messages(stream: &str) -> Vec<(u64, Value)> {
    let mut messages = Vec::new();
    let mut id = 0;
    for line in stream.lines() {
        if let Some(number) = line.strip_prefix("id: ") {
            id = number.parse().unwrap();
        }
        if let Some(data) = line.strip_prefix("data: ") {
            messages.push((id, serde_json::from_str(data).unwrap()));
        }
    }
    messages
}

#[test]
fn the_whole_story_comes_in_order_and_ends() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    let response = caller.get(&format!("/api/v1/order/{order}/stream"));
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let stream = response.text().unwrap();
    assert!(stream.contains("retry: 3000") && !stream.contains("event: "), "{stream}");
    let messages = messages(&stream);
    let story: Vec<&str> =
        messages.iter().map(|(_, data)| data["event"].as_str().unwrap()).collect();
    assert_eq!(story, ["status", "number", "code", "completed"]);
    assert_eq!(messages.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(messages[2].1["code"], messages[3].1["code"]);
}

#[test]
fn a_stream_resumed_anywhere_has_no_gap_and_no_repeat() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    caller.ended(&order);
    let whole = messages(&caller.get(&format!("/api/v1/order/{order}/stream")).text().unwrap());
    for (cut, (id, _)) in whole.iter().enumerate().take(whole.len() - 1) {
        let resumed = server
            .get(&format!("/api/v1/order/{order}/stream"))
            .bearer_auth(&caller.key)
            .header("last-event-id", id.to_string())
            .send()
            .unwrap();
        assert_eq!(messages(&resumed.text().unwrap()), whole[cut + 1..]);
    }
    let with = |id: &str| {
        server
            .get(&format!("/api/v1/order/{order}/stream"))
            .bearer_auth(&caller.key)
            .header("last-event-id", id)
            .send()
            .unwrap()
    };
    for over in [whole.len().to_string(), "1000000".to_owned(), u64::MAX.to_string()] {
        assert_eq!(
            with(&over).status(),
            204,
            "EventSource stops at 204, and comes again after anything else"
        );
    }
    assert_eq!(messages(&with("").text().unwrap()), whole, "an empty id is the beginning");
    assert_eq!(with("").headers()["cache-control"], "no-store, no-transform");
    for hostile in ["x", "-1", "1.5"] {
        let refused = server
            .get(&format!("/api/v1/order/{order}/stream"))
            .bearer_auth(&caller.key)
            .header("last-event-id", hostile)
            .send()
            .unwrap();
        assert_eq!(refused.status(), 400, "{hostile}");
    }
}

#[test]
fn cancelling_and_suspending_end_open_streams() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    let stream = BufReader::new(caller.get(&format!("/api/v1/order/{order}/stream")));
    caller.post(&format!("/api/v1/order/{order}/cancel"), &json!({}));
    let lines: Vec<String> = stream.lines().map(Result::unwrap).collect();
    assert_eq!(messages(&lines.join("\n")).last().unwrap().1["event"], "cancelled");

    let order = text(&caller.google()["order_id"]);
    let stream = BufReader::new(caller.get(&format!("/api/v1/order/{order}/stream")));
    server.cli(&["admin", "suspend", &caller.account, "--reason", "abuse"]);
    let lines: Vec<String> = stream.lines().map(Result::unwrap).collect();
    let told = messages(&lines.join("\n"));
    let [.., (number, _), (last, suspended)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(
        (suspended["event"].as_str(), suspended["reason"].as_str(), last),
        (Some("suspended"), Some("account_suspended"), number)
    );
}

#[test]
fn a_service_that_stops_ends_streams_with_a_hint_and_exits_cleanly() {
    let server = Server::start(SILENT);
    let stream = {
        let caller = server.funded("10");
        let order = text(&caller.google()["order_id"]);
        BufReader::new(caller.get(&format!("/api/v1/order/{order}/stream")))
    };
    let reading = std::thread::spawn(move || {
        stream.lines().map(Result::unwrap).collect::<Vec<_>>().join("\n")
    });
    let (status, _) = server.terminate();
    assert!(status.success());
    let seen = reading.join().unwrap();
    assert!(seen.matches("retry: 3000").count() == 2, "{seen}");
}
