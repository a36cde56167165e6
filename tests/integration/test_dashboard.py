"""The dashboard's files as browsers get them, from both planes: whole, packed,
kept for as long as they may be, and nothing but what is in the folder."""
import gzip
import os
import pathlib
import shutil
import tempfile

from harness import Routex, main, test
from peers import Client

PAGE = b"<!doctype html><title>Routex</title><p>" + b"hello " * 50
SCRIPT = b"console.log('hello');" * 40
SECRET = b"nobody may read this"


class Folder:
    """A built dashboard, with a secret beside it."""

    def __enter__(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="rtx-dash-"))
        (self.top / "secret.txt").write_bytes(SECRET)
        self.path = self.top / "dist"
        self.build(PAGE)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.top)

    def build(self, page, script="app-1a2b.js"):
        new = self.top / "new"
        (new / "assets").mkdir(parents=True)
        (new / "index.html").write_bytes(page)
        (new / "index.html.gz").write_bytes(gzip.compress(page))
        (new / ".built").write_bytes(SECRET)
        (new / "assets" / script).write_bytes(SCRIPT)
        (new / "assets" / f"{script}.gz").write_bytes(gzip.compress(SCRIPT))
        (new / "assets" / f"{script}.br").write_bytes(b"as if it were brotli")
        os.symlink(self.top / "secret.txt", new / "assets" / "link.txt")
        if self.path.exists():
            shutil.rmtree(self.path)
        new.rename(self.path)

    def args(self):
        return ["--dashboard-dir", str(self.path)]


def ask(url, path, method="GET", **headers):
    with Client(url) as client:
        return client.request(method, path, {
            name.replace("_", "-"): value for name, value in headers.items()},
            None)


@test
def every_page_is_the_same_document_and_every_file_is_itself(build):
    with Folder() as folder, Routex(build, control_args=folder.args()) as r:
        for url in (r.control_url, r.url):  # the data plane hands it on
            for path in ("/dashboard", "/dashboard/", "/dashboard/channels",
                         "/dashboard/requests/req_1?a=b"):
                got = ask(url, path)
                assert (got.status, got.body) == (200, PAGE), (path, got.status)
                assert got.header("content-type") == \
                    "text/html; charset=utf-8", path
            got = ask(url, "/dashboard/assets/app-1a2b.js")
            assert (got.status, got.body) == (200, SCRIPT), got.status
            assert got.header("content-type").startswith("text/javascript")
            got = ask(url, "/dashboard", "HEAD")
            assert (got.status, got.body) == (200, b""), got
            if url == r.control_url:
                length = got.header("content-length")
                assert length == str(len(PAGE)), length
            got = ask(url, "/dashboard", "POST")
            assert got.status == 405, got.status


@test
def the_browser_is_told_to_run_nothing_of_others(build):
    with Folder() as folder, Routex(
            build, planes=0, control_args=folder.args()) as r:
        for path in ("/dashboard", "/dashboard/assets/app-1a2b.js"):
            got = ask(r.control_url, path)
            policy = got.header("content-security-policy")
            assert "script-src 'self';" in policy, policy
            assert "default-src 'none'" in policy, policy
            assert "frame-ancestors 'none'" in policy, policy
            assert "unsafe" not in policy, policy
            assert got.header("x-content-type-options") == "nosniff"
            assert got.header("x-frame-options") == "DENY"


@test
def what_is_still_there_is_not_sent_again(build):
    with Folder() as folder, Routex(
            build, planes=0, control_args=folder.args()) as r:
        page = ask(r.control_url, "/dashboard")
        tag = page.header("etag")
        assert tag.startswith('"'), tag  # strong
        assert page.header("cache-control") == "no-cache"
        for given in (tag, f'"x", {tag}', f"W/{tag}", "*"):
            again = ask(r.control_url, "/dashboard/channels",
                        if_none_match=given)
            assert (again.status, again.body) == (304, b""), given
            assert again.header("etag") == tag, given
        again = ask(r.control_url, "/dashboard", if_none_match='"other"')
        assert (again.status, again.body) == (200, PAGE)
        script = ask(r.control_url, "/dashboard/assets/app-1a2b.js")
        assert "immutable" in script.header("cache-control")
        assert "no-store" not in script.header("cache-control")


@test
def a_packed_file_goes_to_those_who_take_it(build):
    path = "/dashboard/assets/app-1a2b.js"
    rows = [
        ("br", "br"), ("gzip", "gzip"), ("gzip, deflate, br, zstd", "br"),
        ("GZIP;q=0.5", "gzip"), ("br;q=0, gzip", "gzip"), ("*", "br"),
        ("br;q=0, *", "gzip"), ("br; q=0.000, gzip;q=0", None),
        ("identity", None), ("", None), ("brr, gzipp", None), (",;,", None),
    ]
    with Folder() as folder, Routex(
            build, planes=0, control_args=folder.args()) as r:
        tags = set()
        for given, packed in rows:
            got = ask(r.control_url, path, accept_encoding=given)
            assert got.header("content-encoding") == packed, (given, packed)
            assert got.header("vary") == "accept-encoding", given
            tags.add(got.header("etag"))
            if packed is None:
                assert got.body == SCRIPT, given
            if packed == "gzip":
                assert gzip.decompress(got.body) == SCRIPT, given
        assert len(tags) == 3, tags


@test
def no_path_leads_out_of_the_folder(build):
    paths = [
        "/dashboard/../secret.txt", "/dashboard/assets/../../secret.txt",
        "/dashboard/%2e%2e/secret.txt", "/dashboard/..%2fsecret.txt",
        "/dashboard/assets/%2e%2e%2f%2e%2e%2fsecret.txt",
        "/dashboard/..%5csecret.txt", "/dashboard/./secret.txt",
        "/dashboard/assets/link.txt", "/dashboard/assets/none.js",
        "/dashboard/assets/", "/dashboard/assets/app-1a2b.js.gz",
    ]
    with Folder() as folder, Routex(
            build, control_args=folder.args()) as r:
        for url in (r.control_url, r.url):
            for path in paths:
                got = ask(url, path)
                assert got.status == 404, (path, got.status)
                assert SECRET not in got.body, path
            for path in ("/dashboard/.built", "/dashboard//etc/passwd",
                         "/dashboard/secret.txt"):
                got = ask(url, path)
                assert (got.status, got.body) == (200, PAGE), path
            assert ask(r.control_url, "/dashboard/%00").status == 400
            assert ask(r.control_url, "/dashboard/%zz").status == 400


@test
def a_new_build_shows_without_a_restart(build):
    with Folder() as folder, Routex(
            build, planes=0, control_args=folder.args()) as r:
        before = ask(r.control_url, "/dashboard").header("etag")
        folder.build(b"<p>new", "app-3c4d.js")
        got = ask(r.control_url, "/dashboard/assets/app-3c4d.js")
        assert (got.status, got.body) == (200, SCRIPT), got.status
        got = ask(r.control_url, "/dashboard", if_none_match=before)
        assert (got.status, got.body) == (200, b"<p>new"), got.status
        got = ask(r.control_url, "/dashboard/assets/app-1a2b.js")
        assert got.status == 404, got.status


@test
def it_can_be_taken_away(build):
    with Folder() as folder, Routex(
            build, planes=0,
            control_args=[*folder.args(), "--no-dashboard"]) as r:
        for path in ("/dashboard", "/dashboard/assets/app-1a2b.js"):
            got = ask(r.control_url, path)
            assert got.status == 404, got.status
            assert "no dashboard" in got.json()["error"]["message"], got.body


main()
