"""`make test`: the same set-up on servers of its own, then the tests. Other commands can run on these servers too."""

import fcntl
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from infra.native import processes, say, servers
from infra.native.child import die_with_parent
from infra.native.environment import prepare
from infra.native.layout import ROOT, Instance
from infra.native.settings import given, read_env, write_env
from infra.native.supervisor import Stopped


def run(instance: Instance, command: Sequence[str]) -> int:
    """Run a command with an instance's servers in its environment, and give back its exit code."""
    theirs = given()
    prepare(with_servers=servers.are_ours(theirs), with_browser=command[0] == "pytest")
    with _servers(instance, theirs) as urls:
        code = _wait_for(command, urls)
    say.step(f"{command[0]} ended with code {code}")
    return code


@contextmanager
def _servers(instance: Instance, theirs: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """The servers that run already, or our own, kept until nobody in this folder uses them any more."""
    instance.make()
    with (instance.folder / "users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with ExitStack() as until_the_end:
            try:
                supervisor = until_the_end.enter_context(servers.running(instance))
            except servers.InUse:
                yield read_env(instance)
                return
            urls = servers.start(instance, supervisor, theirs)
            write_env(instance, urls, theirs)
            yield urls
            fcntl.flock(users, fcntl.LOCK_EX)


def _with_us() -> None:
    die_with_parent(signal.SIGTERM)


def _wait_for(command: Sequence[str], urls: Mapping[str, str]) -> int:
    """At Ctrl-C the command hears it too; it gets a minute to tidy up."""
    running = subprocess.Popen(command, cwd=ROOT, env=processes.environment(urls), preexec_fn=_with_us)
    try:
        return running.wait()
    except Stopped:
        running.send_signal(signal.SIGINT)
        try:
            running.wait(60)
        except subprocess.TimeoutExpired:
            running.kill()
        raise
