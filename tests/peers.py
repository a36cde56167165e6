"""Both ends of an HTTP/1.1 connection, in plain sight.

`Client` sends exact bytes and tells a whole answer from a cut one; `Upstream`
is a server on loopback whose answers are Python functions.  The standard
library's HTTP classes hide the very things these tests are about: framing,
resets, the moment a byte arrives.
"""
import json
import socket
import struct
import threading
import time
import urllib.parse

CRLF2 = b"\r\n\r\n"


class Cut(Exception):
    """The peer went away before the message was whole."""


class Reader:
    """Buffered reads from a socket; every end of data is a `Cut`."""

    def __init__(self, sock):
        self.sock = sock
        self.held = bytearray()

    def more(self):
        try:
            got = self.sock.recv(1 << 16)
        except ConnectionError as broken:
            raise Cut(str(broken)) from broken
        if not got:
            raise Cut("closed")
        self.held += got

    def until(self, mark):
        while (at := self.held.find(mark)) < 0:
            self.more()
        taken = bytes(self.held[:at])
        del self.held[:at + len(mark)]
        return taken

    def exactly(self, count):
        while len(self.held) < count:
            self.more()
        taken = bytes(self.held[:count])
        del self.held[:count]
        return taken

    def some(self):
        """What is there, or the next read."""
        if not self.held:
            self.more()
        taken = bytes(self.held)
        self.held.clear()
        return taken


def parse_head(head):
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = []
    for line in lines:
        name, _, value = line.partition(":")
        fields.append((name, value.strip()))
    return first, fields


def field(fields, name):
    """The value of the first such header, None without one."""
    for key, value in fields:
        if key.lower() == name.lower():
            return value
    return None


class Answer:
    """An answer as it came: `clean` says whether its framing was completed."""

    def __init__(self, head, reader, method):
        line, self.headers = parse_head(head)
        self.status = int(line.split(" ")[1])
        self.reader = reader
        self.got = bytearray()
        self.clean = False
        chunked = (self.header("transfer-encoding") or "").lower() == "chunked"
        length = self.header("content-length")
        empty = method == "HEAD" or self.status in (204, 304)
        if empty:
            self.left, self.framing = 0, "length"
        elif chunked:
            self.left, self.framing = 0, "chunked"
        elif length is not None:
            self.left, self.framing = int(length), "length"
        else:
            self.left, self.framing = None, "close"

    def header(self, name):
        return field(self.headers, name)

    @property
    def body(self):
        """What has come so far."""
        return bytes(self.got)

    def json(self):
        return json.loads(self.body)

    def pieces(self):
        """The body as it arrives.  A cut ends it with `clean` false."""
        step = {"chunked": self._chunk, "length": self._rest,
                "close": self._open_end}[self.framing]
        try:
            while piece := step():
                self.got += piece
                yield piece
        except Cut:
            return
        self.clean = True

    def read(self):
        for _ in self.pieces():
            pass
        return self

    def _chunk(self):
        size = int(self.reader.until(b"\r\n").split(b";")[0], 16)
        data = self.reader.exactly(size)
        self.reader.exactly(2)
        return data

    def _rest(self):
        if self.left == 0:
            return b""
        data = self.reader.some()
        if len(data) > self.left:
            self.reader.held += data[self.left:]
            data = data[:self.left]
        self.left -= len(data)
        return data

    def _open_end(self):
        try:
            return self.reader.some()
        except Cut as cut:
            if str(cut) == "closed":
                return b""
            raise


