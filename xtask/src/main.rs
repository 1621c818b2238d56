//! `cargo xtask test`: everything that must hold before a change lands. Installs what it needs,
//! says what it does, skips nothing silently.

mod dist;
mod outside;
mod package;
mod protos;
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Tests, and the programs that the judges run, with one set of features: nothing is compiled
/// twice.
const BUILD: &[&str] = &["build", "--workspace", "--bins", "--tests", "--locked"];

/// What makes tests take hours.
const SOAK: &[(&str, &str)] = &[
    ("TELENUMERUS_EVERY_BYTE", "1"),
    ("TELENUMERUS_LARGE_MODELS", "1"),
    ("PROPTEST_CASES", "2560"),
];

#[expect(clippy::disallowed_methods, reason = "a stopwatch of real time")]
fn now() -> Instant {
    Instant::now()
}

fn main() -> ExitCode {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    match std::env::args().nth(1).as_deref() {
        Some("test") => test(&root, std::env::args().any(|argument| argument == "--all")),
        Some("outside") => conclude(&outside(&root)),
        Some("protos") => told(protos::write(&root)),
        Some(task @ ("deb" | "dist")) => {
            let options = package::Options::read(&root, std::env::args().skip(2));
            told(match (options, task) {
                (Some(options), "deb") => package::deb(&root, &options),
                (Some(options), _) => dist::dist(&root, &options),
                (None, _) => {
                    Err(format!("cargo xtask {task} [--debug] [--revision N] [--out DIR]"))
                }
            })
        }
        Some("clients") => conclude(&clients(&root)),
        Some("soak") => minutes(std::env::args().skip(2)).map_or_else(
            || {
                eprintln!("cargo xtask soak --minutes N");
                ExitCode::FAILURE
            },
            |minutes| soak(&root, &minutes),
        ),
        _ => {
            eprintln!(
                "cargo xtask test          format, lints, dependencies, every test, every judge\ncargo xtask test --all    the same with every byte damaged and ten times as many generated cases: hours\ncargo xtask outside       the judges that are not ours, alone\ncargo xtask soak --minutes N   the simulation, with seeds that no other run has\ncargo xtask clients       writes anew what is made from the OpenAPI document, from the service as it is now\ncargo xtask deb           the Debian package of a release, in dist/; --debug: of the binary that the tests run\ncargo xtask dist          everything that a release gives out, with checksums, in dist/\ncargo xtask protos        writes esdb/src/generated anew from esdb/protos"
            );
            ExitCode::FAILURE
        }
    }
}

fn test(root: &Path, is_soak: bool) -> ExitCode {
    let mut failed = Vec::new();
    let soak: &[(&str, &str)] = if is_soak { SOAK } else { &[] };
    // The crash tests kill the service at chosen syncs; exports are verified as operators do it.
    let needed = [("strace", "--version"), ("openssl", "version"), ("python3", "--version")];
    // The shared log is proved over a real server.
    if let Err(text) = tools::postgresql() {
        eprintln!("{text}");
        return ExitCode::FAILURE;
    }
    for (program, argument) in needed {
        if let Err(text) = tools::debian(program, &[argument], &[program]) {
            eprintln!("{text}");
            return ExitCode::FAILURE;
        }
    }
    let mut step = |name: &'static str, arguments: &[&str]| {
        println!("\n== {name}: cargo {}", arguments.join(" "));
        let start = now();
        if !cargo(root, arguments, soak) {
            failed.push(name);
        }
        println!("== {name}: {} s", start.elapsed().as_secs());
    };
    step("format", &["fmt", "--all", "--check"]);
    step("build", BUILD);
    step("tests", &["test", "--workspace", "--locked", "--no-fail-fast"]);
    step("lints", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]);
    if let Err(text) = tools::DENY.install(root) {
        println!("{text}");
    }
    step("dependencies", &["deny", "--locked", "check", "bans", "licenses", "sources"]);
    println!("\n== advisories: cargo deny check advisories");
    advisories(root, &mut failed);
    failed.extend(outside(root));
    conclude(&failed)
}

fn minutes(mut arguments: impl Iterator<Item = String>) -> Option<String> {
    arguments.next().filter(|name| name == "--minutes")?;
    arguments.next().filter(|minutes| minutes.parse::<u64>().is_ok())
}

/// The simulation for so many minutes.
fn soak(root: &Path, minutes: &str) -> ExitCode {
    let arguments =
        ["test", "--locked", "-p", "telenumerus-simulation", "--", "a_soak", "--nocapture"];
    let holds = cargo(root, &arguments, &[("SIMULATION_MINUTES", minutes)]);
    conclude(if holds { &[] } else { &["soak"] })
}

/// The judges that are not ours, on a binary built now.
fn outside(root: &Path) -> Vec<&'static str> {
    println!("\n== judges that are not ours");
    if cargo(root, BUILD, &[]) { outside::run(root) } else { vec!["build"] }
}

/// What is written from the document, by a binary built now.
fn clients(root: &Path) -> Vec<&'static str> {
    let is_written = cargo(root, &["build", "--workspace", "--bins", "--locked"], &[])
        && outside::write_clients(root);
    if is_written { Vec::new() } else { vec!["clients"] }
}

fn told(done: Result<(), String>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn conclude(failed: &[&str]) -> ExitCode {
    if failed.is_empty() {
        println!("\nEverything holds.");
        return ExitCode::SUCCESS;
    }
    println!("\nFAILED: {}", failed.join(", "));
    ExitCode::FAILURE
}

fn cargo(root: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> bool {
    Command::new(env!("CARGO"))
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root)
        .status()
        .is_ok_and(|status| status.success())
}

/// The advisory database is no package: where it cannot be reached, that is said, and is no
/// failure.
fn advisories(root: &Path, failed: &mut Vec<&'static str>) {
    let Ok(output) = Command::new(env!("CARGO"))
        .args(["deny", "--locked", "check", "advisories"])
        .current_dir(root)
        .output()
    else {
        return failed.push("advisories");
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        println!("no advisory applies");
    } else if said.contains("failed to fetch advisory database")
        || said.contains("failed to load advisory database")
    {
        println!(
            "NOT RUN: the advisory database cannot be reached from this machine; run `cargo deny \
             check advisories` where it can"
        );
    } else {
        print!("{said}");
        failed.push("advisories");
    }
}
