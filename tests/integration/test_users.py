"""People and tokens at the admin API: who may do what, how a session begins,
what it needs, and when it ends."""
import json
import pathlib
import re
import sqlite3
from contextlib import closing

from harness import ROOT, Routex, main, test, wait_until
from peers import Client

PASSWORD = "correct horse 1"
COOKIE = re.compile(r"routex_session=([A-Za-z0-9]*)")


def control(build, **more):
    return Routex(build, planes=0, **more)


def send(r, method, path, body=None, headers=()):
    data = None if body is None else json.dumps(body).encode()
    head = {} if data is None else {"content-type": "application/json"}
    with Client(r.control_url) as client:
        return client.request(method, path, {**head, **dict(headers)}, data)


def wrong(answer, status, code=None, field=None):
    assert answer.status == status, (answer.status, answer.body)
    error = answer.json()["error"]
    if code:
        assert error["code"] == code, error
    if field:
        assert error.get("field") == field, error
    return error


class Session:
    """A browser that logged in."""

    def __init__(self, r, answer):
        assert answer.status in (200, 201), (answer.status, answer.body)
        self.r = r
        self.set_cookie = answer.header("set-cookie")
        self.cookie = COOKIE.search(self.set_cookie).group(1)
        self.me = answer.json()["data"]
        self.csrf = self.me["csrf_token"]

    def send(self, method, path, body=None, csrf=True, headers=()):
        head = {"cookie": f"a=b; routex_session={self.cookie}"}
        if csrf:
            head["x-csrf-token"] = self.csrf if csrf is True else csrf
        return send(self.r, method, path, body, {**head, **dict(headers)})


def log_in(r, name, password=PASSWORD, headers=()):
    return send(r, "POST", "/api/session",
                {"name": name, "password": password}, headers)


def session(r, name, password=PASSWORD):
    return Session(r, log_in(r, name, password))


def with_users(r, **roles):
    """Users of these roles, and an owner."""
    for name, role in {"owner": "owner", **roles}.items():
        r.admin.post("/api/users", {
            "name": name, "password": PASSWORD, "role": role})


# -- logging in ---------------------------------------------------------------


@test
def a_log_in_gives_a_cookie_no_script_can_read(build):
    with control(build) as r:
        with_users(r)
        s = session(r, "owner")
        parts = [p.strip() for p in s.set_cookie.split(";")]
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(parts), parts
        assert "Secure" not in parts, parts
        assert re.fullmatch(r"Max-Age=\d+", parts[2]), parts
        assert s.me["kind"] == "user" and s.me["role"] == "owner", s.me
        assert s.me["csrf_token"] and s.cookie not in json.dumps(s.me)
        tls = log_in(r, "owner", headers={"x-forwarded-proto": "https"})
        assert "; Secure" in tls.header("set-cookie")
        me = s.send("GET", "/api/session", csrf=None).json()["data"]
        assert me["csrf_token"] == s.csrf and me["name"] == "owner", me
        wrong(send(r, "GET", "/api/session"), 401, "unauthenticated")


@test
def the_first_user_is_made_with_a_session_by_token(build):
    with control(build) as r:
        wrong(send(r, "GET", "/api/session"), 401, "no_user_yet")
        wrong(send(r, "POST", "/api/session", {"token": "rta_wrong"}), 401,
              "unauthenticated")
        s = Session(r, send(r, "POST", "/api/session",
                            {"token": r.admin.token}))
        assert s.me["kind"] == "token" and s.me["no_user_yet"], s.me
        wrong(s.send("POST", "/api/users", {
            "name": "a", "password": PASSWORD, "role": "viewer"}), 400,
            field="role")
        made = s.send("POST", "/api/users", {"name": "a", "password": PASSWORD})
        assert made.status == 201, made.body
        assert made.json()["data"]["role"] == "owner", made.body
        wrong(send(r, "POST", "/api/session", {"token": r.admin.token}), 403,
              "password_needed")
        assert not session(r, "A").me["no_user_yet"]


