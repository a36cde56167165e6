"""Accounts at providers: log-ins, renewals and refusals, against a provider
that misbehaves in every way a token endpoint can."""
import base64
import hashlib
import json
import sqlite3
import subprocess
import threading
import time
import urllib.parse

from dialects import ANTHROPIC, RESPONSES
from harness import Failed, Routex, main, test, wait_until
from peers import Client, Upstream

TABLE = []


def told(fault, happened):
    TABLE.append((fault, happened))


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    """Token endpoint and API in one.  Refresh tokens rotate; showing one that
    was used kills all of its family, as real providers do."""

    def __init__(self):
        self.lock = threading.Lock()
        self.life = 3600
        self.codes = {}        # code -> (challenge, redirect_uri, identity)
        self.refresh = {}      # live refresh token -> family
        self.dead = {}         # used refresh token -> family
        self.valid = set()     # access tokens
        self.reused = 0
        self.count = 0
        self.asked = []        # bodies of token requests
        self.faults = []       # each takes the next renewal
        self.seen = []         # access tokens of API calls, in order
        self.rotates = True
        self.extra = {}
        self.server = Upstream(self.answer)
        self.url = self.server.url

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.server.close()
        if kind is None:
            assert not self.server.failed, self.server.failed

    # -- the person at the browser --

    def consent(self, url, identity="me"):
        """What the person brings back from the address."""
        at = urllib.parse.urlsplit(url)
        assert f"{at.scheme}://{at.netloc}" == self.url, url
        asked = dict(urllib.parse.parse_qsl(at.query))
        assert asked["response_type"] == "code", asked
        assert asked["code_challenge_method"] == "S256", asked
        assert len(asked["state"]) == 43, asked
        with self.lock:
            self.count += 1
            code = f"code-{self.count}"
            self.codes[code] = (
                asked["code_challenge"], asked["redirect_uri"], identity)
        return code, asked["state"], asked

    # -- the machine --

    def grant(self, family):
        self.count += 1
        access, refresh = f"at-{self.count}-xyz", f"rt-{self.count}-xyz"
        self.valid.add(access)
        if self.rotates:
            self.refresh[refresh] = family
        made = {"access_token": access, "token_type": "Bearer",
                "expires_in": self.life, "scope": "user:inference",
                "account": {"uuid": family, "email_address":
                            f"{family}@example.com"}, **self.extra}
        if self.rotates:
            made["refresh_token"] = refresh
        return made

    def exchange(self, asked):
        """Status and document for a token request."""
        if asked["grant_type"] == "authorization_code":
            held = self.codes.pop(asked["code"], None)
            if held is None:
                return 400, {"error": "invalid_grant"}
            challenge, redirect, identity = held
            digest = hashlib.sha256(asked["code_verifier"].encode()).digest()
            assert b64(digest) == challenge, asked
            assert asked["redirect_uri"] == redirect, asked
            return 200, self.grant(identity)
        shown = asked["refresh_token"]
        if shown in self.dead:
            self.reused += 1
            family = self.dead[shown]
            self.refresh = {t: f for t, f in self.refresh.items()
                            if f != family}
            return 400, {"error": "invalid_grant",
                         "error_description": "reused"}
        family = self.refresh.get(shown)
        if family is None:
            return 400, {"error": "invalid_grant"}
        if self.rotates:
            del self.refresh[shown]
            self.dead[shown] = family
        return 200, self.grant(family)

    def token(self, call):
        text = call.body.decode()
        asked = json.loads(text) if text.startswith("{") else \
            dict(urllib.parse.parse_qsl(text))
        asked["client_id"]  # is never left out
        with self.lock:
            self.asked.append(asked)
            fault = None
            if asked["grant_type"] == "refresh_token" and self.faults:
                fault = self.faults.pop(0)
        if fault is not None:
            fault(self, call, asked)
            return
        with self.lock:
            status, made = self.exchange(asked)
        call.answer_json(made, status)

    def api(self, call):
        shown = (call.header("authorization") or "").removeprefix("Bearer ")
        with self.lock:
            self.seen.append(shown)
            good = shown in self.valid
        if not good:
            call.answer_json({"type": "error", "error": {
                "type": "authentication_error", "message": "no"}}, 401)
        elif call.path.startswith("/v1/messages"):
            ANTHROPIC.serve(call)
        elif "models" in call.path:
            call.answer_json({"data": []})
        elif call.method == "GET":  # how much is used up: nothing to tell
            call.answer_json({})
        else:
            RESPONSES.serve(call)

    def answer(self, call):
        if call.path.startswith("/token"):
            self.token(call)
        elif call.path.startswith("/api/oauth/"):  # how much is used
            call.answer_json({}, 404)
        else:
            self.api(call)

    def refreshes(self):
        with self.lock:
            return sum(a["grant_type"] == "refresh_token" for a in self.asked)

    def revoke(self):
        """All access tokens are refused from now on."""
        with self.lock:
            self.valid.clear()

    def options(self, **more):
        words = [f"{name}.{field}={value}" for name in ("anthropic", "openai")
                 for field, value in (
                     ("authorize_url", f"{self.url}/authorize"),
                     ("token_url", f"{self.url}/token"))]
        words += [f"{k.replace('__', '.')}={v}" for k, v in more.items()]
        return ["--oauth", ";".join(words)]


