"""Gemini and Claude on a make-believe Vertex AI, whose token endpoint checks the
signed request with openssl."""
import base64
import json
import pathlib
import subprocess
import tempfile
import time
import urllib.parse

from dialects import ANTHROPIC, CHAT, GEMINI
from harness import Failed, Routex, main, test, wait_until
from peers import Upstream


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def make_key(folder):
    """A private key in PEM and the file with its public half."""
    private, public = folder / "key.pem", folder / "pub.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt",
                    "rsa_keygen_bits:2048", "-out", private], check=True,
                   capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out",
                    public], check=True, capture_output=True)
    return private.read_text(), public


class Google(Upstream):
    """Token endpoint and models in one."""

    def __init__(self, folder, life_s=3600):
        super().__init__(self.serve_call)
        self.folder = folder
        self.private, self.public = make_key(folder)
        self.life_s = life_s
        self.tokens = []
        self.refusing = None

    def account(self, **more):
        return json.dumps({
            "type": "service_account", "project_id": "proj-1",
            "private_key_id": "kid-1234", "private_key": self.private,
            "client_email": "me@proj-1.iam.example",
            "token_uri": f"{self.url}/token", **more}, indent=2)

    def check(self, assertion):
        head, claims, signature = assertion.split(".")
        signed, file = self.folder / "signed", self.folder / "signature"
        signed.write_bytes(f"{head}.{claims}".encode())
        file.write_bytes(unbase64(signature))
        subprocess.run(["openssl", "dgst", "-sha256", "-verify", self.public,
                        "-signature", file, signed], check=True,
                       capture_output=True)
        assert json.loads(unbase64(head)) == {
            "alg": "RS256", "typ": "JWT", "kid": "kid-1234"}, head
        claims = json.loads(unbase64(claims))
        assert claims["iss"] == "me@proj-1.iam.example", claims
        assert claims["aud"] == f"{self.url}/token", claims
        assert claims["scope"].endswith("/auth/cloud-platform"), claims
        assert claims["exp"] - claims["iat"] == 3600, claims
        assert abs(claims["iat"] - time.time()) < 60, claims

    def give_token(self, call):
        form = urllib.parse.parse_qs(call.body.decode())
        assert form["grant_type"] == [
            "urn:ietf:params:oauth:grant-type:jwt-bearer"], form
        self.check(form["assertion"][0])
        if self.refusing:
            call.answer_json({"error": "invalid_grant",
                              "error_description": self.refusing}, 400)
            return
        self.tokens.append(f"ya29.{len(self.tokens) + 1}")
        call.answer_json({"access_token": self.tokens[-1],
                          "expires_in": self.life_s, "token_type": "Bearer"})

    def serve_call(self, call):
        if call.path == "/token":
            self.give_token(call)
            return
        sent = call.header("authorization")
        if sent not in [f"Bearer {t}" for t in self.tokens[-2:]]:
            call.answer_json({"error": {"code": 401, "message": sent,
                                        "status": "UNAUTHENTICATED"}}, 401)
        elif ":rawPredict" in call.path:
            call.answer_json(ANTHROPIC.answer)
        elif ":streamRawPredict" in call.path:
            call.open_stream()
            for event in ANTHROPIC.events:
                call.chunk(event)
            call.end()
        else:
            GEMINI.serve(call)

    def asked(self):
        return [c for c in self.calls if c.path != "/token"]


class World:
    def __init__(self, build, **more):
        self.build, self.more = build, more

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="rtx-sa-")
        self.google = Google(pathlib.Path(self.folder.name), **self.more)
        self.routex = Routex(self.build)
        return self.google, self.routex.__enter__()

    def __exit__(self, *why):
        try:
            self.routex.__exit__(*why)
        finally:
            self.google.close()
            self.folder.cleanup()
        if why[0] is None:
            assert not self.google.failed, self.google.failed


def add(r, google, **more):
    made = r.admin.post("/api/channels", {
        "name": "v", "type": "vertex", "base_url": google.url,
        "api_key": google.account(), **more})["data"]
    return made


def token(r):
    return r.admin.get("/api/channels/v")["data"]["keys"][0]["token"]


def ready(r, google, count=1):
    """The plane has the count-th token."""
    wait_until(lambda: len(google.tokens) >= count, "a token to be fetched")
    wait_until(lambda: token(r)["expires_at"], "the token to be kept")
    r.settle()