@test
def a_wrong_name_and_a_wrong_password_look_alike(build):
    with control(build) as r:
        with_users(r)
        one = log_in(r, "owner", "not the password")
        two = log_in(r, "nobody", "not the password")
        wrong(one, 401, "unauthenticated")
        assert one.body == two.body, (one.body, two.body)
        assert one.header("set-cookie") is None
        wait_until(lambda: r.control.err.read_text().count(
            "event=login.refused") == 2, "both on record")
        assert "nobody" not in r.control.err.read_text()
        # Whoever knows only an id has no name.
        users = r.admin.get("/api/users")["data"]
        wrong(log_in(r, users[0]["id"]), 401, "unauthenticated")


@test
def an_unknown_name_is_hashed_as_long_as_a_known_one(build):
    def cpu_ns(r):
        tasks = pathlib.Path(f"/proc/{r.control.pid}/task").iterdir()
        return sum(int((t / "schedstat").read_text().split()[0])
                   for t in tasks)

    def took(r, name):
        best = float("inf")
        for _ in range(4):
            before = cpu_ns(r)
            log_in(r, name, "not the password")
            best = min(best, cpu_ns(r) - before)
        return best

    with control(build) as r:
        with_users(r)
        log_in(r, "owner")  # the helper runs
        known, unknown = took(r, "owner"), took(r, "nobody")
        assert unknown * 2 > known, (known, unknown)


@test
def too_many_tries_for_a_name_are_refused_with_a_time(build):
    with control(build) as r:
        with_users(r, other="viewer")
        seen = [log_in(r, "OWNER", "wrong").status for _ in range(12)]
        assert seen[:10] == [401] * 10 and seen[11] == 429, seen
        refused = log_in(r, "owner")
        wrong(refused, 429, "rate_limited")
        assert int(refused.header("retry-after")) > 0
        session(r, "other")  # another name is another matter


@test
def too_many_tries_from_an_address_are_refused(build):
    with control(build) as r:
        with_users(r)
        seen = [log_in(r, f"n{n}", "wrong").status for n in range(22)]
        assert seen[:20] == [401] * 20 and seen[21] == 429, seen
        wrong(log_in(r, "owner"), 429)
        # The one before us on this machine speaks for others.
        Session(r, log_in(r, "owner",
                          headers={"x-forwarded-for": "1.2.3.4, 10.9.8.7"}))


@test
def a_session_that_was_planted_is_worth_nothing_after_the_log_in(build):
    with control(build) as r:
        with_users(r, victim="viewer")
        planted = session(r, "victim")
        s = Session(r, log_in(r, "owner", headers={
            "cookie": f"routex_session={planted.cookie}"}))
        assert s.cookie != planted.cookie
        wrong(planted.send("GET", "/api/session"), 401)
        s = Session(r, log_in(r, "owner", headers={
            "cookie": "routex_session=chosenbyanattacker"}))
        assert s.cookie != "chosenbyanattacker"


@test
def another_sites_page_can_neither_log_in_nor_change_anything(build):
    with control(build) as r:
        with_users(r)
        body = json.dumps({"name": "owner", "password": PASSWORD}).encode()
        for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
            with Client(r.control_url) as client:
                wrong(client.request("POST", "/api/session",
                                     {"content-type": kind}, body), 400,
                      field="Content-Type")
        cross = {"sec-fetch-site": "cross-site"}
        wrong(log_in(r, "owner", headers=cross), 403, "csrf")
        s = session(r, "owner")
        other = session(r, "owner")
        for token in (None, "x", "", s.csrf[:-1], s.csrf + "A", other.csrf):
            wrong(s.send("POST", "/api/tenants", {"name": "t"}, csrf=token),
                  403, "csrf")
        wrong(s.send("POST", "/api/tenants", {"name": "t"}, headers=cross),
              403, "csrf")
        assert [t["name"] for t in r.admin.get("/api/tenants")["data"]] == [
            "default"]
        assert s.send("POST", "/api/tenants", {"name": "t"}).status == 201
        assert s.send("GET", "/api/tenants", csrf=None).status == 200


# -- the end of a session -----------------------------------------------------