class World:
    """A provider, both planes, an account and a channel it serves."""

    def __init__(self, build, planes=1, login=True, **more):
        self.provider = Provider()
        self.routex = Routex(build, planes=planes, control_args=self.provider
                             .options(**more))
        self.wants_login = login

    def __enter__(self):
        self.provider.__enter__()
        try:
            self.r = self.routex.__enter__()
            if self.wants_login:
                self.account = self.login()
                self.channel = self.r.admin.post("/api/channels", {
                    "name": "claude", "type": "anthropic",
                    "base_url": self.provider.url,
                    "account": self.account["name"]})["data"]
                self.r.settle()
        except BaseException:
            self.provider.server.close()
            raise
        return self

    def __exit__(self, *why):
        self.routex.__exit__(*why)
        self.provider.__exit__(*why)

    def start(self, provider="anthropic", **body):
        return self.r.admin.post(f"/api/oauth/{provider}/start", body)["data"]

    def login(self, provider="anthropic", identity="me", **body):
        begun = self.start(provider, **body)
        code, state, _ = self.provider.consent(begun["url"], identity)
        return self.r.admin.post(f"/api/oauth/{provider}/finish", {
            "code": f"{code}#{state}"})["data"]

    def shown(self):
        return self.r.admin.get(
            f"/api/oauth/accounts/{self.account['id']}")["data"]

    def renew(self):
        return self.r.admin.post(
            f"/api/oauth/accounts/{self.account['id']}/refresh")["data"]

    def ask(self, **more):
        return self.r.ask(ANTHROPIC, **more)

    def call(self, method, path, body=None, headers=()):
        with Client(self.r.control_url) as client:
            return client.request(method, path, {
                "authorization": f"Bearer {self.r.admin.token}",
                **dict(headers)},
                None if body is None else json.dumps(body).encode())

    def in_force(self, token, name="data-1"):
        """Does the plane send this token?"""
        with self.provider.lock:
            before = len(self.provider.seen)
        self.ask_at(name)
        with self.provider.lock:
            return self.provider.seen[before:][-1:] == [token]

    def ask_at(self, name):
        with self.r.connect(name) as client:
            return client.request("POST", ANTHROPIC.path(), {
                **ANTHROPIC.credential(self.r.key),
                "content-type": "application/json"},
                ANTHROPIC.request(text=f"ask {time.monotonic_ns()}"))


def refused(call):
    try:
        call()
    except Failed as failed:
        return failed.status, json.loads(failed.body)["error"]
    raise AssertionError("was not refused")


# -- logging in ---------------------------------------------------------------


