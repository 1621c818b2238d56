//! The console over HTTP: who is let in, what is refused, and what pages show. A browser looks at
//! it in `tests/outside/console.py`.

use reqwest::blocking::{Client, Response};
use reqwest::redirect::Policy;

use crate::inbound;
use crate::server::{ADMIN_TOKEN, QUICK, SILENT, Server, text, tls};

/// What the issue of the console asks for, word for word.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src \
    'self'; img-src 'self' data:";

struct Browser {
    client: Client,
    base: String,
    cookie: String,
}

impl Browser {
    fn at(base: String) -> Self {
        Self {
            client: Client::builder()
                .tls_backend_preconfigured(tls())
                .redirect(Policy::none())
                .build()
                .unwrap(),
            base,
            cookie: String::new(),
        }
    }

    fn operator(server: &Server) -> Self {
        let mut browser = Self::at(format!("http://{}", server.admin()));
        let entered = browser.post("/console/login", &[("token", ADMIN_TOKEN), ("name", "ada")]);
        assert_eq!(
            (entered.status().as_u16(), entered.headers()["location"].to_str().unwrap()),
            (303, "/console")
        );
        browser.keep(&entered);
        browser
    }

    fn keep(&mut self, response: &Response) {
        response.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .clone_into(&mut self.cookie);
    }

    fn get(&self, path: &str) -> Response {
        self.client
            .get(format!("{}{path}", self.base))
            .header("cookie", &self.cookie)
            .header("accept", "text/html")
            .send()
            .unwrap()
    }

    fn text(&self, path: &str) -> String {
        let response = self.get(path);
        assert_eq!(response.status(), 200, "{path}");
        response.text().unwrap()
    }

    fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.sent_from(&self.base, path, form)
    }

    fn sent_from(&self, origin: &str, path: &str, form: &[(&str, &str)]) -> Response {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self
            .client
            .post(format!("{}{path}", self.base))
            .header("cookie", &self.cookie)
            .header("origin", origin);
        request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .unwrap()
    }
}

fn events(server: &Server) -> usize {
    String::from_utf8(server.cli(&["audit", "events"]).stdout).unwrap().lines().count()
}

#[test]
fn every_page_is_sent_under_the_policy_and_only_with_a_session() {
    let server = Server::start(SILENT);
    let caller = server.funded("5");
    let order = caller.google()["order_id"].as_str().unwrap().to_owned();
    let stranger = Browser::at(format!("http://{}", server.admin()));
    for path in ["/console", "/console/orders", "/console/audit"] {
        let away = stranger.get(path);
        assert_eq!(away.status(), 303);
        assert!(away.headers()["location"].to_str().unwrap().starts_with("/console/login?next="));
    }
    assert_eq!(stranger.get("/console/live/orders").status(), 403);
    assert_eq!(stranger.get("/console/data/orders").status(), 403);
    let operator = Browser::operator(&server);
    let account = format!("/console/accounts/{}", caller.account);
    let of_order = format!("/console/orders/{order}?as_of=1");
    for path in [
        "/console",
        "/console/orders",
        "/console/orders?status=active&open=true",
        &of_order,
        "/console/accounts",
        &account,
        "/console/newcomers",
        "/console/numbers",
        "/console/policy",
        "/console/erasures",
        "/console/messages",
        "/console/deposits",
        "/console/webhooks",
        "/console/usage?hours=168",
        "/console/audit?event=OrderPlaced",
    ] {
        let page = operator.get(path);
        assert_eq!(page.status(), 200, "{path}");
        assert!(
            page.headers()["content-security-policy"].to_str().unwrap().starts_with(POLICY),
            "{path}"
        );
        assert_eq!(page.headers()["cache-control"], "no-store");
        let text = page.text().unwrap();
        assert!(
            !text.contains("<style")
                && !text.contains(" style=")
                && !text.contains("onclick")
                && !text.contains("<script>"),
            "{path}"
        );
    }
    assert_eq!(operator.get("/console/nothing").status(), 404);
    assert_eq!(operator.get("/console/orders/ord_1").status(), 404);
    assert_eq!(operator.get("/console/orders?status=lost").status(), 400);
    assert!(operator.get("/console/data/usage.csv").text().unwrap().starts_with("start,orders,"));
    assert_eq!(operator.get("/console/data/histogram").status(), 200);
    for asset in [
        "console.css",
        "console.js",
        "htmx.min.js",
        "uplot.min.js",
        "uplot.min.css",
        "icon.svg",
        "LICENSES.txt",
    ] {
        assert_eq!(stranger.get(&format!("/console/assets/{asset}")).status(), 200, "{asset}");
    }
    assert_eq!(stranger.get("/console/assets/nothing").status(), 404);
}

