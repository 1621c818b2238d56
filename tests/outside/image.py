"""contrib/Dockerfile, compose.yaml and the systemd unit, without an engine and without systemd as init: linted, and replayed step by step.

The build context is copied as .dockerignore says, and cargo must find all it needs in it; with --build it is built there, which takes as long as a release does. The last stage is laid
out in a directory with glibc and libgcc alone, and runs there under chroot as its own user with the environment, command and health check that the file names. The unit is read by
systemd-analyze, and every system call the service makes must be one that it allows.
"""

import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import yaml

BINARY = os.environ["TELENUMERUS_BIN"]
ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
CONTRIB = os.path.join(ROOT, "contrib")
UNIT = os.path.join(CONTRIB, "systemd", "telenumerus.service")


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr


def stages(text):
    """Instructions of each stage: (word, rest)."""
    joined = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    found = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, " ".join(rest.split())))
    return found


def context(target):
    """The files that the engine would be sent, of those under version control."""
    with open(os.path.join(CONTRIB, "Dockerfile.dockerignore"), encoding="utf-8") as file:
        rules = [line.strip() for line in file if line.strip() and not line.startswith("#")]

    def is_sent(path):
        is_ignored = False
        for rule in rules:
            pattern = rule.lstrip("!")
            parts = path.split("/")
            heads = ["/".join(parts[: end + 1]) for end in range(len(parts))]
            if any(fnmatch.fnmatch(head, pattern) or pattern.startswith("**/") and fnmatch.fnmatch(head.split("/")[-1], pattern[3:]) for head in heads):
                is_ignored = not rule.startswith("!")
        return not is_ignored

    sent = [path for path in run("git", "-C", ROOT, "ls-files", "-co", "--exclude-standard").splitlines() if is_sent(path) and os.path.exists(os.path.join(ROOT, path))]
    for path in sent:
        os.makedirs(os.path.dirname(os.path.join(target, path)), exist_ok=True)
        shutil.copy(os.path.join(ROOT, path), os.path.join(target, path))
    return sent


def included(target, sent):
    """Every text that the sources take in at compile time is in the context."""
    missing = []
    for path in sent:
        if path.endswith(".rs"):
            with open(os.path.join(target, path), encoding="utf-8") as file:
                for name in re.findall(r'include_(?:str|bytes)!\("([^"]+)"\)', file.read()):
                    if not os.path.exists(os.path.join(target, os.path.dirname(path), name)):
                        missing.append(f"{path} takes in {name}")
    assert not missing, missing


def laid_out(root, last):
    """The last stage as a directory: what distroless/cc has of the libraries, and what is copied."""
    for path in re.findall(r"(/\S+) \(0x", run("ldd", BINARY)):
        assert re.match(r"(lib(c|m|gcc_s|dl|pthread|rt)\.so|ld-linux)", os.path.basename(path)), f"distroless/cc has no {path}"
        os.makedirs(root + os.path.dirname(path), exist_ok=True)
        shutil.copy(os.path.realpath(path), root + path)
    for word, rest in last:
        if word == "COPY":
            flags = dict(part[2:].split("=") for part in rest.split() if part.startswith("--"))
            source, place = [part for part in rest.split() if not part.startswith("--")]
            assert flags["from"] == "build" and source.startswith("/out/")
            if place.startswith("/usr/bin/"):
                os.makedirs(root + os.path.dirname(place), exist_ok=True)
                shutil.copy(BINARY, root + place)
            else:
                os.makedirs(root + place, mode=0o700)
                os.chown(root + place, *map(int, flags["chown"].split(":")))
    # What an engine brings: names, and devices.
    for place in ("etc", "dev"):
        os.makedirs(f"{root}/{place}", exist_ok=True)
    with open(root + "/etc/resolv.conf", "w", encoding="utf-8") as file:
        file.write("nameserver 127.0.0.11\n")
    for device in ("null", "urandom"):
        os.mknod(f"{root}/dev/{device}", 0o666 | 0o020000, os.stat(f"/dev/{device}").st_rdev)
        os.chmod(f"{root}/dev/{device}", 0o666)