class Client:
    """One connection.  Requests go out byte for byte as told."""

    def __init__(self, url, timeout=20, receive_buffer=None):
        at = urllib.parse.urlsplit(url)
        self.host = at.netloc
        self.address = at.hostname, at.port
        self.timeout = timeout
        self.receive_buffer = receive_buffer
        self.open()

    def open(self):
        self.sock = socket.socket()
        if self.receive_buffer:
            self.sock.setsockopt(
                socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = Reader(self.sock)

    def renew(self):
        """A new connection to the same place."""
        self.close()
        self.open()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.sock.sendall(data)

    def send_request(self, method, path, headers=(), body=None):
        headers = list(headers.items() if isinstance(headers, dict) else headers)
        names = {name.lower() for name, _ in headers}
        if "host" not in names:
            headers.insert(0, ("host", self.host))
        if body is not None and not names & {
                "content-length", "transfer-encoding"}:
            headers.append(("content-length", str(len(body))))
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
        self.send(head.encode("latin-1") + (body or b""))

    def answer(self, method="GET"):
        """The next answer's head; its body is still on the wire."""
        return Answer(self.reader.until(CRLF2), self.reader, method)

    def request(self, method, path, headers=(), body=None):
        self.send_request(method, path, headers, body)
        return self.answer(method).read()

    def close(self):
        self.sock.close()

    def reset(self):
        """Go away with an RST."""
        self.sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Call:
    """One request as the upstream got it, and the means to answer it."""

    def __init__(self, sock, reader, head, connection):
        self.sock = sock
        self.connection = connection
        line, self.headers = parse_head(head)
        self.method, self.path, _ = line.split(" ")
        self.body = self._read_body(reader)
        self.at = time.monotonic()
        self.keep = True
        self.gone_at = None

    def _read_body(self, reader):
        if (self.header("transfer-encoding") or "").lower() == "chunked":
            body = b""
            while size := int(reader.until(b"\r\n"), 16):
                body += reader.exactly(size)
                reader.exactly(2)
            reader.exactly(2)
            return body
        return reader.exactly(int(self.header("content-length") or 0))

    def header(self, name):
        return field(self.headers, name)

    def json(self):
        return json.loads(self.body)

    def send(self, data):
        self.sock.sendall(data)

    def head(self, status=200, headers=()):
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        self.send(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode("latin-1"))

    def answer(self, status=200, headers=(), body=b""):
        """A whole answer in one write."""
        fields = list(headers) + [("content-length", len(body))]
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        self.send(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode("latin-1")
                  + body)

    def answer_json(self, value, status=200, headers=()):
        self.answer(status, [("content-type", "application/json"), *headers],
                    json.dumps(value).encode())

    def open_stream(self, headers=(), status=200):
        self.head(status, [("content-type", "text/event-stream"),
                           ("transfer-encoding", "chunked"), *headers])

    def chunk(self, data):
        self.send(b"%x\r\n" % len(data) + data + b"\r\n")

    def end(self):
        self.send(b"0\r\n\r\n")

    def cut(self):
        """Close the connection where it stands."""
        self.keep = False
        self.sock.shutdown(socket.SHUT_RDWR)

    def reset(self):
        self.keep = False
        self.sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def wait_gone(self, timeout=10):
        """Blocks until the peer has left; the time is in `gone_at`."""
        self.keep = False
        self.sock.settimeout(timeout)
        try:
            while self.sock.recv(4096):
                pass
        except ConnectionError:
            pass
        self.gone_at = time.monotonic()


class Upstream:
    """A provider on loopback: `answer(call)` is called for each request."""

    def __init__(self, answer, send_buffer=None):
        self.reply = answer
        self.calls = []
        self.connections = 0
        self.failed = []
        self.send_buffer = send_buffer
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(1024)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Stop listening and break what is open."""
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self.listener.close()
        for sock in list(self.open):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.send_buffer:
                sock.setsockopt(
                    socket.SOL_SOCKET, socket.SO_SNDBUF, self.send_buffer)
            self.connections += 1
            self.open.add(sock)
            threading.Thread(target=self.serve, daemon=True,
                             args=(sock, self.connections)).start()

    def serve(self, sock, number):
        reader = Reader(sock)
        try:
            keep = True
            while keep:
                call = Call(sock, reader, reader.until(CRLF2), number)
                self.calls.append(call)
                self.reply(call)
                keep = call.keep
        except (Cut, OSError):
            pass
        except Exception as broken:  # a wrong script must not pass unseen
            self.failed.append(broken)
        finally:
            self.open.discard(sock)
            sock.close()


class DeadPort:
    """An address that refuses connections for as long as this is open."""

    def __init__(self):
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.sock.getsockname()[1]}"

    def close(self):
        self.sock.close()