@test
def a_session_ends_with_log_out_password_and_user(build):
    with control(build) as r:
        with_users(r, v="viewer", w="viewer")
        one, two = session(r, "v"), session(r, "v")
        out = one.send("DELETE", "/api/session")
        assert out.status == 200, out.body
        assert "routex_session=; Path=/; Max-Age=0" in out.header("set-cookie")
        wrong(one.send("GET", "/api/session"), 401)
        assert two.send("GET", "/api/session").status == 200
        r.admin.call("PATCH", "/api/users/v", {"password": PASSWORD + "2"})
        wrong(two.send("GET", "/api/session"), 401)
        wrong(log_in(r, "v"), 401)
        three = session(r, "v", PASSWORD + "2")
        # One's own: the old one is asked for, the others end.
        four = session(r, "v", PASSWORD + "2")
        new = {"current_password": PASSWORD + "2", "password": PASSWORD + "3"}
        wrong(four.send("PATCH", "/api/session", {
            **new, "current_password": "x"}), 403, field="current_password")
        five = Session(r, four.send("PATCH", "/api/session", new))
        for old in (three, four):
            wrong(old.send("GET", "/api/session"), 401)
        assert five.send("GET", "/api/session").status == 200
        r.admin.call("DELETE", "/api/users/v")
        wrong(five.send("GET", "/api/session"), 401)
        wrong(log_in(r, "v", PASSWORD + "3"), 401)


def age(r, column, seconds):
    """As if it had been so long ago."""
    with closing(sqlite3.connect(r.data_dir / "routex.db", timeout=20)) as db, db:
        db.execute(f"update session set {column} = {column} - ?",
                   (seconds * 1000,))


@test
def a_session_ends_when_it_is_idle_or_too_old(build):
    with control(build) as r:
        with_users(r)
        r.admin.call("PATCH", "/api/settings",
                     {"login": {"idle_s": 600, "absolute_s": 3600}})
        wrong(send(r, "PATCH", "/api/settings", {"login": {"idle_s": 7200}},
                   {"authorization": f"Bearer {r.admin.token}"}), 400,
              field="login.absolute_s")
        s = session(r, "owner")
        age(r, "seen_ms", 500)
        assert s.send("GET", "/api/session").status == 200  # and is seen
        age(r, "seen_ms", 500)
        assert s.send("GET", "/api/session").status == 200
        age(r, "seen_ms", 601)
        wrong(s.send("GET", "/api/session"), 401)
        s = session(r, "owner")
        age(r, "created_ms", 3601)
        wrong(s.send("GET", "/api/session"), 401)
        session(r, "owner")
        with closing(sqlite3.connect(r.data_dir / "routex.db")) as db, db:
            left = db.execute("select count(*) from session").fetchone()[0]
        assert left == 1, left


@test
def sessions_outlive_a_restart_and_stay_few(build):
    with control(build) as r:
        with_users(r)
        first = session(r, "owner")
        for _ in range(33):
            last = session(r, "owner")
        r.restart_control()
        wrong(first.send("GET", "/api/session"), 401)
        assert last.send("GET", "/api/session").status == 200
        files = b"".join(p.read_bytes() for p in r.data_dir.rglob("*")
                         if p.is_file())
        logged = b"".join(p.err.read_bytes() for p in r.programs)
        for secret in (PASSWORD, last.cookie, last.csrf):
            assert secret.encode() not in files + logged, secret


# -- roles --------------------------------------------------------------------


def routes(r):
    """(method, path, role) of the route table and of nothing else."""
    text = (ROOT / "controlplane" / "api_routes.c").read_text()
    text = text[text.index("api_routes[] = {"):]
    found = []
    for kind, one, two in re.findall(
            r"\b(PUBLIC|READ|CHANGE)\(\s*\"([^\"]+)\",\s*(?:\"([^\"]+)\")?",
            text):
        found.append(("GET", one, "VIEWER") if kind == "READ" else (
            one, two, "PUBLIC" if kind == "PUBLIC" else "ADMIN"))
    found += re.findall(
        r"\{\s*\"([A-Z]+)\",\s*\"(/[^\"]+)\",\s*API_([A-Z]+)", text)
    document = r.admin.get("/api/openapi.json")["paths"]
    described = {(m.upper(), p) for p, item in document.items()
                 for m in item if m != "parameters"}
    assert {f[:2] for f in found} == described
    for method, path, role in found:  # who may not is told so
        answers = document[path][method.lower()]["responses"]
        assert role == "PUBLIC" or {"401", "403"} <= set(answers), (
            method, path)
    return sorted(found)


