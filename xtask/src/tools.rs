//! Programs that a task needs: installed where they are not, with a word of it.

use std::path::Path;
use std::process::{Command, Stdio};

/// A program of cargo's, pinned, so that the same tree gives the same answer.
pub struct Tool {
    /// Its package.
    pub package: &'static str,
    /// The word after `cargo`.
    pub word: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What its installation is told besides.
    pub options: &'static [&'static str],
}

/// Checks licences, bans and sources of dependencies.
pub const DENY: Tool =
    Tool { package: "cargo-deny", word: "deny", version: "0.20.2", options: &[] };

/// Writes Debian packages. Without its own xz it takes the system's; it runs seconds, so that it is
/// not worth being optimised.
pub const DEB: Tool = Tool {
    package: "cargo-deb",
    word: "deb",
    version: "3.8.0",
    options: &["--debug", "--no-default-features"],
};

/// Writes what a program consists of. It runs seconds, too.
pub const CYCLONEDX: Tool =
    Tool { package: "cargo-cyclonedx", word: "cyclonedx", version: "0.5.9", options: &["--debug"] };

impl Tool {
    /// Installs it, unless it is there in this version.
    pub fn install(&self, root: &Path) -> Result<(), String> {
        if self.is_installed(root) {
            return Ok(());
        }
        println!("== install {} {}: cargo install", self.package, self.version);
        let arguments = ["install", self.package, "--version", self.version, "--locked"];
        say(Command::new(env!("CARGO")).args(arguments).args(self.options).current_dir(root))
    }

    fn is_installed(&self, root: &Path) -> bool {
        Command::new(env!("CARGO"))
            .args([self.word, "--version"])
            .current_dir(root)
            .output()
            .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(self.version))
    }
}

/// Installs PostgreSQL. Its programs are in a folder of their version; this one is not.
pub fn postgresql() -> Result<(), String> {
    debian("pg_lsclusters", &["--help"], &["postgresql"])
}

/// Installs Debian's packages where a program does not run.
pub fn debian(program: &str, probe: &[&str], packages: &[&str]) -> Result<(), String> {
    let runs = || {
        Command::new(program)
            .args(probe)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if runs() {
        return Ok(());
    }
    println!("== install {program}: apt-get install {}", packages.join(" "));
    let _ = Command::new("apt-get").args(["update", "-q"]).stdout(Stdio::null()).status();
    let _ = Command::new("apt-get")
        .args(["install", "-y", "-q", "--no-install-recommends"])
        .args(packages)
        .stdout(Stdio::null())
        .status();
    if runs() {
        Ok(())
    } else {
        Err(format!(
            "{program} is needed and could not be installed; install it and run this again"
        ))
    }
}

/// Runs it, and says what it runs.
pub fn say(command: &mut Command) -> Result<(), String> {
    println!("== {command:?}");
    if succeeds(command) { Ok(()) } else { Err(format!("failed: {command:?}")) }
}

/// Whether it ends well.
pub fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

/// What it writes.
pub fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let done = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if done.status.success() {
        Ok(done.stdout)
    } else {
        Err(format!("{command:?}: {}", String::from_utf8_lossy(&done.stderr)))
    }
}
