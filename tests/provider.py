"""The demo provider as a program of its own, without a plane before it."""
import json
import pathlib
import shutil
import tempfile

from harness import Program, wait_until
from peers import Client


class Demo:
    """A running routex-demo."""

    def __init__(self, build, *args):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rtx-demo-"))
        self.log = self.folder / "log"
        port = self.folder / "port"
        self.program = Program("demo", [
            build / "routex-demo", "--port-file", port, "--log", self.log,
            *args], self.folder)
        self.url = "http://127.0.0.1:" + wait_until(
            lambda: port.exists() and port.read_text().strip(), "a port")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                assert self.program.stop() == 0
                self.program.check()
        finally:
            if self.program.alive():
                self.program.kill()
            shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, path, body=None, headers=(), method="POST"):
        with Client(self.url) as client:
            data = None if body is None else (
                body if isinstance(body, bytes) else json.dumps(body).encode())
            return client.request(method, path, headers, data)

    def say(self, dialect, text, stream=False, prefix="", headers=(), **more):
        return self.ask(prefix + dialect.path(stream),
                        dialect.request(stream, text=text, **more), headers)

    def lines(self, event):
        rows = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [row for row in rows if row["event"] == event]


def replay_all(d, chosen):
    """What was recorded comes back, in each way it can be asked for."""
    for case in chosen:
        meta = json.loads((case / "meta.json").read_text())
        body = (case / meta["response_file"]).read_bytes()
        slow = ["/with/event-delay-ms=1"] if len(body) < 10000 else []
        for how in ["", "/with/split=701", *slow]:
            answer = d.ask(f"{how}/case/{case.name}/v1/x", b"{}")
            assert answer.clean and answer.status == meta["status"]
            assert answer.body == body, (case.name, how)
        answer = d.ask("/v1/x", b"{}", {"x-demo-case": case.name})
        assert answer.body == body, case.name
