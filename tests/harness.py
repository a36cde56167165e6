"""Runs the real programs for a test, and the tests of one file.

    from harness import Routex, main, test

    @test
    def a_wrong_key_is_refused(build):
        with Routex(build) as r:
            ...

    main()

A test is a function whose name says what it proves.  Programs run in a new
folder under /tmp, on ports the kernel picks, and never outlive the test.
When a test fails, what its programs wrote to stderr is shown.  A sanitizer's
report, or a program that died by itself, fails the test that ran it.
"""
import concurrent.futures
import contextlib
import ctypes
import inspect
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback

from peers import Client

TESTS = []
ROOT = pathlib.Path(__file__).resolve().parent.parent
LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
SANITIZER = (":abort_on_error=1:quarantine_size_mb=8:detect_leaks=1:strict_string_checks=1"
             ":print_stacktrace=1:halt_on_error=1")


def fixtures():
    """The recorded exchanges, which live beside the repository."""
    given = os.environ.get("ROUTEX_FIXTURES")
    return pathlib.Path(given or ROOT.parent / "shared" / "fixtures")


def skip(why):
    """This file cannot run on this machine: ctest and tests/run say so."""
    print(f"skipped: {why}")
    sys.exit(77)


def wants_fixtures():
    """Skips a file of recorded exchanges where there are none; a folder that
    is named must be there."""
    if not fixtures().exists() and not os.environ.get("ROUTEX_FIXTURES"):
        skip("no recorded exchanges: ROUTEX_FIXTURES names their folder")


def sanitized(build):
    """Do programs of this build carry shadow memory?  Sizes mean nothing."""
    return b"__asan_init" in (pathlib.Path(build) / "routex-data").read_bytes()


def wait_until(condition, what, deadline=15.0):
    """Polls until `condition()` is true and returns its value."""
    end = time.monotonic() + deadline
    while True:
        if value := condition():
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline:g} s: {what}")
        time.sleep(0.005)


class Program:
    """One running program.  Its output goes to files in `folder`."""

    def __init__(self, name, argv, folder, env=None, limits=()):
        self.name = name
        self.folder = folder
        self.out = folder / f"{name}.out"
        self.err = folder / f"{name}.err"
        self.expected = {0}
        full = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"),
                "HOME": str(folder), "LC_ALL": "C.UTF-8",
                "ASAN_OPTIONS": f"log_path={folder}/report.{name}{SANITIZER}",
                "UBSAN_OPTIONS": f"log_path={folder}/report.{name}{SANITIZER}",
                "LSAN_OPTIONS": "print_suppressions=0:suppressions="
                                f"{ROOT}/tests/lsan.supp",
                **(env or {})}

        def before_exec():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            for what, most in limits:
                resource.setrlimit(what, (most, most))

        with open(self.out, "ab") as out, open(self.err, "ab") as err:
            self.child = subprocess.Popen(
                [str(word) for word in argv], stdout=out, stderr=err,
                stdin=subprocess.DEVNULL, env=full, cwd=folder,
                preexec_fn=before_exec)
        self.pid = self.child.pid

    def alive(self):
        return self.child.poll() is None

    def kill(self):
        """kill -9, and wait until it is gone."""
        self.expected.add(-signal.SIGKILL)
        self.child.kill()
        self.child.wait()

    def signal(self, number):
        self.child.send_signal(number)

    def stop(self, deadline=20):
        """SIGTERM; the program must end by itself."""
        if self.alive():
            self.child.terminate()
        try:
            return self.child.wait(deadline)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"{self.name} did not end within {deadline} s of SIGTERM"
            ) from None

    def rss(self):
        """Resident bytes now."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) << 10

    def check(self):
        code = self.child.poll()
        if code is not None and code not in self.expected:
            raise AssertionError(f"{self.name} ended with {code}")
        for report in self.folder.glob(f"report.{self.name}.*"):
            raise AssertionError(
                f"{self.name}: {report.read_text(errors='replace')[:4000]}")


class Failed(Exception):
    """The admin API refused: `status`, `error`."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body[:300]!r}")
        self.status = status
        self.body = body