RANK = ["PUBLIC", "ANYBODY", "VIEWER", "ADMIN", "OWNER"]


def let_in(answer):
    """The door was passed, whatever came of it."""
    if answer.status == 403:
        return answer.json()["error"]["code"] != "forbidden" or \
            "only a user" in answer.json()["error"]["message"]
    return answer.status != 401


def try_route(method, path, ask):
    body = None if method in ("GET", "DELETE") else {"no_such_field": 1}
    return ask(method, path.replace("{id}", "none").replace("{model}", "none")
               .replace("{provider}", "none").replace("{name}", "none"), body)


@test
def every_role_gets_through_the_doors_that_are_its_own(build):
    with control(build) as r:
        with_users(r, admin="admin", viewer="viewer")
        table = routes(r)
        for rank, name in ((2, "viewer"), (3, "admin"), (4, "owner")):
            s = session(r, name)
            for method, path, role in table:
                if path == "/api/session" or path.endswith("/live"):
                    continue
                answer = try_route(method, path, s.send)
                want = RANK.index(role) <= rank
                assert let_in(answer) == want, (
                    name, method, path, role, answer.status, answer.body)
            assert s.send("DELETE", "/api/session").status == 200


@test
def every_scope_opens_its_area_and_no_more(build):
    scopes = ["*", "write", "read", "channels:write", "keys:read",
              "audit:read", "routing:write"]
    with control(build) as r:
        table = routes(r)
        for scope in scopes:
            token = r.admin.post("/api/tokens", {
                "name": scope, "scopes": [scope]})["data"]["token"]
            area, _, what = scope.partition(":")
            rank = {"*": 4, "write": 3, "read": 2}.get(scope, 1)
            for method, path, role in table:
                if path == "/api/session" or path.endswith("/live"):
                    continue
                answer = try_route(method, path, lambda *a: send(
                    r, *a, headers={"authorization": f"Bearer {token}"}))
                want = RANK.index(role) <= rank or (
                    path.split("/")[2:3] == [area] and role != "OWNER"
                    and (what == "write" or method == "GET"))
                assert let_in(answer) == want, (
                    scope, method, path, role, answer.status, answer.body)


@test
def the_last_owner_can_neither_go_nor_step_down(build):
    with control(build) as r:
        with_users(r, second="owner")
        s = session(r, "owner")
        second = session(r, "second")
        assert s.send("PATCH", "/api/users/second",
                      {"role": "viewer"}).status == 200
        # What a session may do follows the role at once.
        wrong(second.send("GET", "/api/users"), 403, "forbidden")
        for method, body in (("DELETE", None), ("PATCH", {"role": "admin"})):
            wrong(s.send(method, "/api/users/owner", body), 409, "last_owner")
        assert s.send("PATCH", "/api/users/owner",
                      {"name": "boss", "role": "owner"}).status == 200
        wrong(s.send("PATCH", "/api/users/second", {"name": "Boss"}), 409,
              "conflict")


@test
def wrong_fields_of_users_and_tokens_are_named(build):
    with control(build) as r:
        with_users(r)
        good = {"name": "x", "password": PASSWORD}
        for path, body, field in (
                ("/api/users", {"name": "x"}, "password"),
                ("/api/users", {**good, "password": "short"}, "password"),
                ("/api/users", {**good, "password": "x" * 1025}, "password"),
                ("/api/users", {**good, "role": "root"}, "role"),
                ("/api/users", {**good, "admin": True}, "admin"),
                ("/api/users", {**good, "name": ""}, "name"),
                ("/api/tokens", {"name": "x"}, "scopes"),
                ("/api/tokens", {"name": "x", "scopes": []}, "scopes"),
                ("/api/tokens", {"name": "x", "scopes": ["all"]}, "scopes"),
                ("/api/tokens", {"name": "x", "scopes": ["users:write"]},
                 "scopes"),
                ("/api/tokens", {"name": "x", "scopes": ["channels:all"]},
                 "scopes"),
                ("/api/tokens", {"name": "x", "scopes": ["read"],
                                 "expires_at": "2001-01-01T00:00:00Z"},
                 "expires_at"),
                ("/api/session", {"name": "x"}, "password"),
                ("/api/session", {"token": ""}, "token"),
                ("/api/session", {"token": "x", "name": "y"}, "name")):
            wrong(send(r, "POST", path, body, {
                "authorization": f"Bearer {r.admin.token}"}), 400,
                field=field)
        assert len(r.admin.get("/api/users")["data"]) == 1