def replay(root, last, compose):
    """The container without its engine: its own root, its own user, its environment."""
    said = dict(last)
    user, group = map(int, said["USER"].split(":"))
    assert user != 0
    environment = dict(pair.split("=", 1) for word, rest in last if word == "ENV" for pair in shlex.split(rest))
    environment.update(compose["environment"])
    environment["TELENUMERUS_LISTEN"], environment["TELENUMERUS_ADMIN__LISTEN"] = "0.0.0.0:0", "0.0.0.0:0"
    inside = [shutil.which("chroot", path=os.environ["PATH"] + ":/usr/sbin"), f"--userspec={user}:{group}", root]
    command = [*inside, *json.loads(said["ENTRYPOINT"]), *json.loads(said["CMD"])]
    log = open(os.path.join(root, "log"), "w+", encoding="utf-8")
    service = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        url = next((line.split()[-1] for line in service.stdout if line.startswith("listening on ")), None)
        if not url:
            log.seek(0)
            sys.exit("the service does not start in its image: " + log.read())
        with urllib.request.urlopen(url.replace("0.0.0.0", "127.0.0.1") + "/readyz", timeout=30) as reply:
            assert reply.status == 200
        with open(f"{root}{environment['TELENUMERUS_DATA_DIR']}/admin.addr", encoding="utf-8") as file:
            admin = "http://127.0.0.1:" + file.read().strip().rsplit(":", 1)[1]
        assert [scraped(admin, name) for name in ("telenumerus:8081", "elsewhere.example")] == [200, 421], "Prometheus asks by the name that compose gives"
        health = json.loads(said["HEALTHCHECK"].split("CMD ", 1)[1])
        assert subprocess.run([*inside, *health], env=environment, stdout=subprocess.DEVNULL).returncode == 0, "it is healthy"
        began = time.monotonic()
        service.send_signal(getattr(signal, said["STOPSIGNAL"]))
        assert service.wait(20) == 0 and time.monotonic() - began < 10, "it stops when told"
        assert subprocess.run([*inside, *health], env=environment, capture_output=True).returncode != 0, "what is stopped is not healthy"
    finally:
        service.kill()
        service.wait()
        service.stdout.close()
        log.close()


def scraped(admin, host):
    """What the admin address answers to whoever asks by this name."""
    try:
        with urllib.request.urlopen(urllib.request.Request(admin + "/metrics", headers={"Host": host}), timeout=30) as reply:
            return reply.status
    except urllib.error.HTTPError as refused:
        return refused.code


def compose_file():
    """What can be judged of it here: its files are there, and nothing but loopback is published."""
    with open(os.path.join(CONTRIB, "compose.yaml"), encoding="utf-8") as file:
        compose = yaml.safe_load(file)
    for name, service in compose["services"].items():
        assert re.search(r":v?\d|^telenumerus$", service["image"]), f"{name} has no version"
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), name
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert os.path.exists(os.path.join(CONTRIB, source)) if source.startswith(".") else source in compose["volumes"], volume
    own = compose["services"]["telenumerus"]
    assert own["read_only"] and own["cap_drop"] == ["ALL"] and "no-new-privileges:true" in own["security_opt"]
    assert os.path.samefile(os.path.join(CONTRIB, own["build"]["context"]), ROOT)
    for name in ("scrape.yml", "compose.yml"):
        with open(os.path.join(CONTRIB, "prometheus", name), encoding="utf-8") as file:
            assert yaml.safe_load(file)["rule_files"] == ["telenumerus.rules.yml"]
    return own


def allowed_calls():
    """The system calls that the unit's filters leave."""
    with open(UNIT, encoding="utf-8") as file:
        filters = re.findall(r"^SystemCallFilter=(.+)$", file.read(), flags=re.M)

    def members(group, seen):
        if group not in seen:
            seen.add(group)
            for line in run("systemd-analyze", "syscall-filter", "--no-pager", group).splitlines()[1:]:
                word = line.strip()
                if word.startswith("@"):
                    members(word, seen)
                elif word and not word.startswith("#"):
                    seen.add(word)
        return seen

    allowed = set()
    for given in filters:
        groups = set().union(*(members(group, set()) for group in given.lstrip("~").split()))
        allowed = allowed - groups if given.startswith("~") else allowed | groups
    return allowed