@test
def a_service_account_serves_gemini_and_claude(build):
    with World(build) as (google, r):
        made = add(r, google)
        assert made["transformers"] == {"use": [["vertex", {
            "project": "proj-1", "location": "global"}]]}, made
        key = made["keys"][0]
        assert (key["kind"], key["last4"]) == ("service_account", "1234"), key
        assert google.private.splitlines()[1] not in json.dumps(made)
        ready(r, google)
        assert r.ask(GEMINI).json()["candidates"], "no answer"
        base = "/v1/projects/proj-1/locations/global/publishers/"
        call = google.asked()[-1]
        assert call.path == base + "google/models/m-1:generateContent", call
        assert call.header("authorization") == "Bearer ya29.1", call.headers
        answer = r.ask(ANTHROPIC, stream=True)
        assert answer.clean and b"message_stop" in answer.body, answer.body
        call = google.asked()[-1]
        assert call.path == (
            base + "anthropic/models/m-1:streamRawPredict"), call.path
        body = call.json()
        assert "model" not in body, body
        assert body["anthropic_version"] == "vertex-2023-10-16", body
        answer = r.ask(CHAT)
        assert answer.json()["choices"], answer.body
        assert len(google.tokens) == 1, google.tokens


@test
def a_token_is_renewed_before_it_ends_and_survives_a_restart(build):
    with World(build, life_s=4) as (google, r):
        add(r, google)
        ready(r, google, 2)  # the first was renewed at half of its life
        google.life_s = 3600
        count = len(google.tokens)
        wait_until(lambda: len(google.tokens) > count, "the next one")
        wait_until(lambda: "ya29" not in json.dumps(token(r)), "hidden")
        r.settle()
        asked = len(google.tokens)
        r.restart_control()
        r.settle()
        assert r.ask(GEMINI).status == 200
        assert len(google.tokens) == asked, google.tokens


@test
def a_refusal_is_shown_and_tried_again(build):
    with World(build) as (google, r):
        google.refusing = "Invalid JWT Signature."
        add(r, google)
        wait_until(lambda: token(r)["error"], "the refusal to be shown")
        assert "Invalid JWT Signature." in token(r)["error"], token(r)
        r.settle()
        assert r.ask(GEMINI).status == 503, "without a token nobody can answer"
        google.refusing = None
        ready(r, google)
        wait_until(lambda: token(r)["error"] is None, "the trouble to be over")
        assert r.ask(GEMINI).status == 200


@test
def another_key_is_exchanged_at_once(build):
    with World(build) as (google, r):
        add(r, google)
        ready(r, google)
        r.admin.call("PATCH", "/api/channels/v", {
            "api_key": google.account(project_id="other")})
        ready(r, google, 2)
        def second():
            answer = r.ask(GEMINI)
            return google.asked()[-1].header(
                "authorization") == "Bearer ya29.2" and answer.status == 200
        wait_until(second, "the second token to be used")


@test
def a_token_that_is_not_taken_is_renewed_at_once(build):
    with World(build) as (google, r):
        add(r, google)
        ready(r, google)
        assert r.ask(GEMINI).status == 200
        google.tokens[:] = ["ya29.revoked"]  # what it gave is good no more
        answer = r.ask(GEMINI)
        assert answer.status == 200, (answer.status, answer.body)
        assert google.tokens == ["ya29.revoked", "ya29.2"], google.tokens
        # A new one that is refused, too, is not renewed at once.
        google.tokens[:] = ["ya29.revoked", "ya29.revoked"]
        assert r.ask(GEMINI).status != 200
        assert len(google.tokens) == 2, google.tokens


@test
def what_is_no_key_file_is_refused_by_name(build):
    with World(build) as (google, r):
        def refused(**body):
            try:
                add(r, google, **body)
            except Failed as failed:
                assert failed.status == 400, failed
                error = json.loads(failed.body)["error"]
                return error["field"], error["message"]
            raise AssertionError("it was saved")
        assert refused(api_key='{"type": "user"}')[0] == "api_key"
        field, words = refused(api_key=google.account(private_key="no"))
        assert field == "api_key" and "RSA" in words, words
        assert refused(api_key="ya29.mine")[0] == "transformers"
        add(r, google, api_key="ya29.mine", transformers={
            "use": [["vertex", {"project": "p"}]]})


@test
def a_region_is_read_from_the_address(build):
    with World(build) as (google, r):
        made = add(r, google,
                   base_url="https://us-east5-aiplatform.googleapis.com",
                   status="disabled")
        assert made["transformers"]["use"][0][1]["location"] == "us-east5"


main()
