"""routex up: one command runs everything, keeps it running and ends it."""
import json
import os
import pathlib
import shutil
import signal
import socket
import tempfile
import threading

import dialects
from harness import Program, main, test, wait_until
from peers import Client


class Up:
    """A running `routex up` with its data in a folder of its own."""

    def __init__(self, build, *args, folder=None, env=None):
        self.build = build
        self.own = folder is None
        self.folder = folder or pathlib.Path(tempfile.mkdtemp(prefix="rtx-"))
        self.dir = self.folder / "d"
        self.args = args
        self.env = env

    def __enter__(self):
        self.program = Program(
            "up", [self.build / "routex", "up", "--data-dir", self.dir,
                   "--port", "0", "--admin-port", "0",
                   "--drain-timeout", "10s", *self.args],
            self.folder, env=self.env)
        try:
            wait_until(self.told, "up.json")
        except BaseException:
            self.show()
            self.program.kill()
            raise
        self.url = self.told()["client_url"]
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                assert self.program.stop() == 0, self.program.child.returncode
                self.program.check()
                wait_until(lambda: not self.left(), "every child to be gone")
            else:
                self.show()
        finally:
            if self.program.alive():
                self.program.kill()
            if self.own:
                shutil.rmtree(self.folder, ignore_errors=True)

    def show(self):
        print(self.program.err.read_text()[-6000:], flush=True)

    def told(self):
        assert self.program.alive(), "routex up has ended"
        try:
            told = json.loads((self.dir / "run" / "up.json").read_text())
        except FileNotFoundError:
            return None
        self.pids = told["pids"]
        return told if told["pids"]["up"] == self.program.pid else None

    def left(self):
        """Children that still run."""
        return [name for name, pid in self.pids.items()
                if pathlib.Path(f"/proc/{pid}/exe").exists()
                and "routex" in os.readlink(f"/proc/{pid}/exe")]

    def printed(self):
        return self.program.out.read_text()

    def key(self):
        line = [row for row in self.printed().splitlines()
                if "client key" in row][0]
        return line.split()[-1]

    def ask(self, dialect=dialects.ANTHROPIC, text="hello", key=None):
        with Client(self.url) as client:
            return client.request(
                "POST", dialect.path(), dialect.credential(key or self.key()),
                dialect.request(text=text))

    def cli(self, *words, env=None):
        """(exit code, stdout) of a command."""
        program = Program(
            "cli", [self.build / "routex", *words, "--data-dir", self.dir],
            self.folder, env=env)
        program.out.write_text("")
        return program.child.wait(30), program.out.read_text()


@test
def one_command_answers_the_first_request_without_any_account(build):
    with Up(build) as up:
        for dialect in dialects.ALL:
            answer = up.ask(dialect)
            assert answer.status == 200, answer.body
            assert b"You said: hello" in answer.body
        assert "demo provider answers" in up.printed()
        assert f"{up.url}/v1/messages" in up.printed()


@test
def first_words_come_once_and_the_key_stays_good(build):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rtx-"))
    try:
        with Up(build, folder=folder) as up:
            key = up.key()
            assert "admin token" in up.printed()
            for name in "master.key", "join.token":
                mode = (up.dir / name).stat().st_mode & 0o777
                assert mode == 0o600, (name, oct(mode))
        (folder / "up.out").write_text("")
        with Up(build, folder=folder) as up:
            assert "admin token" not in up.printed()
            assert key not in up.printed()
            assert up.ask(key=key).status == 200
    finally:
        shutil.rmtree(folder)


@test
def a_child_that_dies_comes_back_on_its_port(build):
    with Up(build, "--data-planes", "2") as up:
        key = up.key()
        for name in "data-1", "demo", "control":
            old = up.pids[name]
            os.kill(old, signal.SIGKILL)
            wait_until(lambda name=name, old=old: up.told() and
                       up.pids.get(name, old) != old, f"{name} to be back")
            wait_until(lambda: up.ask(key=key).status == 200,
                       f"an answer after {name} was killed")
        assert up.told()["client_url"] == up.url
        wait_until(lambda: up.cli("channel", "list", "--json")[0] == 0,
                   "the control plane to answer again")
        _, text = up.cli("channel", "list", "--json")
        assert json.loads(text)[0]["name"] == "demo", text


@test
def all_planes_share_the_port(build):
    with Up(build, "--data-planes", "3") as up:
        key = up.key()
        seen = set()

        def all_seen():
            with Client(up.url) as client:
                client.request("POST", "/v1/messages", {"x-api-key": key},
                               dialects.ANTHROPIC.request())
            code, text = up.cli("status", "--json")
            seen.update(p["id"] for p in json.loads(text)["planes"]
                        if p["requests"])
            return len(seen) == 3
        wait_until(all_seen, "a request on each of three planes", 60)