@test
def an_account_logs_in_and_serves_channels(build):
    with World(build) as w:
        a = w.account
        assert (a["name"], a["provider"], a["status"]) == \
            ("anthropic", "anthropic", "active"), a
        assert a["email"] == "me@example.com", a
        assert a["token_valid"] and a["renewable"], a
        assert w.shown()["channels"] == ["claude"], w.shown()
        key, = w.channel["keys"]
        assert (key["kind"], key["account"]) == ("oauth", "anthropic"), key
        answer = w.ask(headers={"anthropic-beta": "b-1"})
        assert answer.status == 200, answer.body
        call = w.provider.server.calls[-1]
        assert call.header("x-api-key") is None, call.headers
        assert call.header("anthropic-beta") == "b-1,oauth-2025-04-20", \
            call.headers

        # Tokens are nowhere in clear.
        store = (w.r.data_dir / "routex.db").read_bytes()
        wal = (w.r.data_dir / "routex.db-wal").read_bytes()
        token = w.provider.seen[-1]
        assert token.encode() not in store + wal
        for path in ("/api/oauth/accounts", "/api/channels", "/api/audit"):
            assert token not in json.dumps(w.r.admin.get(path)), path
        logs = w.r.control.err.read_text() + w.r.plane.err.read_text()
        assert token not in logs and "rt-" not in logs

        # The channel's body comes back as it was shown; the key stays.
        again = w.r.admin.call(
            "PUT", f"/api/channels/{w.channel['id']}", w.channel)["data"]
        assert again["keys"] == w.channel["keys"], again
        probe = w.r.admin.post(f"/api/channels/{w.channel['id']}/test")
        assert probe["data"]["ok"], probe

        # It is not deleted from under its channel.
        status, error = refused(lambda: w.r.admin.call(
            "DELETE", f"/api/oauth/accounts/{a['id']}"))
        assert status == 409 and "claude" in error["message"], error
        w.r.admin.call("DELETE", f"/api/channels/{w.channel['id']}")
        w.r.admin.call("DELETE", f"/api/oauth/accounts/{a['id']}")
        assert w.r.admin.get("/api/oauth/accounts")["data"] == []
        actions = [line["action"] for line in w.r.admin.get("/api/audit")[
            "data"] if line["kind"] == "oauth_account"]
        assert actions == ["delete", "login", "begin_login"], actions


@test
def several_accounts_of_one_provider_are_told_apart(build):
    with World(build) as w:
        second = w.login(identity="you")
        assert second["name"] == "anthropic-2", second
        named = w.login(identity="they", account="work")
        assert named["name"] == "work", named
        again = w.login(identity="you")
        assert again["id"] == second["id"], (again, second)
        once_more = w.login(identity="they", account="work")
        assert once_more["id"] == named["id"], (once_more, named)
        begun = w.start(account="work")
        code, state, _ = w.provider.consent(begun["url"], "somebody-else")
        status, error = refused(lambda: w.r.admin.post(
            "/api/oauth/anthropic/finish", {"code": f"{code}#{state}"}))
        assert status == 409, error
        assert len(w.r.admin.get("/api/oauth/accounts")["data"]) == 3
        both = w.r.admin.post("/api/channels", {
            "name": "both", "type": "anthropic", "base_url": w.provider.url,
            "keys": [{"account": "work"}, {"account": "anthropic-2"},
                     "sk-plain"]})["data"]
        kinds = [k["kind"] for k in both["keys"]]
        assert kinds == ["oauth", "oauth", "api_key"], both
        for account in ("nobody", "work"):
            kind = "anthropic" if account == "nobody" else "gemini"
            status, error = refused(lambda: w.r.admin.post("/api/channels", {
                "name": "x", "type": kind, "account": account}))
            assert (status, error["field"]) == (400, "account"), error