#[test]
fn forms_without_a_session_or_from_elsewhere_do_nothing() {
    let server = Server::start(SILENT);
    let caller = server.funded("5");
    let operator = Browser::operator(&server);
    let credit = format!("/console/accounts/{}/credit", caller.account);
    let form = [("amount", "1"), ("reason", "goodwill"), ("key", "k1")];
    let before = events(&server);
    let stranger = Browser::at(operator.base.clone());
    assert_eq!(stranger.post(&credit, &form).status(), 403);
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(operator.sent_from(origin, &credit, &form).status(), 403, "{origin}");
    }
    assert_eq!(events(&server), before);
    assert_eq!(operator.post(&credit, &form).status(), 303);
    // Sent twice, it counts once.
    assert_eq!(operator.post(&credit, &form).status(), 303);
    assert_eq!(caller.balance(), (6.0, 0.0));
    let refused = operator.post(&credit, &[("amount", "much"), ("reason", "x")]);
    assert_eq!(refused.status(), 400);
    let left = operator.post("/console/logout", &[]);
    assert_eq!(left.status(), 303);
    assert_eq!(operator.post(&credit, &[("amount", "1"), ("reason", "again")]).status(), 403);
    assert_eq!(caller.balance(), (6.0, 0.0));
}

#[test]
fn five_attempts_a_minute_and_no_more() {
    let server = Server::start(SILENT);
    let browser = Browser::at(format!("http://{}", server.admin()));
    for _ in 0..5 {
        assert_eq!(
            browser.post("/console/login", &[("token", "wrong"), ("name", "ada")]).status(),
            403
        );
    }
    let sixth = browser.post("/console/login", &[("token", ADMIN_TOKEN), ("name", "ada")]);
    assert_eq!(sixth.status(), 429);
    assert!(sixth.headers().contains_key("retry-after"));
}

#[test]
fn a_session_outlives_a_kill_and_its_cookie_is_kept_nowhere() {
    let server = Server::start(SILENT);
    let operator = Browser::operator(&server);
    let file = std::fs::read_to_string(server.data().join("admin.sessions")).unwrap();
    let (_, cookie) = operator.cookie.split_once('=').unwrap();
    assert!(!file.contains(cookie) && !file.contains(ADMIN_TOKEN));
    let server = server.kill_and_restart();
    let again = Browser { base: format!("http://{}", server.admin()), ..operator };
    assert!(again.text("/console").contains("Overview"));
}

#[test]
fn an_owner_registers_in_a_browser_orders_and_sees_the_code() {
    let server = Server::start(QUICK);
    let mut owner = Browser::at(server.url(""));
    assert!(owner.text("/").contains("Create an account"));
    let opened = owner.post("/account/register", &[]);
    assert_eq!(opened.status(), 200);
    let cookie = opened.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly")
            && cookie.contains("SameSite=Strict")
            && cookie.contains("Path=/account")
            && !cookie.contains("Secure")
    );
    owner.keep(&opened);
    let key = opened
        .text()
        .unwrap()
        .split("tn_")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap()
        .trim()
        .to_owned();
    assert_eq!(owner.post("/account/deposits/simulate", &[]).status(), 303);
    let credited = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        owner.text("/account").contains("$10.00")
    });
    assert!(credited);
    let placed =
        owner.post("/account/orders", &[("platform", "google"), ("country", "US"), ("key", "k1")]);
    let place = placed.headers()["location"].to_str().unwrap().to_owned();
    let twice =
        owner.post("/account/orders", &[("platform", "google"), ("country", "US"), ("key", "k1")]);
    assert_eq!(twice.headers()["location"].to_str().unwrap(), place);
    let has_code = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        owner.text(&place).contains("id=\"code\"")
    });
    assert!(has_code);
    for path in [
        "/account/orders",
        "/account/deposits",
        "/account/ledger",
        "/account/usage",
        "/account/keys",
        "/account/webhook",
        "/account/connect",
    ] {
        let page = owner.text(path);
        assert!(!page.contains(&key), "{path} shows the key");
    }
    assert!(owner.get("/account/data/ledger.csv").text().unwrap().contains("capture"));
    assert_eq!(owner.get("/account/data/spent").status(), 200);
    // Another session of the same key; taken away, the key opens nothing and the session is over.
    let mut other = Browser::at(server.url(""));
    let entered = other.post("/account/login", &[("key", &format!("tn_{key}"))]);
    assert_eq!(entered.status(), 303);
    other.keep(&entered);
    assert_eq!(other.get("/account").status(), 200);
    assert_eq!(owner.post("/account/keys", &[("name", "second")]).status(), 200);
    let keys = owner.text("/account/keys");
    let first = keys.split("/account/keys/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    assert_eq!(owner.post(&format!("/account/keys/{first}/remove"), &[]).status(), 303);
    assert_eq!(other.get("/account").status(), 303);
}

#[test]
fn a_message_that_is_held_back_is_told_on_both_pages_of_its_order() {
    let number = "+12025550123";
    let held = "[orders]\nhold = [\"password_reset\"]\n";
    let server = Server::start(&(inbound::config(&[(number, "US")]) + held));
    let caller = server.funded("5");
    let order = text(&caller.google()["order_id"]);
    let reset = inbound::sms("m1", number, "482913 is your Google password reset code");
    assert!(inbound::deliver(&server, &reset).status().is_success());
    let mut owner = Browser::at(server.url(""));
    let entered = owner.post("/account/login", &[("key", &caller.key)]);
    owner.keep(&entered);
    let pages = [
        owner.text(&format!("/account/orders/{order}")),
        Browser::operator(&server).text(&format!("/console/orders/{order}")),
    ];
    for page in pages {
        assert!(page.contains("held back") && page.contains("password reset:"), "{page}");
        assert!(!page.contains("No message has come") && !page.contains("482913"), "{page}");
    }
}

