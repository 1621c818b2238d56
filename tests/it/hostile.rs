//! Strangers who hold what they get: slow heads, bodies that do not come, connections that idle or
//! do not read.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::server::{ADMIN_TOKEN, QUICK, SILENT, Server, body, said};

/// A service that waits a second where it usually waits longer.
fn impatient(more: &str) -> Server {
    Server::start(&format!(
        "{QUICK}[http]\nheader_timeout_seconds = 1\nbody_timeout_seconds = 1\nwrite_timeout_seconds = 1\n{more}"
    ))
}

/// Sends a byte every now and then, far below the rate that a body has to keep, until the other end
/// has had enough.
fn trickle(mut stream: TcpStream) -> String {
    let mut sender = stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        for _ in 0..600 {
            std::thread::sleep(Duration::from_millis(100));
            if sender.write_all(b" ").is_err() {
                return;
            }
        }
    });
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let _ = stream.shutdown(Shutdown::Both);
    sending.join().unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

struct Target {
    address: SocketAddr,
    method: String,
    path: String,
    authorization: String,
    /// Whether a body is waited for.
    takes_body: bool,
}

/// Every route there is.
fn targets(server: &Server, key: &str) -> Vec<Target> {
    let document = body(server.get("/openapi.json").send().unwrap());
    let target = |address, method: &str, path: &str, token: &str, takes_body| Target {
        address,
        method: method.to_uppercase(),
        path: path
            .replace("{id}", "ord_0352zIeWFq2SQwRZ5D9oYI")
            .replace("{sequence}", "1")
            .replace("{key}", "k"),
        authorization: format!("Bearer {token}"),
        takes_body,
    };
    let mut targets = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            // Calls that take nothing look at the body, too: anything in it is a mistake.
            targets.push(target(
                server.address,
                method,
                path,
                key,
                method != "get" || operation.get("requestBody").is_some(),
            ));
        }
    }
    assert!(targets.len() > 25, "{}: the document is not the API", targets.len());
    for path in ["/inbound/v1/own", "/inbound/v1/twilio", "/inbound/v1/nobody", "/mcp"] {
        targets.push(target(server.address, "post", path, key, true));
    }
    for path in ["/livez", "/docs/", "/openapi.json", "/nothing", "/mcp"] {
        targets.push(target(server.address, "get", path, key, false));
    }
    for path in ["/admin/v1/numbers/import", "/admin/v1/accounts/acc_0352zIeWFq2SQwRZ5D9oYI/credit"]
    {
        targets.push(target(server.admin(), "post", path, ADMIN_TOKEN, true));
    }
    targets.push(target(server.admin(), "get", "/metrics", ADMIN_TOKEN, false));
    targets
}

#[test]
fn no_route_of_any_listener_waits_for_a_request_that_does_not_come() {
    let server = impatient("[suppliers.own]\ninbound_secret = \"whsec_0123456789abcdef\"\n");
    let key = server.funded("1").key;
    let attack = |target: Target| {
        let Target { address, method, path, authorization, takes_body } = target;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: {authorization}\r\naccept: application/json, text/event-stream\r\ncontent-type: application/json\r\n"
        );
        let whole = format!("{head}content-length: 50\r\n\r\n");
        let answers = [
            ("half a head", Server::answered(address, head.as_bytes()), true),
            ("no body", Server::answered(address, whole.as_bytes()), takes_body),
            (
                "a body without a chunk",
                Server::answered(
                    address,
                    format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes(),
                ),
                takes_body,
            ),
            ("a byte now and then", trickle(Server::raw_to(address, whole.as_bytes())), takes_body),
        ];
        for (what, answer, is_late) in answers {
            assert!(answer.starts_with("HTTP/1.1 "), "{method} {path}, {what}: {answer:?}");
            assert_eq!(
                answer.starts_with("HTTP/1.1 408 "),
                is_late,
                "{method} {path}, {what}: {answer}"
            );
            assert!(
                !is_late || answer.contains("did not arrive in time"),
                "{method} {path}, {what}: {answer}"
            );
        }
    };
    std::thread::scope(|scope| {
        for target in targets(&server, &key) {
            scope.spawn(|| attack(target));
        }
    });
    assert_eq!(server.get("/api/v1/health").send().unwrap().status(), 200);
}

