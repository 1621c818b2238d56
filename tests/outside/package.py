"""The Debian package: read by lintian, and installed, used, upgraded, removed and purged where systemd is the first process.

That is a layer over this machine's own root, in namespaces of its own: what is installed there is gone with them, nothing of the machine changes, and the only network is a loopback.
The package is of the binary that the tests run. Its maintainer scripts run as dpkg runs them, its unit as systemd runs it, with everything that the unit forbids.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
CONFIG, DATA = "/etc/telenumerus/telenumerus.toml", "/var/lib/telenumerus"

# The first process of the namespaces. What a machine does to its kernel at a start is not done here: that is nobody's but the machine's.
BOOT = r"""
set -eu
layer=$1/layer root=$1/layer/root
mount -t tmpfs -o mode=755 tmpfs $layer
mkdir $layer/upper $layer/work $root
mount -t overlay overlay -o lowerdir=/,upperdir=$layer/upper,workdir=$layer/work $root
cp $1/*.deb $root/var/cache/
cd $root
mount -t proc proc proc
mount -o bind,ro proc/sys proc/sys
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do touch dev/$device; mount --bind /dev/$device dev/$device; done
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 sys/fs/cgroup
else
    mount -t tmpfs tmpfs sys/fs/cgroup
    mkdir sys/fs/cgroup/unified sys/fs/cgroup/systemd
    mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
    mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
: > etc/fstab
# Images for containers forbid dpkg to start anything.
rm -f usr/sbin/policy-rc.d
for unit in sysctl modules-load remount-fs udevd udev-trigger timesyncd networkd resolved random-seed pstore; do ln -sf /dev/null etc/systemd/system/systemd-$unit.service; done
ln -sf /dev/null etc/systemd/system/timers.target
export container=telenumerus-judge
# No chroot: who is in one may make no namespace of users, and the unit does.
mkdir -p mnt/judge
pivot_root . mnt/judge
exec chroot . sh -c "umount -l /mnt/judge && exec /lib/systemd/systemd --unit=basic.target --show-status=no"
"""


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr


class Machine:
    """Debian with systemd, until it is left."""

    def __init__(self, work):
        os.mkdir(os.path.join(work, "layer"))
        # A part of the control groups of its own, which systemd takes for all there are.
        self.groups = []
        with open("/proc/self/cgroup", encoding="utf-8") as file:
            places = {controllers: path for _, controllers, path in (line.strip().split(":", 2) for line in file)}
        for mount, controllers in (("/sys/fs/cgroup/unified", ""), ("/sys/fs/cgroup", ""), ("/sys/fs/cgroup/systemd", "name=systemd")):
            if controllers in places and os.path.exists(f"{mount}{places[controllers]}/cgroup.procs"):
                self.groups.append(f"{mount}{places[controllers].rstrip('/')}/telenumerus-judge-{os.getpid()}")
                os.mkdir(self.groups[-1])
        joined = "".join(f"echo $$ > {group}/cgroup.procs; " for group in self.groups)
        apart = "unshare --mount --pid --fork --kill-child --cgroup --ipc --uts --net --propagation private"
        self.log = open(os.path.join(work, "boot"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(["sh", "-c", f'{joined} exec {apart} sh -c "$0" boot {work}', BOOT], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def __enter__(self):
        for _ in range(600):
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="utf-8") as file:
                self.first = file.read().strip()
            if self.first and self.tried("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"):
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.log.seek(0)
        log = self.log.read()
        self.__exit__()
        sys.exit(f"systemd does not start: {log}")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
        for group in self.groups:
            for _ in range(100):
                # From the innermost outwards, once the kernel has ended the last process.
                try:
                    for directory, _, _ in os.walk(group, topdown=False):
                        os.rmdir(directory)
                    break
                except OSError:
                    time.sleep(0.1)

    def tried(self, *command, **more):
        """A command in there, whatever comes of it."""
        return subprocess.run(["nsenter", f"--target={self.first}", "--all", "--root", "--wd", *command], capture_output=True, text=True, stdin=subprocess.DEVNULL, **more)

    def run(self, *command):
        done = self.tried(*command)
        if done.returncode:
            log = self.tried("journalctl", "--no-pager", "--lines=40").stdout
            sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}\n{log}")
        return done.stdout

    def dpkg(self, *words):
        return self.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", *words)

    def stat(self, *paths):
        return [tuple(line.split()) for line in self.run("stat", "--format=%a %U %G", *paths).splitlines()]

    def is_there(self, path):
        return self.tried("test", "-e", path).returncode == 0

    def shown(self, what):
        return self.run("systemctl", "show", "telenumerus", f"--property={what}", "--value").strip()

    def call(self, path, *options):
        return json.loads(self.run("python3", "-c", CALL, f"http://127.0.0.1:8080{path}", *options))


CALL = """
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], method=sys.argv[2], headers={"Authorization": "Bearer " + sys.argv[3]} if len(sys.argv) > 3 else {})
if sys.argv[2] == "POST": request.data = b"{}"; request.add_header("Content-Type", "application/json")
print(urllib.request.urlopen(request, timeout=30).read().decode())
"""


def packed(work):
    """Two packages of the same binary, and what Debian's checker says of one."""
    for revision in ("1", "2"):
        run("cargo", "xtask", "deb", "--debug", "--revision", revision, "--out", work, cwd=ROOT)
    found = sorted(os.path.join(work, name) for name in os.listdir(work) if name.endswith(".deb"))
    assert len(found) == 2, found
    said = subprocess.run(["lintian", "--allow-root", "--fail-on=error,warning", "--tag-display-limit=0", found[0]], capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr
    again = os.path.join(work, "again")
    run("cargo", "xtask", "deb", "--debug", "--out", again, cwd=ROOT)
    with open(found[0], "rb") as one, open(os.path.join(again, os.path.basename(found[0])), "rb") as other:
        assert one.read() == other.read(), "the same sources make the same package"
    return [os.path.basename(path) for path in found]


def installed(machine, package):
    machine.dpkg("--purge", "telenumerus")
    machine.dpkg("--install", f"/var/cache/{package}")
    assert machine.stat(CONFIG, os.path.dirname(CONFIG), DATA, "/var/backups/telenumerus") == [
        ("640", "root", "telenumerus"),
        ("750", "root", "telenumerus"),
        ("700", "telenumerus", "telenumerus"),
        ("700", "telenumerus", "telenumerus"),
    ]
    assert machine.tried("systemctl", "is-enabled", "telenumerus").stdout.strip() == "disabled" and machine.shown("ActiveState") == "inactive", "it waits to be configured"
    machine.run("telenumerus", "config", "check", CONFIG)
    machine.run("bash", "-c", "source /usr/share/bash-completion/completions/telenumerus && complete -p telenumerus")
    for page in ("telenumerus.1.gz", "telenumerus-serve.1.gz"):
        assert machine.is_there(f"/usr/share/man/man1/{page}"), page
    documentation = re.search(r"^Documentation=file://(\S+)", machine.run("cat", "/lib/systemd/system/telenumerus.service"), flags=re.M)[1]
    assert machine.is_there(documentation), f"the unit speaks of {documentation}"
    for path in re.findall(r"/usr/share/doc/telenumerus/[\w./-]+\w", machine.run("cat", CONFIG)):
        assert machine.is_there(path), f"the configuration speaks of {path}"


def serves(machine):
    """It has started once systemd says so, is confined as the unit says, and answers."""
    machine.run("systemctl", "enable", "--now", "telenumerus")
    assert machine.shown("ActiveState") == "active" and machine.shown("StatusText"), "it has told systemd"
    status = dict(line.split(":\t", 1) for line in machine.run("cat", f"/proc/{machine.shown('MainPID')}/status").splitlines() if ":\t" in line)
    assert (status["NoNewPrivs"], status["Seccomp"], status["CapEff"]) == ("1", "2", "0" * 16), status
    assert "0" not in status["Uid"].split(), "it is not root"
    machine.run("telenumerus", "health", "--url", "http://127.0.0.1:8080")
    key = machine.call("/api/v1/register", "POST")["api_key"]
    machine.run("runuser", "-u", "telenumerus", "--", "telenumerus", "--data-dir", DATA, "audit", "verify")
    return key


def upgraded(machine, package, key):
    """The configuration is the operator's, with its owner and mode; what was told is there; the process is a new one."""
    machine.run("sh", "-c", f"printf '\\n[log]\\naccess = false\\n' >> {CONFIG} && chmod 0600 {CONFIG} && chown telenumerus {CONFIG}")
    before, text = machine.shown("MainPID"), machine.run("cat", CONFIG)
    machine.dpkg("--install", f"/var/cache/{package}")
    assert machine.run("cat", CONFIG) == text and machine.stat(CONFIG) == [("600", "telenumerus", "telenumerus")], "the configuration is kept"
    assert machine.shown("ActiveState") == "active" and machine.shown("MainPID") != before, "the new binary runs"
    assert machine.call("/api/v1/account", "GET", key)["account_id"]
    machine.run("systemctl", "stop", "telenumerus")
    machine.dpkg("--install", f"/var/cache/{package}")
    assert machine.shown("ActiveState") == "inactive", "what the operator has stopped stays stopped"
    machine.run("systemctl", "start", "telenumerus")


def removed(machine):
    process = machine.shown("MainPID")
    machine.dpkg("--remove", "telenumerus")
    assert not machine.is_there(f"/proc/{process}/exe") and not machine.is_there("/usr/bin/telenumerus"), "it is stopped and gone"
    assert machine.is_there(CONFIG) and machine.is_there(f"{DATA}/events.db")
    machine.dpkg("--purge", "telenumerus")
    assert not machine.is_there(os.path.dirname(CONFIG)), "nothing in /etc is left"
    assert machine.is_there(f"{DATA}/events.db"), "the log is"
    left = machine.run("sh", "-c", "find /etc/systemd /var/lib/systemd /usr/share /usr/lib /lib/systemd -name '*telenumerus*'").split()
    assert not left, left


with tempfile.TemporaryDirectory() as work:
    os.chmod(work, 0o755)
    first, second = packed(work)
    size = os.path.getsize(os.path.join(work, first))
    if os.geteuid() != 0:
        print(f"{first} ({size} bytes) is to lintian's liking\nNOT RUN: its installation wants root")
    elif not shutil.which("nsenter") or "overlay" not in open("/proc/filesystems", encoding="utf-8").read():
        print(f"{first} ({size} bytes) is to lintian's liking\nNOT RUN: its installation wants layers (overlay) of the kernel, and nsenter")
    else:
        with Machine(work) as machine:
            installed(machine, first)
            key = serves(machine)
            upgraded(machine, second, key)
            removed(machine)
        print(f"{first} ({size} bytes) is to lintian's liking; it installs, serves as a unit of systemd, is upgraded, removed and purged")