@test
def sigterm_lets_running_answers_finish(build):
    with Up(build) as up:
        got = []
        with Client(up.url) as client:
            client.send_request(
                "POST", "/v1/messages", {"x-api-key": up.key()},
                dialects.ANTHROPIC.request(
                    True, text="[[demo events=20 event-delay-ms=50]]"))
            answer = client.answer()
            pieces = answer.pieces()
            next(pieces)
            up.program.signal(signal.SIGTERM)
            got.extend(pieces)
            assert answer.clean and b"message_stop" in answer.body
        assert up.program.child.wait(10) == 0
        assert not (up.dir / "run" / "up.json").exists()


@test
def a_second_signal_hurries(build):
    up = Up(build)
    with up:
        with Client(up.url) as client:
            client.send_request(
                "POST", "/v1/messages", {"x-api-key": up.key()},
                dialects.ANTHROPIC.request(True, text="[[demo events=9 stall=6]]"))
            answer = client.answer()
            next(answer.pieces())
            up.program.signal(signal.SIGINT)
            threading.Event().wait(0.3)
            assert up.program.alive(), "it did not wait for the answer"
            up.program.signal(signal.SIGINT)
            assert up.program.child.wait(8) == 0


@test
def the_demo_runs_only_while_a_channel_needs_it(build):
    with Up(build) as up:
        assert up.pids["demo"] > 0
        demo = up.pids["demo"]
        assert up.cli("channel", "rm", "demo")[0] == 0
        wait_until(lambda: up.told() and "demo" not in up.pids,
                   "the demo to be ended")
        wait_until(lambda: not pathlib.Path(f"/proc/{demo}").exists(),
                   "its process to be gone")
        assert up.ask(dialects.CHAT).status == 503


@test
def it_ends_when_it_is_killed_itself(build):
    up = Up(build)
    with up:
        up.told()
        up.program.kill()
        wait_until(lambda: not up.left(), "the children to follow")
        up.program.expected.add(-signal.SIGKILL)
        up.program.stop = lambda: 0


@test
def a_port_that_is_taken_is_said_so(build):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        folder = pathlib.Path(tempfile.mkdtemp(prefix="rtx-"))
        port = taken.getsockname()[1]
        program = Program("up", [
            build / "routex", "up", "--data-dir", folder / "d", "--port",
            str(port)], folder)
        assert program.child.wait(10) == 1
        text = program.err.read_text()
        assert str(port) in text and "in use" in text, text
        shutil.rmtree(folder)


@test
def a_second_one_on_the_same_data_is_refused(build):
    with Up(build) as up:
        program = Program("second", [
            build / "routex", "up", "--data-dir", up.dir, "--port", "0",
            "--admin-port", "0"], up.folder)
        assert program.child.wait(10) == 1
        assert "another" in program.err.read_text()
        assert up.ask().status == 200


@test
def a_platform_is_known_by_its_environment(build):
    with Up(build, env={"RENDER": "true"}) as up:
        assert "RENDER" in up.printed()
        port = up.url.rsplit(":", 1)[1]
        with Client(f"http://127.0.0.2:{port}") as client:
            assert client.request("GET", "/health").status == 200


@test
def on_a_platform_one_port_has_clients_and_admin_api(build):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    for mark in ("CLAW_ENV", "RAILWAY_ENVIRONMENT", "FLY_APP_NAME"):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="rtx-"))
        program = Program(
            "up", [build / "routex", "up", "--data-dir", folder / "d"], folder,
            env={mark: "yes", "PORT": port, "ADMIN_PORT": port})
        try:
            told = folder / "d" / "run" / "up.json"
            wait_until(lambda: told.exists() or not program.alive(), "up.json")
            assert program.alive(), program.err.read_text()
            token = [line.split()[-1] for line in program.out.read_text()
                     .splitlines() if "admin token" in line][0]
            with Client(f"http://127.0.0.3:{port}") as client:
                answer = client.request("POST", "/api/session", {
                    "content-type": "application/json",
                    "x-forwarded-proto": "https"},
                    json.dumps({"token": token}).encode())
                assert answer.status == 201, (answer.status, answer.body)
                cookie = answer.header("set-cookie")
                assert "; Secure" in cookie, cookie
                answer = client.request("GET", "/api/session", {
                    "cookie": cookie.split(";")[0]})
                assert answer.json()["data"]["name"] == "first", answer.body
            assert program.stop() == 0
            program.check()
            out = Program("status", [build / "routex", "status"], folder,
                          env={mark: "yes"})
            assert out.child.wait(20) == 3
            assert "/data" in out.err.read_text(), out.err.read_text()
        finally:
            if program.alive():
                program.kill()
            shutil.rmtree(folder, ignore_errors=True)



main()