def unit(work):
    with open(UNIT, encoding="utf-8") as file:
        text = file.read()
    # The binary is not installed here.
    here = os.path.join(work, "telenumerus.service")
    with open(here, "w", encoding="utf-8") as file:
        file.write(text.replace("/usr/bin/telenumerus", BINARY))
    said = run("systemd-analyze", "verify", "--man=no", here)
    assert not said.strip(), said
    run("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=15", here)
    fake = os.path.join(work, "root")
    os.makedirs(fake + "/etc")
    for tool, page in (("systemd-sysusers", "sysusers"), ("systemd-tmpfiles", "tmpfiles")):
        run(tool, *(["--create"] if page == "tmpfiles" else []), f"--root={fake}", os.path.join(CONTRIB, "systemd", f"telenumerus.{page}"))
    with open(os.path.join(fake, "etc", "passwd"), encoding="utf-8") as file:
        user, group = re.search(r"^telenumerus:[^:]*:(\d+):(\d+):", file.read(), flags=re.M).groups()
    data = os.stat(os.path.join(fake, "var", "lib", "telenumerus"))
    assert (data.st_uid, data.st_gid, data.st_mode & 0o777) == (int(user), int(group), 0o700)


def calls_made(work):
    """What the service asks of the kernel while it starts, serves an order and stops."""
    path, log = os.path.join(work, "traced"), os.path.join(work, "calls")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec strace -D -f -qq -c -U name -o {log} {BINARY} "$@"\n')
    os.chmod(path, 0o755)
    import service as real

    real.BINARY = path
    with real.Service() as service:
        real.BINARY = BINARY
        key = service.register(dollars=5)["api_key"]
        assert service.call("POST", "/api/v1/verify", {"platform": "google"}, key)[0] == 200
    for _ in range(50):
        if os.path.exists(log) and os.path.getsize(log):
            break
        time.sleep(0.1)
    with open(log, encoding="utf-8") as file:
        names = {line.strip() for line in file}
    return {name for name in names if re.fullmatch(r"[a-z_0-9]+", name)} - {"syscall", "total"}


with open(os.path.join(CONTRIB, "Dockerfile"), encoding="utf-8") as file:
    text = file.read()
run(os.path.join(os.path.dirname(sys.executable), "hadolint"), "--failure-threshold", "style", os.path.join(CONTRIB, "Dockerfile"))
first, last = stages(text)
with open(os.path.join(ROOT, "Cargo.toml"), encoding="utf-8") as file:
    wanted = re.search(r'rust-version = "(.+)"', file.read())[1]
assert dict(first)["FROM"].startswith(f"rust:{wanted}-"), "the image builds with the Rust that is asked for"
own = compose_file()
with tempfile.TemporaryDirectory() as work:
    os.chmod(work, 0o755)
    clean, image = os.path.join(work, "src"), os.path.join(work, "image")
    sent = context(clean)
    included(clean, sent)
    step = re.search(r"cargo build [^&]*", dict(first)["RUN"])[0].split()
    run("cargo", "metadata", "--locked", "--format-version=1", cwd=clean)
    if "--build" in sys.argv:
        run(*step, cwd=clean)
    if os.geteuid() == 0:
        laid_out(image, last)
        replay(image, last, own)
    else:
        print("NOT RUN: the image's last stage under chroot wants root")
    unit(work)
    made = calls_made(work)
    assert len(made) > 20, made
    # SQLite gives its files to the database's owner where it runs as root, as this test may: the unit's user is not.
    refused = made - allowed_calls() - ({"fchown"} if os.geteuid() == 0 else set())
    assert not refused, f"the unit does not allow {sorted(refused)}"
    print(f"{len(sent)} files make the image, it runs without anything else as its own user; the unit allows the {len(made)} system calls that the service makes")
    if "--build" not in sys.argv:
        print("NOT RUN: the build in the clean directory (image.py --build), and an engine: there is none")
