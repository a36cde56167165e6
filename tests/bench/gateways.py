"""What the bench puts side by side: how each is started, pinned and found.

A gateway has a `name`, a `port` and `key` for the load generator, the `pids`
whose CPU and memory count as its own, and `start()` and `stop()`.
"""
import ctypes
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


def cores():
    """(gateway, load, mock, rest): apart as far as the machine goes."""
    have = sorted(os.sched_getaffinity(0))
    if len(have) >= 4:
        return have[1], have[2], have[3], have[0]
    if len(have) == 3:
        return have[1], have[2], have[0], have[0]
    return have[-1], have[0], have[0], have[0]


GATEWAY_CORE, LOAD_CORE, MOCK_CORE, REST_CORE = cores()


def raise_limits():
    """As many descriptors as there may be."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for most in (max(hard, 65536), hard):
        try:
            return resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        except (ValueError, PermissionError):
            continue


def streams_max():
    """A stream takes two descriptors of a gateway, which needs some more."""
    return (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 400) // 2


def prefer(pid):
    """Ahead of what else runs on a shared machine; only root may."""
    try:
        os.setpriority(os.PRIO_PROCESS, pid, -10)
    except PermissionError:
        pass


def spawn(argv, core, **more):
    """A process on one core that never outlives this one."""
    def before_exec():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, {core})
        prefer(0)
    return subprocess.Popen([str(word) for word in argv],
                            preexec_fn=before_exec, **more)


def pin(pid, core, first=False):
    """Every thread of a process that runs already."""
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})
        if first:
            prefer(int(thread.name))


def children(pid):
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text().split()]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def rss(pid):
    """Resident KiB."""
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1024


def cpu_us(pid):
    """CPU that a process has taken: its clock, see clock_getcpuclockid(3)."""
    return time.clock_gettime_ns(~pid << 3 | 2) / 1e3


BODY = (b'{"model":"claude-sonnet-4-5","max_tokens":64,"messages":'
        b'[{"role":"user","content":"Are you there?"}]}')


def answers(port, key):
    """One request on a connection of its own: was it answered with 200?"""
    head = (f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"x-api-key: {key}\r\nanthropic-version: 2023-06-01\r\n"
            "content-type: application/json\r\n"
            f"content-length: {len(BODY)}\r\n\r\n")
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
            s.sendall(head.encode() + BODY)
            return s.recv(64).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


def wait_for_answer(port, key, deadline=15):
    end = time.monotonic() + deadline
    while not answers(port, key):
        if time.monotonic() > end:
            raise RuntimeError(f"no answer on port {port}")
        time.sleep(0.0005)


class Mock:
    """The upstream of all; without a gateway also the floor of the rig."""
    name = "direct"
    key = "none"

    def __init__(self, build):
        self.child = spawn([build / "bench_mock"], MOCK_CORE,
                           stdout=subprocess.PIPE, text=True)
        self.port = int(self.child.stdout.readline().split()[1])
        self.pids = [self.child.pid]

    def start(self):
        pass

    def stop(self):
        pass

    def end(self):
        self.child.kill()
        self.child.wait()


class Proxy:
    """A proxy that is one program with one configuration file."""
    key = "none"

    def __init__(self, upstream):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
        self.upstream = upstream
        self.child = None
        self.start_ms = None
        self.pids = []

    def start(self):
        self.port = free_port()
        conf = self.folder / "conf"
        conf.write_text(self.CONF.format(
            port=self.port, upstream=self.upstream, folder=self.folder,
            streams=streams_max() + 100,
            descriptors=2 * streams_max() + 400))
        begin = time.monotonic()
        self.child = spawn(self.argv(conf), GATEWAY_CORE,
                           stdout=subprocess.DEVNULL,
                           stderr=open(self.folder / "log", "ab"))
        wait_for_answer(self.port, self.key)
        self.start_ms = (time.monotonic() - begin) * 1e3
        self.pids = [self.child.pid, *children(self.child.pid)]

    def stop(self):
        if self.child is None:
            return
        self.child.terminate()
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child = None

    def end(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Nginx(Proxy):
    name = "nginx"
    package = "nginx"
    CONF = """\
daemon off;
user root;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{
    worker_connections {descriptors};
}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 64m;
    client_body_buffer_size 1m;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    upstream mock {{
        server 127.0.0.1:{upstream};
        keepalive 512;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://mock;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_read_timeout 600s;
        }}
    }}
}}
"""

    def argv(self, conf):
        return ["nginx", "-p", self.folder, "-c", conf]


class Haproxy(Proxy):
    name = "haproxy"
    package = "haproxy"
    CONF = """\
global
    nbthread 1
    maxconn {streams}
defaults
    mode http
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    http-reuse always
    option http-no-delay
frontend front
    bind 127.0.0.1:{port}
    default_backend back
backend back
    server mock 127.0.0.1:{upstream}
"""

    def argv(self, conf):
        return ["haproxy", "-db", "-f", conf]


class Relay(Proxy):
    """Routex's transport alone; not in the table unless asked for."""
    name = "relay"

    def __init__(self, build, upstream):
        super().__init__(upstream)
        self.build = build

    def start(self):
        begin = time.monotonic()
        self.child = spawn([self.build / "bench_relay", self.upstream],
                           GATEWAY_CORE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.child.stdout.readline().split()[1])
        wait_for_answer(self.port, self.key)
        self.start_ms = (time.monotonic() - begin) * 1e3
        self.pids = [self.child.pid]


