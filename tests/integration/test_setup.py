"""The three questions of the first start, at a real terminal (a pty)."""
import fcntl
import json
import os
import pathlib
import pty
import select
import shutil
import signal
import subprocess
import tempfile
import termios
import time

from harness import Routex, main, test, wait_until
from peers import Client, Upstream

PASSWORD = "a long password"


class Terminal:
    """A program at a terminal of its own, spoken to as by a person."""

    def __init__(self, argv, env, deadline=60):
        self.master, slave = pty.openpty()
        self.deadline = deadline

        def own_terminal():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.child = subprocess.Popen(
            [str(word) for word in argv], stdin=slave, stdout=slave,
            stderr=slave, env=env, preexec_fn=own_terminal)
        os.close(slave)
        self.shown, self.at = "", 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(30)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        os.close(self.master)

    def read(self, end):
        ready, _, _ = select.select(
            [self.master], [], [], max(0, end - time.monotonic()))
        if not ready:
            raise AssertionError(f"nothing came; seen: {self.shown!r}")
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other side is gone
            data = b""
        self.shown += data.decode(errors="replace")
        return bool(data)

    def expect(self, text):
        """Wait for this to be shown behind what was expected before."""
        end = time.monotonic() + self.deadline
        while (found := self.shown.find(text, self.at)) < 0:
            if not self.read(end):
                raise AssertionError(f"no {text!r}: {self.shown!r}")
        self.at = found + len(text)

    def say(self, text=""):
        os.write(self.master, (text + "\n").encode())

    def answer(self, question, text=""):
        self.expect(question)
        if "ey" in question or "assword" in question:  # echo goes off first
            wait_until(lambda: not self.echoes(), "the echo to be off")
        self.say(text)

    def echoes(self):
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def end(self):
        end = time.monotonic() + self.deadline
        while self.read(end):
            pass
        return self.child.wait(30)


def environment(folder, **more):
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm",
            **{k: v for k, v in os.environ.items() if k.endswith("_OPTIONS")},
            **more}


def provider(call):
    good = call.header("authorization") == "Bearer sk-the-good-one-1234"
    call.answer_json({"object": "list", "data": []} if good else {
        "error": {"message": "no such key"}}, 200 if good else 401)


def ask(url, method, path, body=None, headers=()):
    with Client(url) as client:
        return client.request(
            method, path, {"content-type": "application/json",
                           **dict(headers)},
            None if body is None else json.dumps(body).encode())


def setup(r, *words, **env):
    return Terminal([r.build / "routex", "setup", "--data-dir", r.data_dir,
                     *words], environment(r.folder, **env))


def token_of(text):
    return next(line.split()[-1] for line in text.splitlines()
                if "admin token" in line)


