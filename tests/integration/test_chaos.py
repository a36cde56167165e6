"""kill -9 of either plane at random moments under load, fifty times.

A request whose answer the client saw whole has exactly one row in the end.  A
request it saw broken has one or none.  Nothing is ever counted twice."""
import os
import random
import threading
import time

from dialects import ALL, ANTHROPIC, CHAT, GEMINI, provider
from harness import Routex, main, test, wait_until
from peers import Cut, Upstream

KILLS = 50
CLIENTS = 6


def paced(call):
    """The usual answers, sometimes slow, so that kills fall inside."""
    time.sleep(random.random() * 0.01)
    provider(call)


class Clients:
    def __init__(self, routex):
        self.routex = routex
        self.stop = threading.Event()
        self.whole, self.broken = set(), set()
        self.threads = [threading.Thread(target=self._run, args=(n,))
                        for n in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _run(self, number):
        count = 0
        while not self.stop.is_set():
            count += 1
            name = f"x-{number}-{count}"
            plane = "data-1" if (number + count) % 2 else "data-2"
            if self._ask(plane, ALL[count % 4], count % 3 == 0, name):
                self.whole.add(name)
            else:
                self.broken.add(name)
                time.sleep(0.01)

    def _ask(self, plane, dialect, stream, name):
        r = self.routex
        try:
            with r.connect(plane) as client:
                answer = client.request(
                    "POST", dialect.path(stream, name),
                    dialect.credential(r.key),
                    dialect.request(stream, model=name))
        except (OSError, Cut):
            return False
        whole = answer.clean and answer.status == 200
        return whole and (not stream or dialect.terminal_seen(answer.body))

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def kill_at_random(r, dice):
    """One plane dies and comes back after a while."""
    victim = dice.choice(("control", "data-1", "data-2"))
    if victim == "control":
        r.control.kill()
        time.sleep(dice.random() * 0.5)
        r.start_control()
    else:
        r.planes[victim].kill()
        time.sleep(dice.random() * 0.1)
        r.start_plane(victim)
    return victim


@test
def fifty_kills_neither_lose_nor_double_a_request(build):
    seed = int(os.environ.get("ROUTEX_SEED") or time.time())
    print(f"ROUTEX_SEED={seed}", flush=True)
    dice = random.Random(seed)
    with Upstream(paced) as upstream:
        with Routex(build, [ANTHROPIC.channel(upstream.url),
                            CHAT.channel(upstream.url),
                            GEMINI.channel(upstream.url)], planes=2) as r:
            clients = Clients(r)
            try:
                killed = []
                for _ in range(KILLS):
                    time.sleep(dice.random() * 0.8)
                    killed.append(kill_at_random(r, dice))
            finally:
                clients.end()
            check(r, clients)
    told = ", ".join(f"{name} {killed.count(name)}x"
                     for name in sorted(set(killed)))
    print(f"{len(clients.whole)} answers whole, {len(clients.broken)} broken;"
          f" killed {told}")


def check(r, clients):
    def counts():
        return dict(r.sql(
            "select model_requested, count(*) from request group by 1"))

    assert len(clients.whole) > 20 * KILLS, len(clients.whole)
    wait_until(lambda: clients.whole <= counts().keys(),
               "every whole answer to be counted", 30)
    found = counts()
    doubled = {name: n for name, n in found.items() if n != 1}
    assert not doubled, doubled
    strangers = found.keys() - clients.whole - clients.broken
    assert not strangers, strangers
    rows, = r.sql("select count(*) from request")[0]
    hours = r.admin.get("/api/analytics/summary?range=1d")["data"][
        "total"]["requests"]
    assert rows == hours, (rows, hours)


main()
