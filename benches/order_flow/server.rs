//! What is measured: the real binary in a process of its own, and a bare axum handler in another.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::routing::post;

use super::client::{Connection, member};

pub const ADMIN_TOKEN: &str = "token-of-a-benchmark-long-enough";

/// A process that says where it listens, ended when dropped.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program is built");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let address = lines
            .find_map(|line| line.ok()?.strip_prefix("listening on http://")?.parse().ok())
            .expect("it says where it listens");
        // Keep reading, or the pipe fills up.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The bare handler's process.
pub struct Bare {
    pub address: SocketAddr,
    _process: Process,
}

impl Bare {
    pub fn start() -> Self {
        let process = Process::start(
            Command::new(std::env::current_exe().expect("this program")).arg("--bare-server"),
        );
        Self { address: process.address, _process: process }
    }
}

/// The bare handler itself: reads the body, answers a fixed text of about the real answer's length.
pub fn run_bare() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let answer = "x".repeat(480);
        let handler = move |_body: axum::body::Bytes| {
            let answer = answer.clone();
            async move { answer }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        println!("listening on http://{}", listener.local_addr().expect("an address"));
        axum::serve(listener, Router::new().route("/order", post(handler))).await.expect("serving");
    });
}

/// The real server on a data directory of its own.
pub struct Server {
    pub address: SocketAddr,
    pub admin: SocketAddr,
    process: Process,
    _data: tempfile::TempDir,
}

impl Server {
    pub fn start(simulator: &str, max_concurrent: u32) -> Self {
        // On the disk of the build, not in a memory file system: syncs are what is measured.
        let data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let config = data.path().join("config.toml");
        let text = format!(
            "[limits]\nper_ip_per_minute = 0\nper_key_per_minute = 0\n[orders]\nmax_concurrent_per_account = {max_concurrent}\n[suppliers.simulator]\n{simulator}\n[admin]\nlisten = \"127.0.0.1:0\"\ntoken = \"{ADMIN_TOKEN}\"\n"
        );
        std::fs::write(&config, text).expect("a config");
        let mut command = Command::new(env!("CARGO_BIN_EXE_telenumerus"));
        command
            .arg("serve")
            .arg("--config")
            .arg(&config)
            .arg("--data-dir")
            .arg(data.path())
            .args(["--listen", "127.0.0.1:0"]);
        let process = Process::start(&mut command);
        let admin = std::fs::read_to_string(data.path().join("admin.addr"))
            .expect("the admin address")
            .parse()
            .expect("an address");
        Self { address: process.address, admin, process, _data: data }
    }

    /// Keys of fresh accounts with money.
    pub async fn accounts(&self, count: usize) -> Arc<Vec<String>> {
        let mut keys = Vec::with_capacity(count);
        let workers = 32;
        let tasks: Vec<_> = (0..workers)
            .map(|worker| {
                let (address, admin) = (self.address, self.admin);
                let share = count / workers + usize::from(worker < count % workers);
                tokio::spawn(async move {
                    let (mut public, mut operators) =
                        (Connection::open(address).await, Connection::open(admin).await);
                    let mut keys = Vec::with_capacity(share);
                    for _ in 0..share {
                        let (_, body) = public.call("POST", "/api/v1/register", "", "{}").await;
                        keys.push(member(&body, "api_key").expect("a key"));
                        let path = format!(
                            "/admin/v1/accounts/{}/credit",
                            member(&body, "account_id").expect("an id")
                        );
                        let credit =
                            r#"{"amount":"1000000","reason":"benchmark","operator":"benchmark"}"#;
                        let (status, body) =
                            operators.call("POST", &path, ADMIN_TOKEN, credit).await;
                        assert_eq!(status, 200, "{body}");
                    }
                    keys
                })
            })
            .collect();
        for task in tasks {
            keys.extend(task.await.expect("a worker"));
        }
        Arc::new(keys)
    }

    /// CPU the process has used so far, in seconds.
    pub fn cpu_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.child.id()))
            .expect("the process runs");
        let fields: Vec<&str> =
            stat.rsplit(')').next().expect("a command name").split_whitespace().collect();
        // utime and stime, in ticks of 1/100 s.
        (fields[11].parse::<f64>().expect("ticks") + fields[12].parse::<f64>().expect("ticks"))
            / 100.0
    }

    /// Memory the process has in RAM.
    pub fn resident_bytes(&self) -> f64 {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.process.child.id()))
            .expect("the process runs");
        statm.split_whitespace().nth(1).expect("resident pages").parse::<f64>().expect("a number")
            * 4_096.0
    }

    /// Events and syncs so far, as the metrics say.
    pub async fn events_and_syncs(&self) -> (f64, f64) {
        let (_, text) =
            Connection::open(self.admin).await.call("GET", "/metrics", ADMIN_TOKEN, "").await;
        let value = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
                .unwrap_or(0.0)
        };
        (value("store_events_total "), value("store_syncs_total "))
    }
}