@test
def a_state_is_good_once_for_ten_minutes_at_its_provider(build):
    with World(build, login=False) as w:
        def finish(code, state, provider="anthropic"):
            return w.call("POST", f"/api/oauth/{provider}/finish",
                          {"code": code, "state": state})

        def fresh(provider="anthropic"):
            begun = w.start(provider)
            assert begun["style"] in ("paste", "loopback"), begun
            return w.provider.consent(begun["url"])[:2]

        code, state = fresh()
        answer = finish(code, "x" * 43)
        assert answer.status == 400, answer.body
        assert answer.json()["error"]["code"] == "bad_state", answer.body
        told("state: never given out", "400 bad_state, nothing is asked")
        assert finish(code, state).status == 200
        answer = finish(code, state)
        assert answer.status == 400, answer.body
        told("state: replayed", "400 bad_state, nothing is asked")

        code, state = fresh()
        store = sqlite3.connect(w.r.data_dir / "routex.db", timeout=10)
        with store:
            left = store.execute(
                "update oauth_login set expires_ms = expires_ms - 600001 "
                "returning expires_ms").fetchall()
        store.close()
        assert len(left) == 1, left
        answer = finish(code, state)
        assert answer.status == 400 and b"too long" in answer.body, answer.body
        told("state: ten minutes old", "400 bad_state, nothing is asked")

        code, state = fresh()
        assert finish(code, state, "openai").status == 400
        told("state: of another provider", "400 bad_state, used up")
        for body, field in (({}, "code"), ({"code": ""}, "code"),
                            ({"code": "c"}, "state"),
                            ({"code": "a b#s"}, "code"),
                            ({"code": "a#s", "state": "t"}, "state"),
                            ({"code": "a#s", "x": 1}, "x")):
            answer = w.call("POST", "/api/oauth/anthropic/finish", body)
            assert answer.status == 400, (body, answer.body)
            assert answer.json()["error"]["field"] == field, answer.body
        asked = [a["grant_type"] for a in w.provider.asked]
        assert asked == ["authorization_code"], asked
        assert w.call("POST", "/api/oauth/nobody/start", {}).status == 404

        # A code the provider does not take leaves nothing behind.
        _, state = fresh()
        answer = finish("made-up", state)
        assert answer.status == 409, answer.body
        assert len(w.r.admin.get("/api/oauth/accounts")["data"]) == 1

        # The whole address will do; the same key gets the same answer.
        begun = w.start()
        code, state, _ = w.provider.consent(begun["url"])
        body = {"code": f"http://localhost:1/cb?code={code}&state={state}"}
        answers = [w.call("POST", "/api/oauth/anthropic/finish", body,
                          {"idempotency-key": "k1"}) for _ in range(2)]
        assert [a.status for a in answers] == [200, 200], answers[1].body
        assert answers[0].body == answers[1].body
        starts = [w.call("POST", "/api/oauth/anthropic/start", {},
                         {"idempotency-key": "k2"}).body for _ in range(2)]
        assert starts[0] == starts[1]


@test
def a_browser_comes_back_to_the_admin_port(build):
    with World(build, login=False, openai__redirect_uri="local",
               openai__client_id="mine") as w:
        claims = {"email": "me@example.com", "https://api.openai.com/auth": {
            "chatgpt_account_id": "acct-1"}}
        w.provider.extra = {"account": None, "id_token": ".".join(
            b64(json.dumps(part).encode()) for part in ({}, claims)) + ".sig"}
        begun = w.start("openai", account="chat")
        assert begun["style"] == "redirect", begun
        code, state, asked = w.provider.consent(begun["url"])
        assert asked["client_id"] == "mine", asked
        assert asked["redirect_uri"] == \
            f"{w.r.control_url}/api/oauth/callback", asked

        def come_back(**query):
            with Client(w.r.control_url) as client:
                return client.request("GET", "/api/oauth/callback?"
                                      + urllib.parse.urlencode(query))
        assert come_back(error="access_denied").status == 400
        assert come_back(code=code, state="<script>").status == 400
        page = come_back(code=code, state=state)
        assert page.status == 200, page.body
        assert page.header("content-type").startswith("text/html"), page.headers
        assert b"chat" in page.body, page.body
        assert come_back(code=code, state=state).status == 400
        account, = w.r.admin.get("/api/oauth/accounts")["data"]
        assert account["identity"] == "acct-1", account
        line = next(a for a in w.r.admin.get("/api/audit")["data"]
                    if a["action"] == "login")
        assert line["name"] == "chat", line

        w.r.admin.post("/api/channels", {
            "name": "codex", "type": "codex", "base_url":
            f"{w.provider.url}/backend-api/codex", "account": "chat"})
        w.r.settle()
        answer = w.r.ask(RESPONSES, stream=True, temperature=1)
        assert answer.status == 200, answer.body
        call = w.provider.server.calls[-1]
        assert call.path == "/backend-api/codex/responses", call.path
        assert call.header("chatgpt-account-id") == "acct-1", call.headers
        sent = call.json()
        assert sent["store"] is False and "temperature" not in sent, sent