#[test]
fn what_is_no_request_is_answered_with_the_error_object() {
    // Only the head that never ends meets a service that waits a second: on a slow machine the
    // long ones take longer than that to arrive.
    let (server, impatient) = (Server::start(QUICK), impatient(""));
    let long = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(70_000));
    let large = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(200_000));
    for (request, status) in [
        (&b"nonsense\r\n\r\n"[..], 400),
        (b"GET /api/v1/health HTTP/1.1\r\n\r\n", 400),
        (b"GET /api/v1/health HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", 400),
        (b"GET /api/v1/health HTTP/1.1\r\nhost: a b\r\n\r\n", 400),
        (b"GET /api/v1/health HTTP/1.1\r\nhost:\r\n\r\n", 400),
        (b"GET http://b/api/v1/health HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        (b"GET http://a:81/api/v1/health HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        (b"GET /api/v1/health HTTP/1.1\r\nhost: a\r\nbroken\r\n\r\n", 400),
        (b"GET /api/v1/hea", 408),
        (long.as_bytes(), 414),
        (large.as_bytes(), 431),
        (b"GET /mcp HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", 405),
    ] {
        let asked = if status == 408 { &impatient } else { &server };
        let answer = Server::answered(asked.address, request);
        let shown = String::from_utf8_lossy(&request[..request.len().min(60)]);
        let (head, object) =
            answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{shown}: {answer:?}"));
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{shown}: {head}");
        let object: Value = serde_json::from_str(object)
            .unwrap_or_else(|error| panic!("{shown}: {error}: {object}"));
        assert_eq!(
            (object["error_code"].as_str(), object["retryable"].as_bool()),
            (Some("INVALID_REQUEST"), Some(false)),
            "{shown}"
        );
        let id = object["request_id"].as_str().unwrap();
        assert!(head.contains(&format!("x-request-id: {id}")), "{shown}: {head}");
    }
}

#[test]
fn a_client_that_has_closed_its_half_gets_its_reply() {
    let server = Server::start(QUICK);
    let stream =
        server.raw(b"POST /api/v1/register HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
    stream.shutdown(Shutdown::Write).unwrap();
    let answer = said(stream);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"api_key\""), "{answer}");
}

#[test]
fn idle_connections_and_those_that_do_not_read_leave_room_for_others() {
    let server = Server::start(&format!(
        "{QUICK}[http]\nmax_connections = 100\nheader_timeout_seconds = 600\nwrite_timeout_seconds = 600\n"
    ));
    let caller = server.funded("1");
    assert_eq!(caller.get("/api/v1/account").status(), 200);
    let held: Vec<TcpStream> = (0..150)
        .map(|number| match number % 3 {
            0 => server.raw(b""),
            1 => {
                server.raw(b"POST /api/v1/order HTTP/1.1\r\nhost: a\r\ncontent-length: 50\r\n\r\n")
            }
            _ => server.raw(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: a\r\n\r\n"),
        })
        .collect();
    let fresh = crate::server::client();
    for _ in 0..20 {
        assert_eq!(caller.get("/api/v1/account").status(), 200, "the connection that was there");
        assert_eq!(
            fresh.get(server.url("/api/v1/services")).send().unwrap().status(),
            200,
            "a new one"
        );
    }
    drop(held);
}

#[test]
fn methods_that_ask_about_a_path_are_answered() {
    let server = Server::start(QUICK);
    let mut whole = TcpStream::connect(server.address).unwrap();
    whole.write_all(b"OPTIONS * HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n").unwrap();
    assert!(said(whole).starts_with("HTTP/1.1 204"));
    let options = server
        .request("OPTIONS", "/api/v1/order")
        .header("origin", "https://a.example")
        .send()
        .unwrap();
    assert_eq!(
        (options.status().as_u16(), options.headers()["allow"].to_str().unwrap()),
        (204, "POST")
    );
    assert!(options.headers().keys().all(|name| !name.as_str().starts_with("access-control-")));
    let head = server.request("HEAD", "/api/v1/services").send().unwrap();
    assert_eq!(head.status(), 200);
    assert!(
        head.headers()["content-length"].to_str().unwrap().parse::<u64>().unwrap() > 100
            && head.text().unwrap().is_empty()
    );
}

#[test]
fn streams_that_are_hung_up_hold_no_place() {
    let server = Server::start(SILENT);
    let caller = server.funded("5");
    let order = crate::server::text(&caller.google()["order_id"]);
    let request = format!(
        "GET /api/v1/order/{order}/stream HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
        caller.key
    );
    // An account has 64 at a time; nothing is written to these that would tell the service that
    // nobody is there.
    for number in 0..300 {
        let mut stream = Server::raw_to(server.address, request.as_bytes());
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 200", "stream {number}");
    }
}
