//! Judges that are not ours: installed into `target/outside`, run against the real binary.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{self, debian, say, succeeds};

/// A judge: its name, and its script in `tests/outside`.
const JUDGES: &[(&str, &str)] = &[
    ("openapi-spec-validator and redocly on the document", "openapi.py"),
    ("four generators of clients, and their compilers", "clients.py"),
    ("schemathesis with all checks", "fuzz.py"),
    ("the Standard Webhooks libraries on every delivery", "webhooks.py"),
    ("the SDKs of Twilio, Telnyx and Vonage on our inbound webhooks", "formats.py"),
    ("gammu-smsd on its dummy modem", "gammu.py"),
    ("a source in Python under the checker and the service", "pull.py"),
    (
        "the SDKs of Twilio, Telnyx and Vonage on the stand-ins that our API clients are tested \
         against",
        "telecoms.py",
    ),
    ("node-smpp and drive_smpp as SMSCs", "smpp.py"),
    ("litecoind, anvil and bip-utils on deposits", "deposits.py"),
    ("the official KurrentDB and EventStoreDB clients on the log", "log_clients.py"),
    ("nodes over one log on PostgreSQL, killed, stopped, cut off", "shared_log.py"),
    ("callers across twenty failovers, a rolling restart and wrong clocks", "failovers.py"),
    ("eventsource and httpx-sse on cut streams", "streams.py"),
    ("the official Python MCP client", "mcp_python.py"),
    ("the official TypeScript MCP client, and the conformance suite", "mcp_typescript.py"),
    ("chromium on /docs", "docs.py"),
    ("chromium and axe-core on the console", "console.py"),
    ("what is written from the document, and Bruno", "generated.py"),
    ("clients/python: hatchling, mypy, vermin, several Pythons", "our_python.py"),
    ("clients/typescript: npm pack, tsc, several Nodes", "our_typescript.py"),
    ("promtool and Prometheus on alerts and dashboard", "watching.py"),
    ("nginx and caddy in front", "proxies.py"),
    ("hadolint, systemd and a bare root on what is packaged", "image.py"),
    ("lintian, dpkg and a systemd that boots on the Debian package", "package.py"),
    ("everything that a release gives out, twice", "release.py"),
    ("mdBook on docs", "book.py"),
];

/// Where the judges live.
pub struct Bench {
    root: PathBuf,
    home: PathBuf,
}

/// Writes anew what is made from the OpenAPI document.
pub fn write_clients(root: &Path) -> bool {
    let bench = Bench::of(root);
    let mut writer = Command::new("python3");
    writer.arg(bench.script("generated.py")).arg("--write").env("TELENUMERUS_BIN", bench.binary());
    succeeds(&mut writer)
}

/// Installs what the judges need and runs them all; the names of those that were not content.
pub fn run(root: &Path) -> Vec<&'static str> {
    let bench = Bench::of(root);
    if let Err(what) = bench.install() {
        println!("{what}");
        return vec!["installing the judges"];
    }
    JUDGES
        .iter()
        .filter(|(name, script)| !bench.judge(name, script))
        .map(|(name, _)| *name)
        .collect()
}

impl Bench {
    /// That of this tree.
    pub fn of(root: &Path) -> Self {
        Self { root: root.to_owned(), home: root.join("target").join("outside") }
    }

    fn script(&self, name: &str) -> PathBuf {
        self.root.join("tests").join("outside").join(name)
    }

    fn binary(&self) -> PathBuf {
        self.root.join("target").join("debug").join("telenumerus")
    }

    fn install(&self) -> Result<(), String> {
        debian("chromium", &["--version"], &["chromium"])?;
        debian("gammu-smsd", &["--version"], &["gammu-smsd"])?;
        debian("/usr/lib/kannel/test/drive_smpp", &["-h"], &["kannel-extras"])?;
        debian("litecoind", &["-version"], &["litecoind"])?;
        debian("promtool", &["--version"], &["prometheus"])?;
        tools::postgresql()?;
        debian("faketime", &["--version"], &["faketime"])?;
        debian("nginx", &["-v"], &["nginx-light"])?;
        debian("caddy", &["version"], &["caddy"])?;
        debian("openssl", &["version"], &["openssl"])?;
        debian("systemd-analyze", &["--version"], &["systemd"])?;
        debian("strace", &["--version"], &["strace"])?;
        debian("lintian", &["--version"], &["lintian"])?;
        tools::DEB.install(&self.root)?;
        tools::CYCLONEDX.install(&self.root)?;
        self.languages()
    }

    /// Installs what Python and Node are asked for.
    pub fn languages(&self) -> Result<(), String> {
        std::fs::create_dir_all(&self.home)
            .map_err(|error| format!("{}: {error}", self.home.display()))?;
        let scripts = self.root.join("tests").join("outside");
        debian("node", &["--version"], &["nodejs", "npm"])?;
        if !self.python().exists()
            && !succeeds(Command::new("python3").args(["-m", "venv"]).arg(self.home.join("venv")))
        {
            debian("python3", &["-m", "ensurepip", "--version"], &["python3", "python3-venv"])?;
            say(Command::new("python3").args(["-m", "venv"]).arg(self.home.join("venv")))?;
        }
        say(Command::new(self.python())
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(scripts.join("requirements.txt")))?;
        // npm writes the inner one when it is done.
        let lock = "package-lock.json";
        if self.modules().join(".package-lock.json").exists()
            && std::fs::read(self.home.join(lock)).ok() == std::fs::read(scripts.join(lock)).ok()
        {
            return Ok(());
        }
        for file in ["package.json", lock] {
            std::fs::copy(scripts.join(file), self.home.join(file))
                .map_err(|error| format!("{file}: {error}"))?;
        }
        say(Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(&self.home))
    }

    /// Python with its packages.
    pub fn python(&self) -> PathBuf {
        self.tool("python")
    }

    /// A program of one of them.
    pub fn tool(&self, name: &str) -> PathBuf {
        self.home.join("venv").join("bin").join(name)
    }

    /// Node's packages.
    pub fn modules(&self) -> PathBuf {
        self.home.join("node_modules")
    }

    fn judge(&self, name: &str, script: &str) -> bool {
        println!("\n== {name}: tests/outside/{script}");
        let mut judge = Command::new(self.python());
        judge.arg(self.script(script)).current_dir(&self.root);
        judge.env("TELENUMERUS_BIN", self.binary()).env("OUTSIDE_NODE", &self.home);
        let start = crate::now();
        let is_content = succeeds(&mut judge);
        println!("== {name}: {} s", start.elapsed().as_secs());
        is_content
    }
}