@test
def an_exported_configuration_names_accounts_and_holds_no_token(build):
    with World(build) as w:
        document = w.r.admin.get("/api/config/export")
        document = document.get("data", document)
        text = json.dumps(document)
        assert "at-1" not in text and "at-2" not in text, text
        channel, = document["channels"]
        assert [k.get("account") for k in channel["keys"]] == ["anthropic"], \
            channel
        done = w.r.admin.post("/api/config/import", document)
        assert w.r.admin.get("/api/channels")["data"][0]["keys"] == \
            w.channel["keys"], done
        with Routex(build, planes=0) as other:
            done = json.dumps(other.admin.post("/api/config/import", document))
            assert "has to be logged in here" in done, done
            made, = other.admin.get("/api/channels")["data"]
            assert [k["account"] for k in made["keys"]] == ["anthropic"], made
            account, = other.admin.get("/api/oauth/accounts")["data"]
            assert account["status"] == "needs_login", account
            del document["accounts"]
        with Routex(build, planes=0) as other:
            done = json.dumps(other.admin.post("/api/config/import", document))
            assert "is not logged in here" in done, done
            made, = other.admin.get("/api/channels")["data"]
            assert (made["status"], made["keys"]) == ("disabled", []), made


@test
def sealed_tokens_travel_and_never_replace_good_ones(build):
    words = {"x-routex-passphrase": "correct horse battery"}
    with World(build) as w, Routex(build, planes=0) as other:
        def move(r, method, path, body=None):
            with Client(r.control_url) as client:
                answer = client.request(method, path, {
                    "authorization": f"Bearer {r.admin.token}",
                    "content-type": "application/json", **words},
                    body and json.dumps(body).encode())
            assert answer.status == 200, (answer.status, answer.body)
            return answer.json()["data"]

        path = "/api/config/export?secrets=sealed"
        document = move(w.r, "GET", path)
        assert "-xyz" not in json.dumps(document), document
        names = {k: v for k, v in document.items() if k != "secrets"}
        move(other, "POST", "/api/config/import", names)
        done = move(other, "POST", "/api/config/import", document)
        assert [c["name"] for c in done["changes"]] == ["anthropic"], done
        assert "with the tokens of the document" in json.dumps(done), done
        account, = other.admin.get("/api/oauth/accounts")["data"]
        assert account["status"] == "active", account
        assert account["renewable"] and account["token_valid"], account
        for r in (w.r, other):
            again = move(r, "POST", "/api/config/import", document)
            assert not again["changes"], again


@test
def the_command_line_logs_in_and_shows_accounts(build):
    with World(build, login=False) as w:
        def routex(*words, code=0):
            done = subprocess.run(
                [build / "routex", *words, "--data-dir", w.r.data_dir],
                capture_output=True, text=True, timeout=30,
                stdin=subprocess.DEVNULL, check=False)
            assert done.returncode == code, (words, done)
            return done.stdout + done.stderr

        begun = json.loads(routex("login", "anthropic", "--account", "work",
                                  "--json"))
        code, state, _ = w.provider.consent(begun["url"])
        said = routex("login", "anthropic", "--code", f"{code}#{state}")
        assert "Account work is logged in as me@example.com" in said, said
        assert "--account work" in said, said
        assert begun["account"] == "work", begun
        said = routex("login", "anthropic")
        assert f"{w.provider.url}/authorize?" in said, said
        assert "--code" in said, said
        routex("login", "anthropic", "--code", f"{code}#{state}", code=1)
        routex("login", "nobody", code=1)
        routex("channel", "add", "claude", "--type", "anthropic",
               "--base-url", w.provider.url, "--account", "work")
        listed = routex("account", "list")
        assert "work" in listed and "active" in listed, listed
        accounts = json.loads(routex("account", "list", "--json"))
        assert [a["channels"] for a in accounts] == [["claude"]], accounts
        assert "new token" in routex("account", "refresh", "work")
        said = routex("account", "rm", "work", code=1)
        assert "claude" in said, said
        routex("channel", "rm", "claude")
        assert "gone" in routex("account", "rm", "work")
        assert json.loads(routex("account", "list", "--json")) == []


# -- renewing -----------------------------------------------------------------


def answers(status, value):
    def fault(provider, call, asked):
        call.answer_json(value, status)
    return fault


def raw(body, status=200):
    return lambda provider, call, asked: call.answer(status, [
        ("content-type", "application/json")], body)


