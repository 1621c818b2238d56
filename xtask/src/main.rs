//! `cargo xtask test`: everything that must hold before a change lands. Installs what it needs, says what it does, skips nothing silently.

mod outside;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Checks licences, bans and sources of dependencies; pinned, so that the same tree gives the same answer.
const CARGO_DENY: &str = "0.20.2";

fn main() -> ExitCode {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    match std::env::args().nth(1).as_deref() {
        Some("test") => test(&root),
        Some("outside") => conclude(&outside(&root)),
        _ => {
            eprintln!(
                "cargo xtask test       format, lints, dependencies, every test, every judge\ncargo xtask outside    the judges that are not ours, alone"
            );
            ExitCode::FAILURE
        }
    }
}

fn test(root: &Path) -> ExitCode {
    let mut failed = Vec::new();
    // The crash tests kill the service at chosen syncs.
    if let Err(text) = outside::debian("strace", &["--version"], &["strace"]) {
        eprintln!("{text}");
        return ExitCode::FAILURE;
    }
    let mut step = |name: &'static str, arguments: &[&str]| {
        println!("\n== {name}: cargo {}", arguments.join(" "));
        if !cargo(root, arguments) {
            failed.push(name);
        }
    };
    step("format", &["fmt", "--all", "--check"]);
    step("tests", &["test", "--workspace", "--locked", "--no-fail-fast"]);
    step("lints", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]);
    step("benchmarks build", &["check", "--benches", "--locked"]);
    if !is_installed(root) {
        step("install cargo-deny", &["install", "cargo-deny", "--version", CARGO_DENY, "--locked"]);
    }
    step("dependencies", &["deny", "--locked", "check", "bans", "licenses", "sources"]);
    println!("\n== advisories: cargo deny check advisories");
    advisories(root, &mut failed);
    failed.extend(outside(root));
    conclude(&failed)
}

/// The judges that are not ours, on a binary built now.
fn outside(root: &Path) -> Vec<&'static str> {
    println!("\n== judges that are not ours");
    if cargo(root, &["build", "--locked", "--bin", "telenumerus"]) { outside::run(root) } else { vec!["build"] }
}

fn conclude(failed: &[&str]) -> ExitCode {
    if failed.is_empty() {
        println!("\nEverything holds.");
        return ExitCode::SUCCESS;
    }
    println!("\nFAILED: {}", failed.join(", "));
    ExitCode::FAILURE
}

fn cargo(root: &Path, arguments: &[&str]) -> bool {
    Command::new(env!("CARGO")).args(arguments).current_dir(root).status().is_ok_and(|status| status.success())
}

fn is_installed(root: &Path) -> bool {
    let version = Command::new(env!("CARGO")).args(["deny", "--version"]).current_dir(root).output();
    version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(CARGO_DENY))
}

/// The advisory database is no package: where it cannot be reached, that is said, and is no failure.
fn advisories(root: &Path, failed: &mut Vec<&'static str>) {
    let Ok(output) = Command::new(env!("CARGO")).args(["deny", "--locked", "check", "advisories"]).current_dir(root).output() else {
        return failed.push("advisories");
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        println!("no advisory applies");
    } else if said.contains("failed to fetch advisory database") || said.contains("failed to load advisory database") {
        println!("NOT RUN: the advisory database cannot be reached from this machine; run `cargo deny check advisories` where it can");
    } else {
        print!("{said}");
        failed.push("advisories");
    }
}
