//! The real binary on a data directory of its own, and a caller with a key.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

pub const ADMIN_TOKEN: &str = "token-of-a-test-long-enough";

/// Limits off, quick messages: what most tests want.
pub const QUICK: &str = "[limits]\nper_ip_per_minute = 0\nper_key_per_minute = 0\n[suppliers.simulator]\nenabled = true\ndelivery_seconds = [0.05, 0.1]\n";

/// Orders whose messages never come.
pub const SILENT: &str = "[limits]\nper_ip_per_minute = 0\nper_key_per_minute = 0\n[suppliers.simulator]\nenabled = true\nfailure_rate = 1.0\n";

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    data: Arc<TempDir>,
    client: Client,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// Starts a service with this configuration on a fresh directory.
    pub fn start(config: &str) -> Self {
        Self::on(Self::prepare(config))
    }

    /// Starts a service on a directory with every sync of this `injection` tampered with, as
    /// strace's `-e inject` takes it. `None` if it did not live to say where it listens.
    pub fn tampered(data: Arc<TempDir>, injection: &str) -> Option<Self> {
        Self::tampered_calls(data, "fdatasync", injection)
    }

    /// The same with other system calls.
    pub fn tampered_calls(data: Arc<TempDir>, calls: &str, injection: &str) -> Option<Self> {
        let mut traced = Command::new("strace");
        traced.args([
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            &format!("trace={calls}"),
            "-e",
            &format!("inject={calls}:{injection}"),
        ]);
        traced
            .arg(env!("CARGO_BIN_EXE_telenumerus"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data.path());
        traced.arg("--config").arg(data.path().join("config.toml"));
        Self::spawn(data, traced).ok()
    }

    fn on(data: Arc<TempDir>) -> Self {
        Self::start_with(data, &[])
    }

    /// Runs the binary on a directory.
    pub fn cli_on(data: &Arc<TempDir>, arguments: &[&str]) -> Output {
        command(data.path(), arguments).output().unwrap()
    }

    /// The same, to be run.
    pub fn command_on(data: &Arc<TempDir>, arguments: &[&str]) -> Command {
        command(data.path(), arguments)
    }

    /// Starts a service on the directory with these flags.
    pub fn start_with(data: Arc<TempDir>, flags: &[&str]) -> Self {
        let service =
            command(data.path(), &[&["serve", "--listen", "127.0.0.1:0"], flags].concat());
        Self::spawn(data, service).unwrap_or_else(|log| panic!("it did not start: {log}"))
    }

    /// Starts a service on a fresh directory, with these variables in its environment.
    pub fn start_in(config: &str, environment: &[(&str, &str)]) -> Self {
        let data = Self::prepare(config);
        let mut service = command(data.path(), &["serve", "--listen", "127.0.0.1:0"]);
        service.envs(environment.iter().copied());
        Self::spawn(data, service).unwrap_or_else(|log| panic!("it did not start: {log}"))
    }

    fn spawn(data: Arc<TempDir>, mut service: Command) -> Result<Self, String> {
        let spawned = service.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| {
            panic!("{service:?}: {error}; `cargo xtask test` installs what tests need")
        });
        let log: Arc<Mutex<String>> = Arc::default();
        let (mut errors, kept) = (child.stderr.take().unwrap(), Arc::clone(&log));
        let reading = std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok(read @ 1..) = errors.read(&mut buffer) {
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address =
            lines.find_map(|line| line.ok()?.strip_prefix("listening on http://")?.parse().ok());
        std::thread::spawn(move || lines.for_each(drop));
        let Some(address) = address else {
            let _ = child.wait();
            // It has ended: what it said last comes to an end, too.
            let _ = reading.join();
            return Err(log.lock().unwrap().clone());
        };
        let client = client();
        Ok(Self { child, address, data, client, log })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(self.url(path))
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(method.parse().unwrap(), self.url(path))
    }

    /// A fresh account.
    pub fn register(&self) -> Caller<'_> {
        let reply = body(self.post("/api/v1/register").json(&json!({})).send().unwrap());
        Caller { server: self, key: text(&reply["api_key"]), account: text(&reply["account_id"]) }
    }

    /// A fresh account with money.
    pub fn funded(&self, dollars: &str) -> Caller<'_> {
        let caller = self.register();
        let done = self.cli(&[
            "admin",
            "credit",
            &caller.account,
            dollars,
            "--reason",
            "test",
            "--operator",
            "tester",
        ]);
        assert!(done.status.success(), "{done:?}");
        caller
    }

    /// Runs the binary on this service's directory.
    pub fn cli(&self, arguments: &[&str]) -> Output {
        command(self.data.path(), arguments).output().unwrap()
    }

    pub fn data(&self) -> PathBuf {
        self.data.path().to_owned()
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The log once it says this; it is written beside the replies, not before them.
    pub fn log_when(&self, is_said: impl Fn(&str) -> bool) -> String {
        for _ in 0..1_500 {
            let said = self.log();
            if is_said(&said) {
                return said;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it is never said: {}", self.log())
    }

    /// What a service that does not start says.
    pub fn refused(data: &Arc<TempDir>) -> String {
        let service = command(data.path(), &["serve", "--listen", "127.0.0.1:0"]);
        match Self::spawn(Arc::clone(data), service) {
            Ok(server) => panic!("it started: {}", server.log()),
            Err(log) => log,
        }
    }

    /// kill -9 of a service that is being traced: without its tracer it would live on.
    pub fn kill_traced_and_restart(mut self) -> Self {
        let shown = Command::new("ps")
            .args(["-o", "pid=", "--ppid", &self.child.id().to_string()])
            .output()
            .unwrap();
        let service = String::from_utf8(shown.stdout).unwrap();
        assert!(Command::new("kill").args(["-KILL", service.trim()]).status().unwrap().success());
        let _ = self.child.wait();
        self.kill_and_restart()
    }

    /// kill -9, then a start on the same directory.
    pub fn kill_and_restart(self) -> Self {
        let data = Arc::clone(&self.data);
        drop(self);
        Self::on(data)
    }

    /// SIGTERM; waits for the end.
    pub fn terminate(mut self) -> (ExitStatus, Arc<TempDir>) {
        self.signal("-TERM");
        (self.child.wait().unwrap(), Arc::clone(&self.data))
    }

    pub fn signal(&self, signal: &str) {
        assert!(
            Command::new("kill")
                .args([signal, &self.child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
    }

    /// How the process ended, waiting for it.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// A directory with this configuration, and no service on it yet.
    pub fn prepare(config: &str) -> Arc<TempDir> {
        let data = Arc::new(tempfile::tempdir().unwrap());
        let text =
            format!("{config}\n[admin]\nlisten = \"127.0.0.1:0\"\ntoken = \"{ADMIN_TOKEN}\"\n");
        std::fs::write(data.path().join("config.toml"), text).unwrap();
        data
    }

    pub fn restart(data: Arc<TempDir>) -> Self {
        Self::on(data)
    }

    /// Where operators ask.
    pub fn admin(&self) -> SocketAddr {
        std::fs::read_to_string(self.data().join("admin.addr")).unwrap().parse().unwrap()
    }

    /// A connection below HTTP clients.
    pub fn raw(&self, request: &[u8]) -> TcpStream {
        Self::raw_to(self.address, request)
    }

    /// The same, to another listener of the service.
    pub fn raw_to(address: SocketAddr, request: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(70))).unwrap();
        stream.write_all(request).unwrap();
        stream
    }

    /// What is answered to these bytes. A service that waits a second takes a connection for an
    /// idle one where a slow machine sends nothing for so long, and closes it without a word: it
    /// is asked again.
    pub fn answered(address: SocketAddr, request: &[u8]) -> String {
        (0..5)
            .map(|_| said(Self::raw_to(address, request)))
            .find(|answer| !answer.is_empty())
            .unwrap_or_default()
    }
}

/// What was answered, once the other end has closed; an answer that does not end fails the test.
pub fn said(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(
            error.kind(),
            std::io::ErrorKind::ConnectionReset,
            "it holds the connection: {error}"
        ),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// A client for plain HTTP: it trusts nobody.
pub fn client() -> Client {
    Client::builder()
        .tls_backend_preconfigured(tls())
        .timeout(Duration::from_secs(320))
        .build()
        .unwrap()
}

/// TLS that trusts nobody.
pub fn tls() -> rustls::ClientConfig {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap();
    tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_telenumerus"));
    command.args(arguments).arg("--data-dir").arg(data);
    let config = data.join("config.toml");
    if config.exists() {
        command.arg("--config").arg(config);
    }
    command
}

/// An account and its key.
pub struct Caller<'a> {
    pub server: &'a Server,
    pub key: String,
    pub account: String,
}

impl Caller<'_> {
    pub fn get(&self, path: &str) -> Response {
        self.server.get(path).bearer_auth(&self.key).send().unwrap()
    }

    pub fn post(&self, path: &str, body: &Value) -> Response {
        self.server.post(path).bearer_auth(&self.key).json(body).send().unwrap()
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.server.request(method, path).bearer_auth(&self.key)
    }

    pub fn order(&self, body: &Value) -> Value {
        let response = self.post("/api/v1/order", body);
        assert_eq!(response.status(), 200);
        self::body(response)
    }

    pub fn google(&self) -> Value {
        self.order(&json!({ "platform": "google" }))
    }

    /// Waits for the order's end and returns it.
    pub fn ended(&self, order: &str) -> Value {
        loop {
            let reply = body(self.get(&format!("/api/v1/order/{order}?wait=30")));
            if !["queued", "pending", "active"].contains(&reply["status"].as_str().unwrap()) {
                return reply;
            }
        }
    }

    /// Gives a completed order's number back.
    pub fn finish(&self, order: &str) -> Value {
        let response = self.post(&format!("/api/v1/order/{order}/finish"), &json!({}));
        assert_eq!(response.status(), 200);
        self::body(response)
    }

    pub fn balance(&self) -> (f64, f64) {
        let account = body(self.get("/api/v1/account"));
        (account["balance"].as_f64().unwrap(), account["held"].as_f64().unwrap())
    }
}

pub fn body(response: Response) -> Value {
    let text = response.text().unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