def changed(**fields):
    """A good answer with fields changed, or left out where None."""
    def fault(provider, call, asked):
        with provider.lock:
            status, made = provider.exchange(asked)
        made.update(fields)
        made = {k: v for k, v in made.items() if v is not None}
        call.answer_json(made, status)
    return fault


def slow(seconds):
    def fault(provider, call, asked):
        time.sleep(seconds)
        with provider.lock:
            status, made = provider.exchange(asked)
        call.answer_json(made, status)
    return fault


# fault, what it is, does the renewal succeed, word of the error
FAULTS = [
    (slow(2), "answers after 2 s", True, None),
    (answers(500, {"error": "server_error"}), "500", False, "500"),
    (answers(503, {}), "503", False, "503"),
    (answers(429, {"error": {"type": "rate_limit_error"}}), "429", False,
     "rate_limit_error"),
    (answers(401, {"error": "invalid_client"}), "401 invalid_client", False,
     "invalid_client"),
    (raw(b"<html>oops</html>"), "200 that is no JSON", False, "JSON"),
    (raw(b"[]"), "200 that is no object", False, "JSON"),
    (raw(b""), "200 with nothing", False, "JSON"),
    (raw(b'{"a":"' + b"x" * 300000 + b'"}'), "300 KB body", False, "larger"),
    (lambda provider, call, asked: call.cut(), "hangs up", False, "answer"),
    (answers(200, {"error": "no"}), "200 without access_token", False, "token"),
    (changed(access_token=None), "no access_token, but a rotated refresh",
     False, "token"),
    (changed(access_token="a b\r\nc"), "access_token no header can hold",
     False, "token"),
    (changed(token_type="mac"), "token_type mac", False, "kind"),
    (changed(expires_in=-5), "expired in the past", False, "over"),
    (changed(expires_in=None), "no expires_in", True, None),
    (changed(expires_in="7200"), "expires_in as text", True, None),
    (changed(expires_in=1e300), "expires_in 1e300", True, None),
]


@test
def no_fault_of_a_renewal_loses_a_good_token(build):
    with World(build) as w:
        for fault, words, good, error in FAULTS:
            w.provider.faults = [fault]
            asked = w.provider.refreshes()
            answer = w.call("POST", f"/api/oauth/accounts/"
                            f"{w.account['id']}/refresh")
            assert w.provider.refreshes() > asked, words
            if good:
                assert answer.status == 200, (words, answer.body)
                happened = "renewed"
            else:
                assert answer.status == 502, (words, answer.body)
                message = answer.json()["error"]["message"]
                assert error in message, (words, message)
                assert w.ask().status == 200, words
                happened = "502, old token used on, "
            # It is tried again, and nothing that was used up is shown twice.
            wait_until(lambda: w.shown()["status"] == "active",
                       f"{words}: {w.shown()}", 20)
            assert w.ask().status == 200, words
            assert w.provider.reused == 0, words
            told(f"renewal: {words}", happened
                 if good else happened + "renewed after a pause")
        assert w.shown()["last_error"] is None, w.shown()


@test
def a_refresh_token_that_does_not_rotate_is_kept(build):
    with World(build) as w:
        w.provider.faults = [changed(refresh_token=None)]
        w.provider.rotates = False
        w.provider.refresh = dict(w.provider.refresh)
        for _ in range(3):
            assert w.renew()["renewable"]
        shown = {a.get("refresh_token") for a in w.provider.asked[1:]}
        assert len(shown) == 1, shown
        told("renewal: no refresh_token in the answer", "the old one is kept")


@test
def tokens_are_renewed_ahead_of_their_end(build):
    with World(build, login=False) as w:
        w.provider.life = 4
        w.account = w.login()
        w.r.admin.post("/api/channels", {
            "name": "claude", "type": "anthropic", "account": "anthropic",
            "base_url": w.provider.url})
        w.r.settle()
        for want in (1, 2, 3):
            wait_until(lambda want=want: w.provider.refreshes() >= want,
                       f"renewal {want}", 20)
            assert w.ask().status == 200
        assert w.provider.reused == 0
        told("token lives 4 s", "renewed halfway, each time")