#[test]
fn operators_pages_are_not_on_the_public_listener_and_browsers_get_a_page_where_there_is_nothing() {
    let server = Server::start(SILENT);
    let browser = Browser::at(server.url(""));
    for path in ["/console", "/console/orders", "/console/login", "/nothing", "/docs/nothing"] {
        let missing = browser.get(path);
        assert_eq!(
            (missing.status().as_u16(), missing.headers()["content-type"].to_str().unwrap()),
            (404, "text/html; charset=utf-8"),
            "{path}"
        );
    }
    let api = browser.get("/api/v1/nothing");
    assert_eq!(api.headers()["content-type"], "application/json");
    let program = browser.client.get(server.url("/nothing")).send().unwrap();
    assert_eq!(
        (program.status().as_u16(), program.headers()["content-type"].to_str().unwrap()),
        (404, "application/json")
    );
    assert_eq!(browser.get("/favicon.ico").headers()["content-type"], "image/svg+xml");
    assert_eq!(browser.get("/account").status(), 303);
}

#[test]
fn an_operator_holds_erases_and_reads_what_was_decided_on_a_page() {
    let key = "ab".repeat(32);
    let server = Server::start(&format!("{QUICK}[vault]\nkey = \"{key}\"\n"));
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    caller.ended(&order);
    let operator = Browser::operator(&server);
    let page = operator.text("/console/erasures");
    assert!(page.contains("No account is under a hold.") && page.contains("Nothing was erased."));
    let act = |action: &str, subject: &str| {
        let form = [("subject", subject), ("reason", "request 7")];
        operator.post(&format!("/console/erasures/{action}"), &form).status().as_u16()
    };
    assert_eq!(act("hold", &caller.account), 303);
    let page = operator.text("/console/erasures");
    assert!(page.contains("hold placed") && page.contains("request 7") && page.contains("Lift"));
    assert_eq!((act("erase", &order), act("erase", "acc_/../..")), (409, 400));
    assert_eq!((act("release", &caller.account), act("erase", &order)), (303, 303));
    let page = operator.text("/console/erasures");
    assert!(page.contains("No account is under a hold.") && page.contains("erased: messages"));
    let page = operator.text(&format!("/console/orders/{order}"));
    assert_eq!(page.matches("<span class=\"badge\">erased</span>").count(), 2, "{page}");
    assert!(!page.contains("&lt;erased&gt;"), "{page}");
}

#[test]
fn an_operator_admits_newcomers_and_invites_others_from_a_page() {
    let server = Server::start(&format!("{SILENT}[registration]\nmode = \"approval\"\n"));
    let (waits, other) = (server.register(), server.register());
    let operator = Browser::operator(&server);
    let page = operator.text("/console/newcomers");
    assert!(page.contains(&waits.account) && page.contains(&other.account), "{page}");
    assert!(operator.text("/console/accounts?waiting=true").contains(&waits.account));
    let of = |caller: &crate::server::Caller| format!("/console/accounts/{}", caller.account);
    assert!(operator.text(&of(&waits)).contains("It waits for approval"));
    let yes = operator.post(&format!("{}/approve", of(&waits)), &[("reason", "called back")]);
    assert_eq!(yes.headers()["location"], "/console/newcomers");
    let no = operator.post(&format!("{}/decline", of(&other)), &[("reason", "no answer")]);
    assert_eq!(no.status(), 303);
    let hidden = [("reason", "\u{202e}a")];
    assert_eq!(operator.post(&format!("{}/decline", of(&other)), &hidden).status(), 400);
    assert!(operator.text(&of(&other)).contains("It was declined"));
    assert!(operator.text("/console/newcomers").contains("No account waits."));
    let form = [("note", "<b>ada</b>"), ("uses", "2"), ("days", "3")];
    let made = operator.post("/console/newcomers", &form).text().unwrap();
    let code = made.split("tni_").nth(1).unwrap().split('<').next().unwrap();
    let listed = operator.text("/console/newcomers");
    assert!(listed.contains("&lt;b&gt;ada") && !listed.contains(code), "{listed}");
    let actions = listed.split("action=\"").map(|rest| rest.split('"').next().unwrap());
    let revoke = actions.into_iter().find(|path| path.ends_with("/revoke")).unwrap();
    assert_eq!(operator.post(revoke, &[("reason", "published")]).status(), 303);
    assert!(operator.text("/console/newcomers").contains("revoked"));
    let few = [("note", "x"), ("uses", "many"), ("days", "3")];
    assert_eq!(operator.post("/console/newcomers", &few).status(), 400);
}
