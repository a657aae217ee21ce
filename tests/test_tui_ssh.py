"""The screens as most people see them: over a real SSH connection, here to a server of this test's own."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from launch_lab import eventually
from tui_terminal import LABTUI, Terminal, goes_on, restored, training

SSHD = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

pytestmark = pytest.mark.skipif(
    not (SSHD and shutil.which("ssh") and shutil.which("ssh-keygen")),
    reason="OpenSSH is not installed: apt-get install openssh-server openssh-client",
)

CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile {folder}/pid
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
LogLevel VERBOSE
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[list[str]]:
    """The beginning of an ssh command that reaches a server of this user's own."""
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    for name in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "config").write_text(CONFIG.format(port=port, folder=folder))
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where it shuts itself in; packages make it at boot
    log = folder / "log"
    with open(log, "wb") as out:
        process = subprocess.Popen([str(SSHD), "-D", "-e", "-f", str(folder / "config")], stderr=out)
    ssh = [
        str(shutil.which("ssh")), "-F", "none", "-p", str(port), "-i", str(folder / "user"),
        "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes",
        "-o", f"UserKnownHostsFile={folder / 'known'}", "-o", "LogLevel=ERROR",
        f"{getpass.getuser()}@127.0.0.1",
    ]  # fmt: skip
    try:
        end = time.monotonic() + 15
        while subprocess.run([*ssh, "true"], capture_output=True, check=False).returncode:
            if time.monotonic() > end or process.poll() is not None:
                pytest.skip(f"no login over SSH here: {log.read_text()[-500:]}")
            time.sleep(0.2)
        yield ssh
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def session(server: list[str], lab: Path) -> Iterator[Callable[[], Terminal]]:
    """Begin a session over SSH in which labtui is opened; its process writes its number to `pid`."""
    started: list[Terminal] = []

    def begin() -> Terminal:
        given = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), "XDG_CONFIG_HOME": str(lab / "config"),
                 "LANG": "C.UTF-8", "COLORTERM": "truecolor"}  # fmt: skip
        words = ["env", *(f"{name}={value}" for name, value in given.items()), *LABTUI, "--lab", str(lab)]
        remote = f"echo $$ > {shlex.quote(str(lab / 'pid'))}; exec {shlex.join(words)}"
        command = [*server[:-1], "-tt", server[-1], f"sh -c {shlex.quote(remote)}"]
        started.append(Terminal(command, (100, 30), TERM="xterm-256color"))
        return started[-1]

    yield begin
    for terminal in started:
        terminal.close()


def ended(pid: int) -> bool:
    """Whether a process is gone."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_session_whose_connection_drops_and_the_next_one(session, lab):
    run = training(lab)
    first = session()
    first.until("digits", "▶ running", "q quit")
    first.press("\r")
    first.until("overview", "train.loss")
    for _ in range(2):
        first.changed()
    pid = int((lab / "pid").read_text())
    assert not ended(pid)
    os.kill(first.pid, signal.SIGKILL)  # the client, as when the network or the laptop's lid does it
    eventually(lambda: ended(pid), 30)
    assert goes_on(run)

    second = session()
    second.until("digits", "▶ running", "q quit")
    second.press("/state=running\r")
    second.until("state=running", "▶ running")
    second.rest(1.0)
    second.press("\r")
    second.until("overview", "train.loss")
    second.changed()
    second.press("+")
    second.changed()
    second.press("n")
    second.until("Note on")
    second.press("seen from afar\r")
    eventually(lambda: second.rest(0.05) is not None and run.notes()["notes"], 30)
    second.press("q")
    assert second.ended() == 0 and restored(second.raw)
    assert goes_on(run)

    third = session()
    third.until("▶ running", "q quit")
    third.press("x")
    third.until("Stop “digits")
    third.press("y")
    third.until("1 stopped")
    third.press("q")
    assert third.ended() == 0
    assert run.status().state == "stopped"
    assert [note["text"] for note in run.notes()["notes"]] == ["seen from afar"]
