//! `cargo xtask dist`: everything that a release gives out, in one directory, with its checksums.
//!
//! Nothing in it says when or where it was made: the same commit gives the same bytes, as far as
//! the compiler does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::outside::Bench;
use crate::package::{self, Options, read, told, value, write};
use crate::tools::{self, output, say};

/// Where things are, while they are made.
struct Release<'a> {
    root: &'a Path,
    out: &'a Path,
    /// Seconds since 1970 of the commit.
    time: String,
    version: String,
}

/// Makes all of it anew.
pub fn dist(root: &Path, options: &Options) -> Result<(), String> {
    tools::CYCLONEDX.install(root)?;
    let bench = Bench::of(root);
    bench.languages()?;
    let binary = package::built(root, options.is_debug)?;
    cleared(&options.out)?;
    let manifest = read(&root.join("Cargo.toml"))?;
    let version = value(&manifest, "version")?.to_owned();
    let time = package::commit_time(root)?;
    let release = Release { root, out: &options.out, time, version };
    let laid = package::lay(root, &binary)?;
    package::pack(root, options, &release.time)?;
    release.archive(&laid)?;
    release.bill()?;
    release.document(&laid)?;
    release.manual(&bench)?;
    release.python(&bench)?;
    release.typescript(&bench)?;
    release.notes()?;
    release.sums()
}

/// An empty directory: of one that has things in it only an earlier release is removed.
fn cleared(out: &Path) -> Result<(), String> {
    std::fs::create_dir_all(out).map_err(|error| told(out, &error))?;
    let sums = std::fs::read_to_string(out.join("SHA256SUMS")).unwrap_or_default();
    let names = sums.lines().filter_map(|line| line.split("  ").nth(1)).chain(["SHA256SUMS"]);
    for name in names.filter(|name| !name.contains('/')) {
        let _ = std::fs::remove_file(out.join(name));
    }
    let mut left = std::fs::read_dir(out).map_err(|error| told(out, &error))?.flatten();
    left.next().map_or(Ok(()), |entry| {
        Err(format!("{} is of no earlier release; nothing was made", entry.path().display()))
    })
}