@test
def the_first_start_in_a_terminal_offers_the_three_steps(build):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rtx-"))
    try:
        with Upstream(provider) as upstream, Terminal(
                [build / "routex", "up", "--data-dir", folder / "d", "--port",
                 "0", "--admin-port", "0"], environment(folder)) as t:
            t.expect("is up")
            t.answer("Set it up now?", "y")
            t.answer("Number or name: ", "nonsense")
            t.expect("no provider \"nonsense\"")
            t.answer("Number or name: ", "openai-compatible")
            t.answer("Base URL: ", upstream.url + "/v1")
            t.answer("API key", "sk-a-wrong-one-5678")
            t.answer("Name [openai-compatible]: ", "main")
            t.expect("it does not: no such key")
            t.expect("[k]ey again")
            t.say("k")
            t.answer("API key", "sk-the-good-one-1234")
            t.expect("it works.")
            t.answer("Number: ", "3")
            t.expect("It is round_robin now.")
            t.answer("Name [admin]: ", "boss")
            t.answer("Password", PASSWORD)
            t.answer("Once more: ", "something else")
            t.expect("They differ.")
            t.answer("Password", "short")
            t.answer("Once more: ", "short")
            t.expect("at least 10 characters")
            t.answer("Name [admin]: ", "boss")
            t.answer("Password", PASSWORD)
            t.answer("Once more: ", PASSWORD)
            t.expect("boss can log in")
            t.expect("Done.")
            assert t.echoes()
            told = json.loads((folder / "d/run/up.json").read_text())
            url, token = told["admin_url"], token_of(t.shown)
            mine = {"authorization": f"Bearer {token}"}
            channels = ask(url, "GET", "/api/channels",
                           headers=mine).json()["data"]
            assert {c["name"]: c["status"] for c in channels} == {
                "main": "enabled", "demo": "disabled"}, channels
            settings = ask(url, "GET", "/api/settings", headers=mine).json()
            assert settings["data"]["strategy"] == "round_robin", settings
            entry = ask(url, "POST", "/api/session", {
                "name": "boss", "password": PASSWORD})
            assert entry.status == 201, entry.body
            for secret in (PASSWORD, "sk-the-good-one", "sk-a-wrong-one"):
                assert secret not in t.shown, secret
            t.child.send_signal(signal.SIGTERM)
            assert t.end() == 0, t.child.returncode
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@test
def a_second_start_and_who_says_so_are_not_asked(build):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rtx-"))
    argv = [build / "routex", "up", "--data-dir", folder / "d", "--port", "0",
            "--admin-port", "0"]
    try:
        for words, env in ((["--yes"], {}), ([], {}), ([], {"CI": "true"})):
            if env:
                shutil.rmtree(folder / "d")  # a first start again
            with Terminal(argv + words, environment(folder, **env)) as t:
                t.expect("Ctrl-C ends it")
                t.child.send_signal(signal.SIGTERM)
                assert t.end() == 0, t.child.returncode
                assert "Set it up" not in t.shown, t.shown
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@test
def enter_passes_over_each_step_and_changes_nothing(build):
    with Routex(build, planes=0) as r:
        before = [r.admin.get(p)["data"] for p in (
            "/api/channels", "/api/settings", "/api/users")]
        with setup(r) as t:
            t.answer("Number or name: ")
            t.answer("Number: ")
            t.answer("Name [admin]: ")
            t.answer("Password")
            assert t.end() == 0, t.shown
            assert "Done." in t.shown
        with setup(r, "--first") as t:
            t.answer("[Y/n] ", "n")
            assert t.end() == 0, t.shown
            assert "1." not in t.shown, t.shown
        assert before == [r.admin.get(p)["data"] for p in (
            "/api/channels", "/api/settings", "/api/users")]


@test
def it_runs_again_and_leaves_users_alone(build):
    with Upstream(provider) as upstream, Routex(build, planes=0) as r:
        r.admin.post("/api/users", {"name": "a", "password": PASSWORD})
        with setup(r) as t:
            t.answer("Number or name: ", "openai-compatible")
            t.answer("Base URL: ", upstream.url + "/v1")
            t.answer("API key", "sk-a-wrong-one-5678")
            t.answer("Name [openai-compatible]: ", "gone")
            t.expect("it does not")
            t.expect("[d]rop it?")
            t.say("d")
            t.expect("It is gone.")
            t.answer("Number: ", "99")
            t.expect("There are users already.")
            assert t.end() == 0, t.shown
        assert r.admin.get("/api/channels")["data"] == []


@test
def it_speaks_the_language_of_the_environment(build):
    with Routex(build, planes=0) as r:
        with setup(r, LANG="zh_CN.UTF-8") as t:
            t.answer("编号或名称：")
            t.expect("轮流使用")
            t.answer("编号：")
            t.answer("名称 [admin]：")
            t.expect("密码")
            wait_until(lambda: not t.echoes(), "the echo to be off")
            t.say("short")
            t.expect("再次输入：")
            wait_until(lambda: not t.echoes(), "the echo to be off")
            t.say("short")
            # The control plane's words, too.
            t.expect("操作失败：password：至少需要 10 个字符")
            t.answer("名称 [admin]：")
            t.expect("密码")
            wait_until(lambda: not t.echoes(), "the echo to be off")
            t.say("")
            t.expect("完成")
            assert t.end() == 0, t.shown


@test
def it_asks_nobody_who_is_not_there(build):
    with Routex(build, planes=0) as r:
        done = subprocess.run(
            [r.build / "routex", "setup", "--data-dir", r.data_dir],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env=environment(r.folder), timeout=60)
        assert done.returncode == 2, done
        assert "needs a terminal" in done.stderr, done
        with setup(r, CI="1") as t:
            assert t.end() == 2, t.shown


@test
def a_terminal_shows_what_is_typed_again_after_ctrl_c(build):
    with Routex(build, planes=0) as r:
        with setup(r) as t:
            t.answer("Number or name: ", "openai")
            t.expect("API key")
            wait_until(lambda: not t.echoes(), "the echo to be off")
            os.write(t.master, b"\x03")
            assert t.child.wait(30) == 128 + signal.SIGINT, t.shown
            assert t.echoes()


main()