# -- tokens -------------------------------------------------------------------


@test
def a_token_is_shown_once_and_is_good_until_its_end(build):
    with control(build) as r:
        made = r.admin.post("/api/tokens", {
            "name": "ci", "scopes": ["read"],
            "expires_at": "2099-01-01T00:00:00Z"})["data"]
        mine = {"authorization": f"Bearer {made['token']}"}
        assert made["last4"] == made["token"][-4:]
        me = send(r, "GET", "/api/session", headers=mine).json()["data"]
        assert (me["kind"], me["role"], me["scopes"]) == (
            "token", "viewer", ["read"]), me
        listed = r.admin.get("/api/tokens")["data"]
        assert [t["name"] for t in listed] == ["first", "ci"], listed
        assert all("token" not in t for t in listed)
        assert listed[1]["last_used_at"] is not None
        with closing(sqlite3.connect(r.data_dir / "routex.db", timeout=20)) as db, db:
            db.execute("update admin_token set expires_ms = 1 "
                       "where name = 'ci'")
        wrong(send(r, "GET", "/api/channels", headers=mine), 401,
              "unauthenticated")


@test
def a_token_that_is_revoked_takes_its_session_along(build):
    with control(build) as r:
        made = r.admin.post("/api/tokens", {
            "name": "t", "scopes": ["*"]})["data"]
        s = Session(r, send(r, "POST", "/api/session",
                            {"token": made["token"]}))
        assert s.send("GET", "/api/channels").status == 200
        r.admin.call("DELETE", f"/api/tokens/{made['id']}")
        wrong(s.send("GET", "/api/channels"), 401)
        wrong(send(r, "GET", "/api/channels", headers={
            "authorization": f"Bearer {made['token']}"}), 401)


# -- the audit log ------------------------------------------------------------


def lines(r, query=""):
    return r.admin.get(f"/api/audit{query}")["data"]


@test
def a_change_is_on_record_with_both_sides_and_without_secrets(build):
    with control(build) as r:
        with_users(r, admin="admin")
        s = session(r, "admin")
        secret, header = "sk-0000111122223333", "Bearer 4444555566667777"
        made = s.send("POST", "/api/channels", {
            "name": "c", "type": "openai", "api_key": secret,
            "headers": {"x-key": header}}).json()["data"]
        s.send("PATCH", "/api/channels/c", {"weight": 7, "name": "d"},
               headers={"x-forwarded-for": "10.1.2.3"})
        s.send("POST", "/api/channels/d/pause")
        s.send("DELETE", "/api/channels/d")
        gone, paused, changed, created = lines(r, f"?object={made['id']}")
        assert created["before"] is None and gone["after"] is None
        assert created["after"]["keys"][0]["last4"] == "3333", created
        assert created["after"]["headers"] == {"x-key": "\u20267777"}, created
        assert (changed["before"]["weight"], changed["after"]["weight"]) == (
            1, 7), changed
        assert (changed["before"]["name"], changed["after"]["name"]) == (
            "c", "d"), changed
        assert paused["after"]["status"] == "paused", paused
        for line in (gone, paused, changed, created):
            assert line["actor"] == "admin", line
            assert line["actor_kind"] == "user", line
            assert line["actor_id"].startswith("usr_"), line
        assert changed["address"] == "10.1.2.3", changed
        kept = r.admin.get("/api/audit?limit=200")
        text = json.dumps(kept)
        for word in (secret, header, PASSWORD, s.cookie, s.csrf):
            assert word not in text, word