class Admin:
    """The admin API with a token."""

    def __init__(self, url, token):
        self.url = url
        self.token = token

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.token}"}
        if data is not None:
            headers["content-type"] = "application/json"
        with Client(self.url) as client:
            answer = client.request(method, path, headers, data)
        if answer.status >= 300:
            raise Failed(answer.status, answer.body)
        return answer.json() if answer.body else {}

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body=None):
        return self.call("POST", path, {} if body is None else body)

    def rows(self, query=""):
        """Every row of /api/requests, newest first."""
        rows, cursor = [], ""
        while True:
            more = f"&cursor={cursor}" if cursor else ""
            page = self.get(f"/api/requests?limit=200{query}{more}")
            rows += page["data"]
            cursor = page.get("next")
            if not cursor:
                return rows


class Routex:
    """Both planes in a folder of their own.

    `channels` are created at the start and are in force when the block
    begins.  `demo=True` starts the demo provider and its channel instead.
    """

    def __init__(self, build, channels=(), planes=1, demo=False,
                 data_args=(), control_args=(), demo_args=(), limits=()):
        self.build = pathlib.Path(build)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rtx-"))
        self.data_dir = self.folder / "d"
        self.run_dir = self.data_dir / "run"
        self.wanted = list(channels)
        self.plane_count = planes
        self.with_demo = demo
        self.data_args = list(data_args)
        self.control_args = list(control_args)
        self.demo_args = list(demo_args)
        self.limits = limits
        self.programs = []
        self.planes = {}
        self.control = None
        self.demo = None
        self.demo_url = None
        self.admin = None
        self.key = None

    # -- starting and stopping -------------------------------------------

    def __enter__(self):
        try:
            if self.with_demo:
                self.start_demo()
            self.start_control()
            first = json.loads(wait_until(
                self._first_words, "the control plane's first credentials"))
            self.admin = Admin(self.control_url, first["admin_token"])
            self.key = first["client_key"]
            for channel in self.wanted:
                self.admin.post("/api/channels", channel)
            for number in range(self.plane_count):
                self.start_plane(f"data-{number + 1}")
            self.settle()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                for program in reversed(self.programs):
                    program.stop()
                for program in self.programs:
                    program.check()
            else:
                self.show()
        finally:
            for program in self.programs:
                if program.alive():
                    program.kill()
            if not os.environ.get("ROUTEX_KEEP"):
                shutil.rmtree(self.folder, ignore_errors=True)

    def show(self):
        last = {p.name: p for p in self.programs}  # restarts share a file
        for program in last.values():
            text = program.err.read_text(errors="replace")
            code = program.child.poll()
            state = "running" if code is None else f"exit {code}"
            print(f"--- {program.name} ({state})\n{text[-4000:]}", flush=True)
        for report in sorted(self.folder.glob("report.*")):
            text = report.read_text(errors="replace")
            print(f"--- {report.name}\n{text[:8000]}", flush=True)

    def _first_words(self):
        lines = self.control.out.read_text().splitlines()
        return next((line for line in lines if line.startswith("{")), None)

    def start(self, name, argv, **more):
        program = Program(name, argv, self.folder, **more)
        self.programs.append(program)
        return program

    def _told(self, program, name):
        """What a daemon wrote about itself once it listens."""
        def read():
            if not program.alive():
                raise AssertionError(
                    f"{program.name} ended with {program.child.returncode}")
            try:
                told = json.loads((self.run_dir / name).read_text())
            except (FileNotFoundError, ValueError):
                return None
            return told if told["pid"] == program.pid else None
        return wait_until(read, f"{program.name} to listen")

    def start_control(self, limits=()):
        program = self.start("control", [
            self.build / "routex-control", "--data-dir", self.data_dir,
            "--host", "127.0.0.1", "--admin-port", self._old_admin_port(),
            "--publish", self.publish_url, "--pull", self.pull_url, "--json",
            *(["--demo-url", self.demo_url] if self.demo_url else []),
            *self.control_args], limits=limits)
        self.control = program
        self.control_url = self._told(program, "control.json")["admin_url"]
        if self.admin:
            self.admin.url = self.control_url
        return program

    def _old_admin_port(self):
        """A restarted control plane comes back where it was."""
        return self.control_url.rsplit(":", 1)[1] if self.admin else "0"

    @property
    def publish_url(self):
        return f"ipc://{self.run_dir}/pub.sock"

    @property
    def pull_url(self):
        return f"ipc://{self.run_dir}/pull.sock"

    def start_plane(self, name, args=(), limits=None):
        program = self.start(name, [
            self.build / "routex-data", "--data-dir", self.data_dir,
            "--plane", name, "--host", "127.0.0.1", "--port", "0",
            "--ops-port", "0", "--control",
            f"{self.publish_url},{self.pull_url}",
            "--join-token-file", self.data_dir / "join.token",
            "--admin-url", self.control_url,
            "--drain-timeout", "10", *self.data_args, *args],
            limits=self.limits if limits is None else limits)
        told = self._told(program, f"{name}.json")
        program.url = told["client_url"]
        program.ops_url = told["ops_url"]
        self.planes[name] = program
        return program

    def start_demo(self):
        port_file = self.folder / "demo.port"
        self.demo_log = self.folder / "demo.log"
        self.demo = self.start("demo", [
            self.build / "routex-demo", "--port", "0",
            "--port-file", port_file, "--log", self.demo_log,
            *self.demo_args])
        self.demo.expected.add(-signal.SIGTERM)
        port = wait_until(
            lambda: port_file.exists() and port_file.read_text().strip(),
            "the demo provider to listen")
        self.demo_url = f"http://127.0.0.1:{port}"

    def restart_control(self):
        if self.control.alive():
            self.control.kill()
        return self.start_control()

    def restart_plane(self, name="data-1", **more):
        if self.planes[name].alive():
            self.planes[name].kill()
        return self.start_plane(name, **more)

    # -- looking ----------------------------------------------------------

    @property
    def plane(self):
        return self.planes["data-1"]

    @property
    def url(self):
        return self.plane.url

    def health(self, name="data-1"):
        with Client(self.planes[name].url) as client:
            return client.request("GET", "/health").json()

    def settle(self):
        """Waits until every data plane applies what the admin API says."""
        known = len(self.admin.get("/api/channels?limit=200")["data"])
        marker = self.admin.post("/api/keys", {
            "name": f"settle-{time.monotonic_ns()}", "tenant": "default",
        })["data"]
        for name in self.planes:
            wait_until(lambda name=name: self.admits(name, marker["key"]),
                       f"{name} to apply the configuration")
            health = self.health(name)
            assert health["channels"]["total"] == known, (health, known)
        self.admin.call("DELETE", f"/api/keys/{marker['id']}")

    def configure(self, **settings):
        """Changes settings, in force when it returns."""
        self.admin.call("PATCH", "/api/settings", settings)
        self.settle()

    def forget(self):
        """Every data plane forgets what it learnt about channels."""
        for channel in self.admin.get("/api/channels")["data"]:
            self.admin.post(f"/api/channels/{channel['id']}/reset")
        for name in self.planes:
            def is_well(name=name):
                channels = self.health(name)["channels"]
                return channels["available"] == channels["enabled"]
            wait_until(is_well, f"{name} to forget its troubles")

    def admits(self, name, key):
        with Client(self.planes[name].url) as client:
            return client.request("GET", "/v1/models", {
                "authorization": f"Bearer {key}"}).status == 200

    def new_key(self, **fields):
        made = self.admin.post("/api/keys", {
            "name": f"k{time.monotonic_ns()}", "tenant": "default",
            **fields})["data"]
        self.settle()
        return made["key"]

    def rows(self, count=None, deadline=15):
        """Rows of /api/requests; with `count`, once there are that many."""
        if count is None:
            return self.admin.rows()
        wait_until(lambda: len(self.admin.rows()) >= count,
                   f"{count} rows in /api/requests", deadline)
        rows = self.admin.rows()
        assert len(rows) == count, f"{len(rows)} rows, {count} expected"
        return rows

    def all_rows(self, count, deadline=10):
        """The rows once there are `count`, or what is there by then."""
        end = time.monotonic() + deadline
        while len(rows := self.admin.rows()) < count:
            if time.monotonic() > end:
                break
            time.sleep(0.2)
        return rows

    def row(self, answer):
        """The row of one answered request."""
        name = answer.header("x-routex-request-id")
        assert name, f"no request id: {answer.headers}"
        return self.row_of(name)

    def row_of(self, name, deadline=10):
        """The row of the request that was called `name`, once it is there."""
        def find():
            try:
                return self.admin.get(f"/api/requests/{name}")["data"]
            except Failed as failed:
                assert failed.status == 404, failed
                return None
        return wait_until(find, f"a row for {name}", deadline)

    def sql(self, text, *values):
        path = f"file:{self.data_dir}/routex.db?mode=ro"
        with contextlib.closing(
                sqlite3.connect(path, uri=True, timeout=10)) as store:
            return store.execute(text, values).fetchall()

    def journal(self, name="data-1"):
        folder = self.data_dir / "data" / name / "journal"
        return sorted(folder.glob("*")) if folder.exists() else []

    def connect(self, name="data-1", **more):
        return Client(self.planes[name].url, **more)

    def ask(self, dialect, stream=False, key=None, headers=(), **more):
        """One request in a dialect of dialects.py, answered whole."""
        with self.connect() as client:
            return client.request(
                "POST", dialect.path(stream), {
                    **dialect.credential(key or self.key),
                    "content-type": "application/json", **dict(headers)},
                dialect.request(stream, **more))