class Data(Proxy):
    """A data plane under a control plane without a store (control.c), which
    makes configurations of any size cheap."""

    def __init__(self, build, upstream, name, channels, keys, rules):
        super().__init__(upstream)
        self.build = build
        self.name = name
        self.size = [str(channels), str(keys), str(rules)]
        self.key = "rtx_bench_0"
        self.control = None

    def start(self):
        run = self.folder
        self.control = spawn([self.build / "bench_control", run,
                              self.upstream, *self.size], REST_CORE,
                             stdout=subprocess.PIPE, text=True,
                             stderr=open(run / "control.log", "ab"))
        if self.control.stdout.readline() != "ready\n":
            raise RuntimeError((run / "control.log").read_text())
        self.port = free_port()
        begin = time.monotonic()
        self.child = spawn([self.build / "routex-data", "--data-dir", run,
                            "--plane", "data-1", "--host", "127.0.0.1",
                            "--port", self.port, "--ops-port", "0",
                            "--control", f"ipc://{run}/pub.sock,"
                                         f"ipc://{run}/pull.sock",
                            "--join-token-file", run / "join.token"],
                           GATEWAY_CORE, stdout=subprocess.DEVNULL,
                           stderr=open(run / "log", "ab"))
        wait_for_answer(self.port, self.key, deadline=120)
        self.start_ms = (time.monotonic() - begin) * 1e3
        self.pids = [self.child.pid]

    def stop(self):
        super().stop()
        if self.control is not None:
            self.control.kill()
            self.control.wait()
            self.control = None


class Routex:
    """Both planes as shipped: key check, usage journal, fifty channels."""
    name = "routex"
    CHANNELS = 50

    def __init__(self, build, upstream):
        self.build = build
        self.upstream = upstream
        self.planes = None
        self.start_ms = None

    def configure(self):
        """What is asked of the admin API before the plane that is measured
        starts; returns the key to be used."""
        return self.planes.key

    def start(self):
        import harness
        self.planes = harness.Routex(self.build, channels=[
            {"name": f"bench-{n}", "type": "anthropic", "api_key": "sk-bench",
             "base_url": f"http://127.0.0.1:{self.upstream}"}
            for n in range(self.CHANNELS)])
        self.planes.__enter__()
        self.key = self.configure()
        begin = time.monotonic()
        self.planes.restart_plane()
        self._found()
        wait_for_answer(self.port, self.key)
        self.start_ms = (time.monotonic() - begin) * 1e3

    def _found(self):
        plane = self.planes.plane
        self.port = int(plane.url.rsplit(":", 1)[1])
        self.pids = [plane.pid]
        self.control_pid = self.planes.control.pid
        pin(plane.pid, GATEWAY_CORE, first=True)
        pin(self.control_pid, REST_CORE)

    def metrics(self):
        """{name: value} of the data plane's ops listener."""
        from urllib.request import urlopen
        with urlopen(self.planes.plane.ops_url + "/metrics") as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, _, value in
                (line.rpartition(" ") for line in lines
                 if line and not line.startswith("#"))}

    def longest_tick_ms(self):
        """Since the last call: CPU time, and time by the clock."""
        seen = self.metrics()
        return (seen["routex_longest_tick_seconds"] * 1e3,
                seen["routex_longest_tick_wall_seconds"] * 1e3)

    def stop(self):
        if self.planes is not None:
            self.planes.__exit__(None, None, None)
            self.planes = None

    def end(self):
        self.stop()


class Bare(Routex):
    """One channel, one key, no rule, no limit: what there is to decide is
    decided by there being no choice."""
    name = "bare"
    CHANNELS = 1


class Brain(Routex):
    """All of it: fifty channels, a tenant and a key with every limit, and two
    hundred rules that are all asked and hold for nobody, of the kinds that
    look at names, words, patterns and tokens."""
    name = "brain"
    RULES = 200
    LIMITS = {"requests_per_min": 10**9, "tokens_per_min": 10**12,
              "concurrent": 10**6}
    CONDITIONS = (
        lambda n: {"model": [f"other-{n}-*"]},
        lambda n: {"keywords": [f"unheard-of-{n}", f"nowhere-{n}"]},
        lambda n: {"user_pattern": f"^never {n} [a-z]+ing$"},
        lambda n: {"token_threshold": 10**6 + n},
        lambda n: {"header": {"x-team": f"team-{n}"}},
        lambda n: {"has_images": True, "tool_names": [f"draw_{n}"]},
        lambda n: {"user_agent": [f"agent-{n}/"]},
        lambda n: {"system_pattern": f"project {n}\\b.*secret"},
    )

    def configure(self):
        admin = self.planes.admin
        for n in range(self.RULES):
            admin.post("/api/routing/rules", {
                "name": f"rule-{n}", "type": "custom",
                "condition": self.CONDITIONS[n % len(self.CONDITIONS)](n),
                "target": {"channel": f"bench-{n % self.CHANNELS}"}})
        admin.post("/api/tenants", {"name": "team", "limits": self.LIMITS})
        return self.planes.new_key(tenant="team", limits=self.LIMITS)
