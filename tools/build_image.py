"""Check the Dockerfile without a container engine: lint it, build it, start it, print the image's size.

Needs root on Debian. The base is made by debootstrap and given the name that the Dockerfile asks for, so
nothing comes from a container registry. All of it happens in a temporary folder and is removed after.
Where there is an engine, `docker build .` is all it takes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from configparser import ConfigParser
from pathlib import Path

from tools.setup import Clock, SetupFailed, install_program

ROOT = Path(__file__).resolve().parent.parent
NAME = "localhost/comments-service"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
AUTHORITIES_INSIDE = "/run/authorities.crt"
NOT_IN_SLIM = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info")
# Serves on a free port with a database of its own, waits for the health check, stops it by TERM
SMOKE = """
import os, signal, socket, subprocess, sys, time, urllib.request
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
environment = os.environ | {"COMMENTS_PORT": str(port), "COMMENTS_HOST": "127.0.0.1"}
service = subprocess.Popen(["comments", "serve"], env=environment)
answer = ""
for _ in range(100):
    try:
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2).status
        break
    except OSError:
        time.sleep(0.2)
service.send_signal(signal.SIGTERM)
print(f"image: runs as uid {os.getuid()}, ready with {answer}, ended with {service.wait(30)}")
sys.exit(0 if answer == 200 and service.returncode == 0 and os.getuid() else 1)
"""


def main() -> int:
    """Do the whole round; 0 when the image was built and served."""
    if os.geteuid() != 0:
        print("image: needs root; with a container engine of your own: docker build .", file=sys.stderr)
        return 1
    try:
        for program in ("buildah", "debootstrap"):
            install_program(program, Clock())
        build_and_try()
    except SetupFailed as failure:
        print(f"image: {failure}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failure:
        print(f"image: this failed: {failure.cmd[:1]} … {failure.cmd[-1]}", file=sys.stderr)
        return 1
    return 0


def build_and_try() -> None:
    """Lint, build, start, weigh; leave nothing behind."""
    subprocess.run([str(Path(sys.executable).parent / "hadolint"), str(ROOT / "Dockerfile")], check=True)
    with tempfile.TemporaryDirectory(prefix="comments-image-") as folder:
        builder = Buildah(Path(folder))
        for base in sorted(bases()):
            builder.make_base(base)
        builder.build()
        builder.try_out()
        print(f"image: {builder.size_bytes() / 1_000_000:.0f} MB, base included")


def bases() -> set[str]:
    """The images that the Dockerfile starts from."""
    text = (ROOT / "Dockerfile").read_text()
    return set(re.findall(r"^FROM (debian:\S+)", text, flags=re.MULTILINE))


def way_to_registry() -> ConfigParser:
    """This machine's configuration of pip, without folders that the build does not see."""
    config = ConfigParser(interpolation=None)
    config.read("/etc/pip.conf")
    if not config.has_section("global"):
        config.add_section("global")
    for name in ("index-url", "extra-index-url", "find-links"):
        value = os.environ.get(
            f"PIP_{name.upper().replace('-', '_')}", config.get("global", name, fallback="")
        )
        config.set(
            "global", name, " ".join(part for part in value.split() if "://" in part and "file:" not in part)
        )
        if not config.get("global", name):
            config.remove_option("global", name)
    if AUTHORITIES.exists():
        config.set("global", "cert", AUTHORITIES_INSIDE)
    return config


class Buildah:
    """buildah with a storage of its own below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        storage = ("--root", str(folder / "storage"), "--runroot", str(folder / "run"))
        self.command = ("buildah", *storage, "--storage-driver", "vfs")

    def call(self, *arguments: str, quiet: bool = False) -> str:
        """Run one buildah command that must succeed; returns what it printed."""
        errors = subprocess.DEVNULL if quiet else None
        done = subprocess.run(
            [*self.command, *arguments], check=True, text=True, stdout=subprocess.PIPE, stderr=errors
        )
        return done.stdout.strip()

    def make_base(self, name: str) -> None:
        """Make a Debian of the wanted release and store it under the base's name."""
        release = name.removeprefix("debian:").split("-")[0]
        tree = self.folder / "base"
        print(f"image: making {name} by debootstrap", flush=True)
        command = ["debootstrap", "--variant=minbase", release, str(tree)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for unwanted in (*NOT_IN_SLIM, "var/lib/apt/lists", "var/cache/apt/archives"):
            shutil.rmtree(tree / unwanted, ignore_errors=True)
        container = self.call("from", "scratch")
        self.call("add", container, str(tree), "/")
        self.call("commit", "--quiet", container, f"docker.io/library/{name}")
        self.call("rm", container)
        shutil.rmtree(tree)

    def build(self) -> None:
        """Build the Dockerfile as it is, with this machine's own way to the registry."""
        print("image: building", flush=True)
        pip_conf = self.folder / "pip.conf"
        with pip_conf.open("w") as file:
            way_to_registry().write(file)
        volumes = [f"--volume={pip_conf}:/etc/pip.conf:ro"]
        if AUTHORITIES.exists():
            volumes.append(f"--volume={AUTHORITIES}:{AUTHORITIES_INSIDE}:ro")
        options = ("--isolation", "chroot", "--pull-never", "--format", "docker", "--quiet")
        self.call("bud", *options, *volumes, "--tag", NAME, str(ROOT))

    def try_out(self) -> None:
        """Start the service in the image, as the image's own user, and ask whether it is ready."""
        container = self.call("from", "--pull-never", NAME)
        print(self.call("run", "--isolation", "chroot", container, "--", "python3", "-c", SMOKE))
        self.call("rm", container)

    def size_bytes(self) -> int:
        """The size of the image, all layers together."""
        images = json.loads(self.call("images", "--json"))
        sizes = [image["size"] for image in images if any(NAME in tag for tag in image["names"] or ())]
        number, unit = re.fullmatch(r"([\d.]+) ?(\w+)", sizes[0]).groups()  # type: ignore[union-attr]
        return int(float(number) * {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9}[unit.upper()])


if __name__ == "__main__":
    sys.exit(main())