# -- running ---------------------------------------------------------------


def test(function):
    TESTS.append(function)
    return function


def title(function):
    return function.__name__.replace("_", " ")


def run_apart(build, at_once):
    """Every test of the file in a process of its own, some at a time: for
    files that mostly wait for what the programs do in their own time."""
    def run(function):
        return subprocess.run(
            [sys.executable, sys.argv[0], build, title(function)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False)

    passed = 0
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for done in pool.map(run, TESTS):
            passed += done.returncode == 0
            print(done.stdout.replace("1 of 1 passed\n", ""), end="",
                  flush=True)
    print(f"{passed} of {len(TESTS)} passed")
    sys.exit(0 if passed == len(TESTS) else 1)


def main(at_once=1):
    """Runs the tests of this file: test_x.py BUILD [WORD IN THE NAME]."""
    if len(sys.argv) < 2:
        sys.exit("usage: test_x.py BUILD-FOLDER [words of the name]")
    build = pathlib.Path(sys.argv[1]).resolve()
    if at_once > 1 and len(sys.argv) == 2:
        run_apart(build, at_once)
    words = " ".join(sys.argv[2:])
    chosen = ([t for t in TESTS if words == title(t)]
              or [t for t in TESTS if words in title(t)])
    failed = []
    for function in chosen:
        start = time.monotonic()
        try:
            function(*([build] if inspect.signature(function).parameters
                       else []))
            mark = "ok  "
        except Exception as error:
            traceback.print_exc(file=sys.stdout)
            line = traceback.extract_tb(error.__traceback__)[-1]
            failed.append(f"{title(function)}: {type(error).__name__} "
                          f"{str(error)[:500]} ({pathlib.Path(line.filename).name}"
                          f":{line.lineno}: {line.line})")
            mark = "FAIL"
        took = time.monotonic() - start
        print(f"{mark} {title(function)} ({took:.1f} s)", flush=True)
    print(f"{len(chosen) - len(failed)} of {len(chosen)} passed")
    for story in failed:
        print(f"failed: {story}")
    sys.exit(1 if failed or not chosen else 0)
