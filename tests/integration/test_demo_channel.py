"""The demo channel answers until a real one has proven itself."""

from dialects import CHAT
from harness import Routex, main, test, wait_until
from peers import Upstream


class Provider(Upstream):
    """Answers everything well, or with `status`."""

    def __init__(self, status=200):
        self.status = status
        super().__init__(self.take)

    def take(self, call):
        if self.status != 200:
            call.answer_json({"error": {"message": "no"}}, self.status)
        elif call.method == "GET":
            call.answer_json({"data": []})
        else:
            CHAT.serve(call)


def demo(r):
    return r.admin.get("/api/channels/demo")["data"]["status"]


def add(r, up, **more):
    r.admin.post("/api/channels", CHAT.channel(up.url, "main", **more))


def who_answers(r, text="Hello"):
    answer = r.ask(CHAT, text=text)
    assert answer.status == 200, (answer.status, answer.body)
    return answer.header("x-routex-channel")


def tried(r):
    return r.admin.post("/api/channels/main/test")["data"]["ok"]


UNCHECKED = {"health_check": {"enabled": False}}


@test
def a_channel_that_does_not_answer_leaves_the_demo_in_its_place(build):
    with Provider(401) as up, Routex(build, demo=True) as r:
        add(r, up, **UNCHECKED)
        assert not tried(r)
        r.settle()
        assert who_answers(r) == "demo"
        assert demo(r) == "enabled"


@test
def a_paused_channel_that_would_answer_leaves_the_demo_in_its_place(build):
    with Provider() as up, Routex(build, demo=True) as r:
        add(r, up, status="paused", **UNCHECKED)
        assert tried(r)
        r.settle()
        assert who_answers(r) == "demo"
        assert demo(r) == "enabled"


@test
def a_good_test_sends_the_demo_away_once(build):
    with Provider(503) as up, Routex(build, planes=0, demo=True) as r:
        add(r, up, **UNCHECKED)
        assert not tried(r) and demo(r) == "enabled"
        up.status = 200
        assert tried(r) and demo(r) == "disabled"
        line, = [x for x in r.admin.get("/api/audit")["data"]
                 if x["action"] == "disable"]
        assert line["name"] == "demo", line
        r.admin.post("/api/channels/demo/resume")
        assert tried(r) and demo(r) == "enabled"
        r.restart_control()
        assert tried(r) and demo(r) == "enabled"


@test
def testing_all_channels_sends_the_demo_away(build):
    with Provider() as up, Routex(build, planes=0, demo=True) as r:
        add(r, up, **UNCHECKED)
        r.admin.post("/api/channels/test-all")
        assert demo(r) == "disabled"


@test
def a_good_health_check_sends_the_demo_away(build):
    with Provider() as up, Routex(build, planes=0, demo=True) as r:
        r.configure(health={"interval_s": 1})
        add(r, up)
        wait_until(lambda: demo(r) == "disabled", "the demo to go")


@test
def a_request_that_is_answered_well_sends_the_demo_away(build):
    with Provider() as up, Routex(build, demo=True) as r:
        assert who_answers(r) == "demo"
        add(r, up, **UNCHECKED)
        r.settle()
        assert demo(r) == "enabled"
        assert who_answers(r, "a new conversation") == "main"
        wait_until(lambda: demo(r) == "disabled", "the demo to go")


main()
