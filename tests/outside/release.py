"""cargo xtask dist, twice, with the binary that the tests run: the same bytes both times, and each thing is what its name says, used as whoever gets it would."""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile

from openapi_spec_validator import validate

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr


MACHINE, DEBIAN = os.uname().machine, run("dpkg", "--print-architecture").strip()


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def names(version):
    """What a release consists of."""
    return {
        f"telenumerus-{version}-{MACHINE}-linux.tar.gz",
        f"telenumerus_{version}-1_{DEBIAN}.deb",
        f"telenumerus-{version}.cdx.json",
        f"telenumerus-{version}.openapi.json",
        f"telenumerus-{version}-manual.tar.gz",
        f"telenumerus-{version}.tgz",
        f"telenumerus-{version}.tar.gz",
        f"telenumerus-{version}-py3-none-any.whl",
        "RELEASE_NOTES.md",
        "SHA256SUMS",
    }


def archive(out, work, version):
    """The binary runs from where it was unpacked, and its manual is there."""
    run("tar", "-xzf", os.path.join(out, f"telenumerus-{version}-{MACHINE}-linux.tar.gz"), "-C", work)
    place = os.path.join(work, f"telenumerus-{version}-{MACHINE}-linux")
    binary = os.path.join(place, "telenumerus")
    assert json.loads(run(binary, "version", "--json"))["version"] == version
    run(binary, "config", "check", os.path.join(place, "telenumerus.example.toml"))
    for path in ("LICENSE", "man/telenumerus.1", "completions/_telenumerus", "docs/operating.md", "contrib/systemd/telenumerus.service", "telenumerus.schema.json"):
        assert os.path.exists(os.path.join(place, path)), path
    run("tar", "-xzf", os.path.join(out, f"telenumerus-{version}-manual.tar.gz"), "-C", work)
    assert "Telenumerus" in read(os.path.join(work, f"telenumerus-{version}-manual", "index.html"))


def bill(out, version):
    """What the binary is linked with stands in it, each part with the version that Cargo.lock has and a licence."""
    text = read(os.path.join(out, f"telenumerus-{version}.cdx.json"))
    found = json.loads(text)
    assert found["bomFormat"] == "CycloneDX" and found["metadata"]["component"]["name"] == "telenumerus"
    assert ROOT not in text, "it does not say where it was made"
    parts = {(part["name"], part["version"]): part for part in found["components"]}
    tree = run("cargo", "tree", "--locked", "--package", "telenumerus", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}", cwd=ROOT)
    linked = {tuple(line.split()[:2]) for line in tree.splitlines() if line and "(*)" not in line}
    missing = {(name, number[1:]) for name, number in linked} - set(parts) - {("telenumerus", version)}
    assert len(linked) > 200 and not missing, missing
    foreign = [part for part in parts.values() if part["purl"].startswith("pkg:cargo/") and "registry" in part["bom-ref"]]
    assert len(foreign) > 200 and all(part.get("licenses") and part.get("hashes") for part in foreign)
    return len(parts)


def clients(out, work, version):
    wheel = os.path.join(out, f"telenumerus-{version}-py3-none-any.whl")
    assert "telenumerus/py.typed" in zipfile.ZipFile(wheel).namelist()
    for name, source in (("wheel", wheel), ("sdist", os.path.join(out, f"telenumerus-{version}.tar.gz"))):
        target = os.path.join(work, name)
        run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--target", target, source)
        run(sys.executable, "-c", "import telenumerus; telenumerus.Client", cwd=work, env={**os.environ, "PYTHONPATH": target})
    run("npm", "install", "--offline", "--no-audit", "--no-fund", "--prefix", work, os.path.join(out, f"telenumerus-{version}.tgz"))
    run("node", "--input-type=module", "--eval", 'import * as client from "telenumerus"; if (!client.Client) process.exit(1)', cwd=work)


with tempfile.TemporaryDirectory() as work:
    one, other = os.path.join(work, "one"), os.path.join(work, "other")
    run("cargo", "xtask", "dist", "--debug", "--out", one, cwd=ROOT)
    # Made over an earlier one, which it takes the place of.
    run("cp", "-r", one, other)
    run("cargo", "xtask", "dist", "--debug", "--out", other, cwd=ROOT)
    version = re.search(r'^version = "(.+)"', read(os.path.join(ROOT, "Cargo.toml")), flags=re.M)[1]
    assert set(os.listdir(one)) == names(version), sorted(os.listdir(one))
    assert read(os.path.join(one, "SHA256SUMS")) == read(os.path.join(other, "SHA256SUMS")), "the same sources make the same bytes"
    run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=one)
    assert read(os.path.join(one, "SHA256SUMS")).count("\n") == len(names(version)) - 1
    archive(one, work, version)
    parts = bill(one, version)
    clients(one, work, version)
    document = json.loads(read(os.path.join(one, f"telenumerus-{version}.openapi.json")))
    validate(document)
    assert document["info"]["version"] == version
    notes = read(os.path.join(one, "RELEASE_NOTES.md"))
    assert notes.startswith(f"# Telenumerus {version}") and notes.count("\n## ") == 0
    # What is somebody's own is not written over.
    with open(os.path.join(other, "mine"), "w", encoding="utf-8") as file:
        file.write("mine")
    refused = subprocess.run(["cargo", "xtask", "dist", "--debug", "--out", other], cwd=ROOT, capture_output=True, text=True)
    assert refused.returncode and "mine" in refused.stderr and os.path.exists(os.path.join(other, "mine")), refused.stderr
    print(f"{len(names(version))} files make a release, the same each time; {parts} components in the bill of materials")
    assert not glob.glob(os.path.join(ROOT, "**", "*.cdx.json")), "the tree is as it was"
