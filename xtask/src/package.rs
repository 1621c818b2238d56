//! `cargo xtask deb`: what an installation consists of, laid in `target/package`, and the Debian
//! package of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{self, output, say};

/// What is asked for on the command line.
pub struct Options {
    /// The binary that the tests run, in place of a release.
    pub is_debug: bool,
    /// The package's own part of its version.
    revision: String,
    /// Where the packages go.
    pub out: PathBuf,
}

impl Options {
    /// Reads `--debug`, `--revision N` and `--out DIR`; none where there is anything else.
    pub fn read(root: &Path, mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut options =
            Self { is_debug: false, revision: "1".to_owned(), out: root.join("dist") };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--debug" => options.is_debug = true,
                "--revision" => options.revision = words.next()?,
                "--out" => options.out = std::path::absolute(words.next()?).ok()?,
                _ => return None,
            }
        }
        Some(options)
    }
}

/// Builds the binary and packs it.
pub fn deb(root: &Path, options: &Options) -> Result<(), String> {
    let binary = built(root, options.is_debug)?;
    let time = commit_time(root)?;
    lay(root, &binary)?;
    pack(root, options, &time)
}

/// The binary. That of the tests is built as they build it: nothing is compiled twice.
pub fn built(root: &Path, is_debug: bool) -> Result<PathBuf, String> {
    let release = ["build", "--release", "--locked", "--bin", "telenumerus"];
    let arguments = if is_debug { crate::BUILD } else { &release };
    say(Command::new(env!("CARGO")).args(arguments).current_dir(root))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    Ok(target.join(if is_debug { "debug" } else { "release" }).join("telenumerus"))
}

/// Seconds since 1970 of what is packed: the same sources give the same bytes.
pub fn commit_time(root: &Path) -> Result<String, String> {
    if let Ok(time) = std::env::var("SOURCE_DATE_EPOCH") {
        return Ok(time);
    }
    let time = output(
        Command::new("git")
            .args(["log", "-1", "--no-show-signature", "--format=%ct"])
            .current_dir(root),
    )
    .map_err(|error| format!("{error}; without git, SOURCE_DATE_EPOCH says the time"))?;
    Ok(String::from_utf8_lossy(&time).trim().to_owned())
}

/// Lays the binary without its symbols, and what it writes about itself, in `target/package`.
pub fn lay(root: &Path, binary: &Path) -> Result<PathBuf, String> {
    let place = root.join("target").join("package");
    if place.exists() {
        std::fs::remove_dir_all(&place).map_err(|error| told(&place, &error))?;
    }
    for folder in ["man", "completions", "doc"] {
        let folder = place.join(folder);
        std::fs::create_dir_all(&folder).map_err(|error| told(&folder, &error))?;
    }
    let stripped = place.join("telenumerus");
    say(Command::new("strip").arg("-o").arg(&stripped).arg(binary))?;
    say(Command::new(&stripped).args(["man", "--directory"]).arg(place.join("man")))?;
    for (words, file) in [
        (["completions", "bash"], "completions/telenumerus.bash"),
        (["completions", "zsh"], "completions/_telenumerus"),
        (["completions", "fish"], "completions/telenumerus.fish"),
        (["config", "example"], "doc/telenumerus.example.toml"),
        (["config", "schema"], "doc/telenumerus.schema.json"),
    ] {
        write(&place.join(file), &output(Command::new(&stripped).args(words))?)?;
    }
    let changes = read(&root.join("CHANGELOG.md"))?;
    // Debian's name for what those who wrote the program say of it; cargo-deb packs it.
    write(&place.join("doc").join("changelog"), changes.as_bytes())?;
    Ok(place)
}

/// Packs what is laid.
pub fn pack(root: &Path, options: &Options, time: &str) -> Result<(), String> {
    tools::DEB.install(root)?;
    let manifest = read(&root.join("Cargo.toml"))?;
    let (version, maintainer) = (value(&manifest, "version")?, maintainer(&manifest)?);
    let date =
        output(Command::new("date").args(["--utc", "--rfc-email", "--date", &format!("@{time}")]))?;
    let changes = format!(
        "telenumerus ({version}-{}) unstable; urgency=medium\n\n  * What is new: changelog.gz.\n\n -- {maintainer}  {}",
        options.revision,
        String::from_utf8_lossy(&date)
    );
    write(&root.join("target").join("package").join("changelog"), changes.as_bytes())?;
    std::fs::create_dir_all(&options.out).map_err(|error| told(&options.out, &error))?;
    let mut packer = Command::new(env!("CARGO"));
    packer
        .args(["deb", "--locked", "--no-build", "--no-strip", "--package", "telenumerus"])
        .args(["--deb-revision", &options.revision, "--maintainer", &maintainer, "--output"])
        .arg(options.out.join(""))
        .env("SOURCE_DATE_EPOCH", time)
        .current_dir(root);
    if options.is_debug {
        packer.arg("--fast");
    }
    say(&mut packer)
}

/// Who packs it, as Debian's own tools are told.
fn maintainer(manifest: &str) -> Result<String, String> {
    match (std::env::var("DEBFULLNAME"), std::env::var("DEBEMAIL")) {
        (Ok(name), Ok(address)) => Ok(format!("{name} <{address}>")),
        _ => value(manifest, "maintainer").map(str::to_owned),
    }
}

/// The value of a key of the manifest, which stands there once at the beginning of a line.
pub fn value<'a>(manifest: &'a str, key: &str) -> Result<&'a str, String> {
    manifest
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'))
        .ok_or_else(|| format!("Cargo.toml has no {key}"))
}

/// The text of a file, or an error that names it.
pub fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| told(path, &error))
}

/// Writes a file, or says which one it could not.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| told(path, &error))
}

/// An error with the path that it is of.
pub fn told(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
