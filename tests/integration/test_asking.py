"""Whoever asks about a channel hears the same, whichever way he asks."""
import datetime
import json
import random
import time

from dialects import ANTHROPIC, provider
from harness import Routex, main, test, wait_until
from peers import Upstream

ROUNDS = 8
SEED = 20261122


def refusing(status, kind, words, *headers):
    body = json.dumps({"type": "error", "error": {
        "type": kind, "message": words}}).encode()

    def reply(call):
        call.answer(status, [("content-type", "application/json"), *headers],
                    body)
    return reply


def limited(seconds):
    return refusing(429, "rate_limit_error", "slow down",
                    ("retry-after", str(seconds)))


def some_reply(dice):
    return dice.choice([
        provider, provider, limited(dice.randint(20, 90)),
        refusing(401, "authentication_error", "invalid x-api-key"),
        refusing(402, "billing_error", "credit balance is too low"),
        refusing(500, "api_error", "internal"),
    ])


def explained(r):
    """Each channel's reason, and when it is back (0: nobody knows)."""
    told = r.admin.post("/api/routing/test", json.loads(ANTHROPIC.request()))
    out = {}
    for one in told["data"]["candidates"]:
        until = one.get("until")
        at = datetime.datetime.fromisoformat(
            until.replace("Z", "+00:00")).timestamp() if until else 0
        out[one["channel"]] = (one["reason"], at)
    return out


def troubled(r):
    return {c["name"] for c in r.admin.get("/api/channels")["data"]
            if c["availability"]["troubled"] and c["name"] != "demo"}


def ask(r, model="m-1"):
    return r.ask(ANTHROPIC, model=model,
                 headers={"x-routex-session": f"s{random.getrandbits(60)}"})


@test
def health_explain_the_admin_api_and_a_request_agree_about_every_channel(build):
    dice = random.Random(SEED)
    agreed = limits = 0
    ups = [Upstream(provider) for _ in range(4)]
    names = [f"c{i}" for i in range(len(ups))]
    with Routex(build, [ANTHROPIC.channel(u.url, n)
                        for u, n in zip(ups, names)]) as r:
        for _ in range(ROUNDS):
            r.forget()
            for up in ups:
                up.reply = some_reply(dice)
            for name in dice.choices(names, k=6):
                ask(r, f"{name}/m-1")
            for up in ups:
                up.reply = provider
            said = explained(r)
            ok = {n for n in names if said[n][0] == "ok"}
            assert r.health()["channels"]["available"] == len(ok), said
            wait_until(lambda: troubled(r) == set(names) - ok,
                       f"the admin API to say the same: {said}")
            for name in names:
                reason, back = said[name]
                answer = ask(r, f"{name}/m-1")
                if reason == "ok":
                    assert answer.status == 200, (name, said, answer.body)
                    assert answer.header("x-routex-channel") == name
                    assert answer.header("x-routex-attempts") == "1"
                elif reason == "is rate limited":
                    assert answer.status in (429, 503, 529), answer.status
                    wait = int(answer.header("retry-after"))
                    left = back - time.time()
                    assert left - 1.5 <= wait <= left + 2, (wait, left)
                    limits += 1
                agreed += 1
    for up in ups:
        up.close()
    print(f"     {agreed} channels asked four ways, {limits} of them limited")
    assert agreed == ROUNDS * len(names) and limits >= 3, (agreed, limits)


@test
def retry_after_is_the_earliest_return_of_all(build):
    dice = random.Random(SEED)
    ups = [Upstream(provider) for _ in range(3)]
    with Routex(build, [ANTHROPIC.channel(u.url, f"c{i}")
                        for i, u in enumerate(ups)]) as r:
        for _ in range(6):
            r.forget()
            waits = [dice.randint(20, 300) for _ in ups]
            for up, wait in zip(ups, waits):
                up.reply = limited(wait)
            ask(r)
            for _ in range(2):  # whoever was not asked yet
                answer = ask(r)
            assert answer.status in (429, 503, 529), answer.status
            told = int(answer.header("retry-after"))
            assert min(waits) - 3 <= told <= min(waits) + 1, (told, waits)
    for up in ups:
        up.close()


main()