impl Release<'_> {
    /// The binary with its manual, for whatever Linux has the C library that it was built with.
    fn archive(&self, laid: &Path) -> Result<(), String> {
        let name = format!(
            "telenumerus-{}-{}-{}",
            self.version,
            std::env::consts::ARCH,
            std::env::consts::OS
        );
        let folder = self.fresh("archive")?.join(&name);
        std::fs::create_dir(&folder).map_err(|error| told(&folder, &error))?;
        let mut copy = Command::new("cp");
        copy.arg("-r").args(["telenumerus", "man", "completions"].map(|part| laid.join(part)));
        for part in ["LICENSE", "README.md", "SECURITY.md", "CHANGELOG.md", "docs", "contrib"] {
            copy.arg(self.root.join(part));
        }
        say(copy
            .args(
                ["telenumerus.example.toml", "telenumerus.schema.json"]
                    .map(|part| laid.join("doc").join(part)),
            )
            .arg(&folder))?;
        self.tar(&folder, &format!("{name}.tar.gz"))
    }

    /// What the binary consists of, for whoever looks for components with a known fault.
    fn bill(&self) -> Result<(), String> {
        let name = format!("telenumerus-{}.cdx", self.version);
        let mut writer = Command::new(env!("CARGO"));
        writer.args([
            "cyclonedx",
            "--format",
            "json",
            "--spec-version",
            "1.5",
            "--override-filename",
            &name,
        ]);
        writer.args([
            "--no-build-deps",
            "--target",
            &format!("{}-unknown-linux-gnu", std::env::consts::ARCH),
        ]);
        say(writer.env("SOURCE_DATE_EPOCH", &self.time).current_dir(self.root))?;
        let file = format!("{name}.json");
        // It writes one beside each manifest of the workspace.
        let members =
            output(Command::new("git").args(["ls-files", "*Cargo.toml"]).current_dir(self.root))?;
        for manifest in
            String::from_utf8_lossy(&members).lines().filter(|path| *path != "Cargo.toml")
        {
            let _ = std::fs::remove_file(self.root.join(manifest).with_file_name(&file));
        }
        let bill = read(&self.root.join(&file))?;
        // Where the sources lay when it was made is nobody's business.
        let place = std::fs::canonicalize(self.root).map_err(|error| told(self.root, &error))?;
        let bill =
            bill.replace(&format!("path+file://{}", place.display()), "path+file:///telenumerus");
        std::fs::remove_file(self.root.join(&file)).map_err(|error| told(self.root, &error))?;
        write(&self.out.join(&file), bill.as_bytes())
    }

    /// The OpenAPI document, as the service of this binary gives it out.
    fn document(&self, laid: &Path) -> Result<(), String> {
        let data = self.fresh("service")?;
        let mut service = Command::new(laid.join("telenumerus"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&data)
            .env("TELENUMERUS_ADMIN__LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| told(laid, &error))?;
        let said = service.stdout.take().map(BufReader::new);
        let document = said.map_or(Err("it says nothing".to_owned()), asked);
        let _ = service.kill();
        let _ = service.wait();
        write(&self.out.join(format!("telenumerus-{}.openapi.json", self.version)), &document?)
    }

    fn manual(&self, bench: &Bench) -> Result<(), String> {
        let folder = self.fresh("manual")?.join(format!("telenumerus-{}-manual", self.version));
        let mut book = Command::new(bench.tool("mdbook"));
        say(book.arg("build").arg(self.root).arg("--dest-dir").arg(&folder))?;
        self.tar(&folder, &format!("telenumerus-{}-manual.tar.gz", self.version))
    }

    fn python(&self, bench: &Bench) -> Result<(), String> {
        say(Command::new(bench.python())
            .args(["-m", "hatchling", "build", "-d"])
            .arg(std::path::absolute(self.out).map_err(|error| told(self.out, &error))?)
            .env("SOURCE_DATE_EPOCH", &self.time)
            .current_dir(self.root.join("clients").join("python")))
    }

    fn typescript(&self, bench: &Bench) -> Result<(), String> {
        let folder = self.fresh("typescript")?;
        let sources = self.root.join("clients").join("typescript");
        say(Command::new("cp").arg("-r").arg(sources).arg(&folder))?;
        let sources = folder.join("typescript");
        // The compiler is the one that judges the client, pinned with the judges.
        say(Command::new("ln")
            .args(["-sfn"])
            .arg(bench.modules())
            .arg(sources.join("node_modules")))?;
        say(Command::new("npm")
            .args(["pack", "--loglevel=error", "--pack-destination"])
            .arg(self.out)
            .current_dir(&sources))
    }

    /// What is new, from the changelog: its newest part.
    fn notes(&self) -> Result<(), String> {
        let changes = read(&self.root.join("CHANGELOG.md"))?;
        let newest = changes.split("\n## ").nth(1).ok_or("CHANGELOG.md has no part")?;
        let (title, rest) = newest.split_once('\n').ok_or("CHANGELOG.md has an empty part")?;
        if !title.starts_with(&self.version) {
            return Err(format!(
                "the newest part of CHANGELOG.md is of {title}, not of {}",
                self.version
            ));
        }
        let notes = format!("# Telenumerus {title}\n\n{}\n", rest.trim());
        write(&self.out.join("RELEASE_NOTES.md"), notes.as_bytes())
    }

    /// Checksums of everything, as `sha256sum --check` reads them.
    fn sums(&self) -> Result<(), String> {
        let entries = std::fs::read_dir(self.out).map_err(|error| told(self.out, &error))?;
        let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        let sums = output(Command::new("sha256sum").args(&names).current_dir(self.out))?;
        write(&self.out.join("SHA256SUMS"), &sums)?;
        print!("\n{}", String::from_utf8_lossy(&sums));
        Ok(())
    }

    /// The folder in an archive that does not tell when, where and by whom it was made.
    fn tar(&self, folder: &Path, name: &str) -> Result<(), String> {
        let (Some(parent), Some(own)) = (folder.parent(), folder.file_name()) else {
            return Err(format!("{} is no folder", folder.display()));
        };
        say(Command::new("tar")
            .args(["--create", "--sort=name", "--format=gnu", "--owner=0", "--group=0"])
            .args(["--numeric-owner", "--mode=u=rwX,go=rX", &format!("--mtime=@{}", self.time)])
            .args(["--use-compress-program=gzip -9n", "--file"])
            .arg(self.out.join(name))
            .arg("--directory")
            .arg(parent)
            .arg(own))
    }

    /// An empty folder to make something in.
    fn fresh(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.root.join("target").join("dist").join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(|error| told(&folder, &error))?;
        }
        std::fs::create_dir_all(&folder).map_err(|error| told(&folder, &error))?;
        Ok(folder)
    }
}

/// The document of the service that has said where it listens.
fn asked(said: impl BufRead) -> Result<Vec<u8>, String> {
    let address = said
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned))
        .ok_or("the service does not start")?;
    let mut answer = Vec::new();
    let request =
        format!("GET /openapi.json HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    TcpStream::connect(&address)
        .and_then(|mut stream| {
            stream.write_all(request.as_bytes())?;
            stream.read_to_end(&mut answer)
        })
        .map_err(|error| format!("{address}: {error}"))?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.map_or(0, |end| end + 4));
    let head = String::from_utf8_lossy(head).to_lowercase();
    if head.starts_with("http/1.1 200") && head.contains("content-length:") {
        Ok(body.to_vec())
    } else {
        Err(format!("/openapi.json answers {head}"))
    }
}