@test
def many_who_want_a_renewal_get_one(build):
    with World(build) as w:
        w.provider.faults = [slow(1)]
        done = []

        def renew():
            done.append(w.renew()["refreshed_at"])
        threads = [threading.Thread(target=renew) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len(set(done)) == 1 and len(done) == 8, done
        assert w.provider.refreshes() == 1, w.provider.refreshes()
        told("8 renewals asked for at once", "the provider sees one")


# -- refusals -----------------------------------------------------------------


@test
def a_token_that_is_refused_is_renewed_and_the_request_goes_on(build):
    with World(build, planes=2) as w:
        assert w.ask_at("data-1").status == w.ask_at("data-2").status == 200
        w.provider.revoke()
        w.provider.faults = [slow(0.5)]
        got = []

        def ask(name):
            got.append(w.ask_at(name))
        threads = [threading.Thread(target=ask, args=(f"data-{1 + n % 2}",))
                   for n in range(12)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        statuses = [a.status for a in got]
        assert statuses == [200] * 12, statuses
        assert w.provider.refreshes() == 1, w.provider.refreshes()
        assert w.provider.reused == 0
        rows = [w.r.row(a) for a in got]
        most = max(len(row["attempts"]) for row in rows)
        assert most == 2, [len(row["attempts"]) for row in rows]
        told("401 at two planes, 12 requests under way",
             "one renewal, all 12 answered")
        wait_until(lambda: not w.r.admin.get("/api/channels")["data"][0][
            "availability"]["troubled"], "the trouble to go")
        # The token before is no news any more.
        assert w.ask().status == 200
        assert w.provider.refreshes() == 1
        told("the same 401 told late by another plane", "nothing is asked")


@test
def without_a_fresh_token_the_next_channel_serves(build):
    with World(build) as w:
        w.r.admin.post("/api/channels", {
            "name": "other", "type": "anthropic", "priority": 1,
            "base_url": w.provider.url, "api_key": "sk-other"})
        w.r.settle()
        w.provider.revoke()
        w.provider.valid.add("sk-other")
        # An API key is sent as such; this provider reads it there.
        w.provider.api, plain = None, w.provider.api

        def api(call):
            if call.header("x-api-key") == "sk-other":
                ANTHROPIC.serve(call)
            else:
                plain(call)
        w.provider.api = api
        w.provider.faults = [slow(6)]
        start = time.monotonic()
        answer = w.ask()
        took = time.monotonic() - start
        assert answer.status == 200, answer.body
        assert answer.header("x-routex-channel") == "other", answer.headers
        assert took > 1.5, took
        told("401, and the renewal takes 6 s",
             "2 s later the next channel serves")
        wait_until(lambda: w.in_force(f"at-{w.provider.count}-xyz"),
                   "the fresh token in force", 20)


@test
def a_refused_refresh_token_needs_a_person(build):
    with World(build) as w:
        token = w.provider.valid.copy().pop()
        w.provider.faults = [answers(400, {
            "error": "invalid_grant", "error_description": "x"})]
        answer = w.call(
            "POST", f"/api/oauth/accounts/{w.account['id']}/refresh")
        assert answer.status == 409, answer.body
        assert answer.json()["error"]["code"] == "needs_login", answer.body
        shown = w.shown()
        assert shown["status"] == "needs_login", shown
        assert "invalid_grant" in shown["last_error"], shown
        assert shown["token_valid"], shown
        trouble, = w.r.admin.get("/api/channels")["data"][0][
            "availability"]["troubles"]
        assert trouble["reason"] == "needs_login", trouble
        assert "oauth.needs_login" in w.r.control.err.read_text()
        line = w.r.admin.get("/api/audit")["data"][0]
        assert line["action"] == "needs_login", line
        for _ in range(3):
            assert w.in_force(token)
        told("renewal: invalid_grant",
             "needs_login shown; the token is used to its end")

        # Its end: nobody is asked with a token that is known to be dead.
        w.provider.revoke()
        answer = w.ask()
        assert answer.status >= 500, answer.status
        wait_until(lambda: any(
            t["reason"] == "needs_login" for t in w.r.admin.get(
                "/api/channels")["data"][0]["availability"]["troubles"]),
            "the trouble")
        renewals = w.provider.refreshes()
        calls = len(w.provider.seen)
        for _ in range(3):
            assert w.ask().status >= 500
        assert w.provider.refreshes() == renewals == 1, renewals
        assert len(w.provider.seen) <= calls + 1, w.provider.seen[calls:]
        told("needs_login and the token refused",
             "503 at once; the provider is left alone")

        # A restart forgets nothing of it.
        w.r.restart_control()
        assert w.shown()["status"] == "needs_login"
        again = w.login()
        assert again["id"] == w.account["id"], again
        assert again["status"] == "active", again
        wait_until(lambda: w.ask().status == 200, "the channel to serve")
        assert w.r.admin.get("/api/channels")["data"][0]["keys"] == \
            w.channel["keys"]
        told("somebody logs in again", "same account, same channels, 200")


@test
def fresh_tokens_that_are_refused_are_not_asked_for_without_end(build):
    with World(build) as w:
        def never(call):
            call.answer_json({"type": "error", "error": {
                "type": "authentication_error", "message": "no"}}, 401)
        w.provider.api = never
        end = time.monotonic() + 4
        while time.monotonic() < end:
            assert w.ask().status >= 500
        assert w.provider.refreshes() <= 2, w.provider.refreshes()
        told("every token is refused (account shut)",
             "renewed once, then after 30 s, 60 s, … 15 min")


# -- dying --------------------------------------------------------------------


@test
def kill_9_after_the_provider_answered_loses_no_token(build):
    with World(build) as w:
        for turn in range(4):
            answered = threading.Event()

            def fault(provider, call, asked):
                with provider.lock:
                    status, made = provider.exchange(asked)
                call.answer_json(made, status)
                answered.set()
            before = w.r.sql("select refreshed_ms from oauth_account")
            w.provider.faults = [fault]

            def renew():
                try:
                    w.renew()
                except Exception:  # it is killed meanwhile
                    pass
            thread = threading.Thread(target=renew)
            thread.start()
            assert answered.wait(10)
            wait_until(lambda: w.r.sql(
                "select refreshed_ms from oauth_account") != before,
                "the token in the store")
            w.r.control.kill()
            thread.join()
            with w.provider.lock:
                w.provider.valid = {f"at-{w.provider.count}-xyz"}
            w.r.start_control()
            wait_until(lambda: w.in_force(f"at-{w.provider.count}-xyz"),
                       f"turn {turn}: the stored token in force")
            assert w.renew()["status"] == "active"
            assert w.provider.reused == 0, turn
        told("kill -9 between the answer and its publication",
             "the token is in the store; the next start publishes it")


@test
def a_store_that_is_locked_loses_no_token(build):
    with World(build) as w:
        store = sqlite3.connect(
            w.r.data_dir / "routex.db", timeout=10,
            isolation_level=None, check_same_thread=False)

        def fault(provider, call, asked):
            with provider.lock:
                status, made = provider.exchange(asked)
            store.execute("begin immediate")
            call.answer_json(made, status)
        w.provider.faults = [fault]
        answer = w.call(
            "POST", f"/api/oauth/accounts/{w.account['id']}/refresh")
        assert answer.status >= 500, (answer.status, answer.body)
        assert "oauth.unstored" in w.r.control.err.read_text()
        assert w.in_force("at-2-xyz"), w.provider.seen[-1]
        store.execute("rollback")
        store.close()
        wait_until(lambda: w.in_force(f"at-{w.provider.count}-xyz"),
                   "the token to be stored and published", 20)
        assert w.renew()["status"] == "active"
        assert w.provider.reused == 0
        told("the store takes no token", "kept, stored and published later")


@test
def a_report_while_the_control_plane_is_away_is_told_when_it_is_back(build):
    with World(build) as w:
        assert w.ask().status == 200
        w.r.control.kill()
        w.provider.revoke()
        wait_until(lambda: w.r.health()["control"] == "lost", "the loss")
        assert w.ask().status >= 500
        w.r.start_control()
        wait_until(lambda: w.provider.refreshes() == 1, "the renewal", 30)
        wait_until(lambda: w.ask().status == 200, "the fresh token")
        told("401 while the control plane is away",
             "told again when it is back; renewed")


@test
def the_fault_table(build):
    width = max(len(fault) for fault, _ in TABLE)
    print(f"\n{'OAuth fault':{width}}  what happened")
    for fault, happened in TABLE:
        print(f"{fault:{width}}  {happened}  pass")
    assert len(TABLE) >= 30, len(TABLE)


main()