@test
def the_audit_log_is_asked_by_actor_object_time_and_page(build):
    with control(build) as r:
        with_users(r, admin="admin")
        s = session(r, "admin")
        for n in range(5):
            s.send("POST", "/api/tenants", {"name": f"t{n}"})
        r.admin.post("/api/tenants", {"name": "other"})
        mine = lines(r, "?actor=admin&action=create")
        assert [x["name"] for x in mine] == ["t4", "t3", "t2", "t1", "t0"]
        assert lines(r, f"?actor={s.me['id']}&action=create") == mine
        assert [x["actor"] for x in lines(r, "?object=other")] == ["first"]
        assert [x["kind"] for x in lines(r, "?kind=user&action=login")] == [
            "user"]
        assert lines(r, "?since=2099-01-01T00:00:00Z") == []
        assert lines(r, "?until=2001-01-01T00:00:00Z") == []
        assert len(lines(r, "?since=1h&actor=admin")) == 6
        seen, cursor = [], ""
        while cursor is not None:
            page = r.admin.get(
                f"/api/audit?actor=admin&limit=2{cursor and '&cursor='}{cursor}")
            seen += [x["name"] for x in page["data"]]
            cursor = page["next"]
        assert seen == ["t4", "t3", "t2", "t1", "t0", "admin"], seen
        # What is too old goes with the next change.
        with closing(sqlite3.connect(r.data_dir / "routex.db", timeout=20)) as db, db:
            db.execute("update audit set at_ms = at_ms - 86400000 * 40 "
                       "where name = 't0'")
        r.admin.call("PATCH", "/api/settings", {"audit_days": 41})
        assert len(lines(r, "?object=t0")) == 1
        r.admin.call("PATCH", "/api/settings", {"audit_days": 39})
        assert lines(r, "?object=t0") == []


# -- in which language --------------------------------------------------------


@test
def errors_are_said_in_the_callers_language_and_mean_the_same(build):
    zh = {"accept-language": "zh-CN,zh;q=0.9,en;q=0.5"}
    with control(build) as r:
        with_users(r)
        s = session(r, "owner")
        asks = (("POST", "/api/users", {"name": "x", "password": "short"}),
                ("GET", "/api/channels/nobody", None),
                ("DELETE", "/api/users/owner", None),
                ("PATCH", "/api/settings", {"max_attempts": 99}),
                ("PATCH", "/api/settings", {"no_such_thing": 1}),
                ("POST", "/api/channels", {"name": "x", "type": "no-such"}))
        for method, path, body in asks:
            english = s.send(method, path, body)
            chinese = s.send(method, path, body, headers=zh)
            assert english.status == chinese.status >= 400, english.body
            one, two = english.json()["error"], chinese.json()["error"]
            for name in ("code", "field"):
                assert one.get(name) == two.get(name), (one, two)
            if "field" in two:
                assert two["message"].startswith(two["field"] + "："), two
            assert one["message"].isascii(), one
            assert not two["message"].isascii(), two
            assert chinese.header("content-language") == "zh-CN"
            assert english.header("content-language") == "en"
            assert english.header("vary") == "accept-language"


# -- many at once -------------------------------------------------------------


@test
def many_log_ins_at_once_neither_grow_nor_stop_the_control_plane(build):
    with control(build) as r:
        with_users(r)
        body = json.dumps({"name": "x", "password": "y" * 20}).encode()
        clients = []
        for n in range(40):
            c = Client(r.control_url)
            c.send_request("POST", "/api/session", {
                "content-type": "application/json",
                "x-forwarded-for": f"10.0.0.{n}"}, body.replace(
                    b'"x"', b'"u%d"' % n))
            clients.append(c)
        for c in clients[1::3]:
            c.close()  # they leave while their password is checked
        with Client(r.control_url, timeout=60) as other:
            assert other.request("GET", "/livez").status == 200
        seen = [c.answer().read().status for i, c in enumerate(clients)
                if i % 3 != 1]
        assert set(seen) <= {401, 503}, seen
        assert 401 in seen, seen
        for c in clients:
            c.close()
        wait_until(lambda: session(r, "owner"), "a log-in afterwards")


main()
