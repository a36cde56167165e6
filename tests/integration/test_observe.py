"""Log levels that change at run time, and numbers that are there from the start."""
from dialects import CHAT
from harness import Failed, Routex, main, test, wait_until
from peers import Client, DeadPort


def lines(program, word):
    return sum(word in line for line in
               program.err.read_text(errors="replace").splitlines())


def metrics(url):
    with Client(url) as client:
        text = client.request("GET", "/metrics").body.decode()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
            for line in text.splitlines() if line and line[0] != "#"}


def scrape(url):
    """{family: (type, help)} and the names of all samples; each sample
    belongs to the family announced before it."""
    families, shown, last = {}, set(), None
    with Client(url) as client:
        text = client.request("GET", "/metrics").body.decode()
    for line in text.splitlines():
        if line.startswith("# HELP "):
            last, words = line[7:].split(" ", 1)
            assert last not in families, f"{last} is announced twice"
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name == last, (name, last)
            families[name] = (kind, words)
        else:
            name = line.split("{")[0].split(" ")[0]
            assert name == last or families[last][0] == "histogram" and (
                name.rsplit("_", 1)[0] == last), (name, last)
            shown.add(name)
    return families, shown


@test
def the_log_level_changes_on_all_planes_at_once_and_back(build):
    with Routex(build, demo=True, planes=2) as r:
        everybody = [r.control, *r.planes.values()]
        assert not any(lines(p, "level=debug") for p in everybody)
        r.configure(log_level="debug")
        for plane in r.planes:
            with r.connect(plane) as client:
                client.request("POST", CHAT.path(False), {
                    **CHAT.credential(r.key),
                    "content-type": "application/json"},
                    CHAT.request(False, model="demo"))
        for program in everybody:
            wait_until(lambda p=program: lines(p, "level=debug"),
                       f"{program.name} to tell more")
        r.restart_plane("data-2")
        wait_until(lambda: r.admits("data-2", r.key), "the plane to be back")
        r.ask(CHAT, model="demo")
        r.configure(log_level=None)
        before = [lines(p, "level=debug") for p in everybody[:2]]
        assert r.ask(CHAT, model="demo").status == 200
        r.admin.get("/api/channels")
        after = [lines(p, "level=debug") for p in everybody[:2]]
        assert before == after, (before, after)
        assert r.admin.get("/api/settings")["data"]["log_level"] is None
        try:
            r.admin.call("PATCH", "/api/settings", {"log_level": "loud"})
            raise AssertionError("a level that is none was taken")
        except Failed as failed:
            assert failed.status == 400, failed


@test
def before_any_traffic_all_numbers_are_there_and_named_as_they_should(build):
    must = {"data": ["routex_requests_total", "routex_journal_dropped_total",
                     "routex_request_duration_seconds"],
            "control": ["routex_usage_rows_collected_total",
                        "routex_usage_commits_failed_total",
                        "routex_admin_duration_seconds"]}
    with Routex(build, demo=True) as r:
        for plane, url in (("data", r.plane.ops_url),
                           ("control", r.control_url)):
            families, shown = scrape(url)
            for name in must[plane]:
                assert name in families, (name, sorted(families))
            for name, (kind, text) in families.items():
                assert text, f"{name} has no help"
                assert name.startswith("routex_"), name
                assert name.endswith("_total") == (kind == "counter"), (
                    name, kind)
                assert any(s == name or kind == "histogram" and
                           s.startswith(name + "_") for s in shown), (
                    f"{name} shows no number")


@test
def numbers_of_alerts_and_health_are_there_from_the_start(build):
    dead = DeadPort()
    with Routex(build, [CHAT.channel(dead.url)]) as r:
        names = ['routex_alerts_open{severity="critical"}',
                 'routex_alerts_open{severity="warning"}',
                 'routex_channels_by_health{state="up"}',
                 'routex_channels_by_health{state="down"}']
        first = metrics(r.control_url)
        assert [first.get(name) for name in names] == [0, 0, 0, 0], first
        r.configure(health={"interval_s": 1, "failures": 1})
        wait_until(lambda: metrics(r.control_url)[names[3]] == 1,
                   "the channel to be counted as down")
        wait_until(lambda: metrics(r.control_url)[names[0]] == 1,
                   "its alert to be counted")
    dead.close()


main()
