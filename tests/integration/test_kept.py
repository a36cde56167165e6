"""Responses that a provider keeps are asked for where they were made."""
import itertools
import json

from dialects import RESPONSES, sse
from harness import Routex, main, test, wait_until
from peers import Upstream


class Keeper:
    """An account that stores what it answers, and knows only that."""

    def __init__(self, name):
        self.name = name
        self.numbers = itertools.count(1)
        self.kept = set()
        self.limited = False

    def serve(self, call):
        if self.limited:
            call.answer_json({"error": {"message": "slow down"}}, 429,
                             [("retry-after", "30")])
        elif call.method == "GET":
            self.fetch(call)
        else:
            self.make(call)

    def fetch(self, call):
        name = call.path.rsplit("/", 1)[1]
        if name in self.kept:
            call.answer_json({**RESPONSES.answer, "id": name})
        else:
            self.unknown(call, name)

    def unknown(self, call, name):
        call.answer_json({"error": {
            "message": f"Previous response with id '{name}' not found.",
            "type": "invalid_request_error",
            "param": "previous_response_id",
            "code": "previous_response_not_found"}}, 400)

    def make(self, call):
        asked = call.json()
        before = asked.get("previous_response_id")
        if before and before not in self.kept:
            self.unknown(call, before)
            return
        name = f"resp_{self.name}_{next(self.numbers)}"
        store = asked.get("store", True)
        if store:
            self.kept.add(name)
        answer = {**RESPONSES.answer, "id": name, "store": store}
        if not asked.get("stream"):
            call.answer_json(answer)
            return
        call.open_stream()
        for raw in RESPONSES.events:
            event = json.loads(raw.split(b"data: ", 1)[1])
            if "response" in event:
                event["response"] = {**event["response"], "id": name,
                                     "store": store}
            call.chunk(sse([event], True)[0])
        call.end()


def ask(r, plane="data-1", session="s", **more):
    stream = more.get("stream", False)
    with r.connect(plane) as client:
        answer = client.request("POST", "/v1/responses", {
            "authorization": f"Bearer {r.key}",
            "content-type": "application/json",
            "x-routex-session": session}, RESPONSES.request(**more))
    if answer.status != 200:
        return answer, None
    text = answer.body.decode()
    if stream:
        last = text.rstrip().rsplit("data: ", 1)[1]
        return answer, json.loads(last)["response"]["id"]
    return answer, json.loads(text)["id"]


class Two:
    """Two accounts of the same rank, each with all it needs to know."""

    def __init__(self, build, planes=1):
        self.keepers = [Keeper("a"), Keeper("b")]
        self.ups = [Upstream(k.serve) for k in self.keepers]
        self.r = Routex(build, [
            RESPONSES.channel(u.url, k.name)
            for u, k in zip(self.ups, self.keepers)], planes=planes)

    def __enter__(self):
        self.r.__enter__()
        self.r.configure(strategy="round_robin")
        return self

    def __exit__(self, *why):
        self.r.__exit__(*why)
        for up in self.ups:
            up.close()

    def keeper(self, name):
        return next(k for k in self.keepers if k.name == name)


@test
def a_conversation_goes_on_where_its_last_answer_is_kept(build):
    with Two(build) as two:
        where = set()
        for stream in (False, True):
            for number in range(4):
                answer, last = ask(two.r, session=f"{stream}{number}",
                                   stream=stream)
                home = answer.header("x-routex-channel")
                where.add(home)
                for turn in range(3):
                    answer, last = ask(
                        two.r, session=f"other {stream}{number}{turn}",
                        stream=stream, previous_response_id=last)
                    assert answer.status == 200, (turn, answer.body)
                    assert answer.header("x-routex-channel") == home
        assert where == {"a", "b"}, where


@test
def a_kept_answer_is_fetched_from_who_keeps_it(build):
    with Two(build) as two:
        made = [ask(two.r, session=str(n)) for n in range(6)]
        for answer, name in made:
            with two.r.connect() as client:
                got = client.request("GET", f"/v1/responses/{name}", {
                    "authorization": f"Bearer {two.r.key}"})
            assert got.status == 200, got.body
            assert got.json()["id"] == name
            assert got.header("x-routex-channel") == answer.header(
                "x-routex-channel")


@test
def nobody_else_is_asked_when_the_keeper_is_out(build):
    with Two(build) as two:
        answer, name = ask(two.r)
        home = answer.header("x-routex-channel")
        other = two.ups["ab".index("b" if home == "a" else "a")]
        two.keeper(home).limited = True
        before = len(other.calls)
        for _ in range(2):
            answer, _ = ask(two.r, session="x", previous_response_id=name)
            assert answer.status == 429, answer.body
            assert int(answer.header("retry-after")) >= 25
        assert "keeps the earlier response" in answer.json()["error"][
            "message"], answer.body
        assert len(other.calls) == before
        answer, _ = ask(two.r, session="new")
        assert answer.header("x-routex-channel") != home


@test
def what_is_not_kept_binds_nobody(build):
    with Two(build) as two:
        answer, name = ask(two.r, store=False)
        # Nobody knows it: whoever is next says so, in his own words.
        said = [ask(two.r, session=str(n), previous_response_id=name)[0]
                for n in range(4)]
        assert {a.status for a in said} == {400}, said
        assert {a.header("x-routex-channel") for a in said} == {"a", "b"}


@test
def the_other_planes_know_where_an_answer_is_kept(build):
    with Two(build, planes=2) as two:
        for number in range(4):
            answer, name = ask(two.r, session=f"n{number}")
            home = answer.header("x-routex-channel")

            def known(name=name, home=home):
                got, _ = ask(two.r, "data-2", session="m",
                             previous_response_id=name)
                return (got.status == 200 and
                        got.header("x-routex-channel") == home)
            wait_until(known, "the other plane to know")
            for _ in range(3):
                assert known()


main()
