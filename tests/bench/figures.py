"""The figures of the table: what they are called, and what we aim at."""
import statistics


class Figure:
    """`must` and `aim` get (ours, nginx's) and return a bound as text and
    whether it is kept; without them a figure is for information."""

    def __init__(self, name, title, unit, digits=1, more_is_better=False,
                 must=None, aim=None, beside=("routex", "nginx")):
        self.name = name
        self.title = title
        self.unit = unit
        self.digits = digits
        self.more_is_better = more_is_better
        self.must = must
        self.aim = aim
        self.beside = beside  # whose ratio to whom is told


def at_least(times):
    return (f">= {times:g} x", lambda ours, nginx: ours >= times * nginx)


def at_most(times):
    return (f"<= {times:g} x", lambda ours, nginx: ours <= times * nginx)


def within(more):
    return (f"nginx +{more:g}", lambda ours, nginx: ours <= nginx + more)


def below(bound):
    return (f"<= {bound:g}", lambda ours, nginx: ours <= bound)


OWN = ("brain", "bare")  # a ratio to ourselves

FIGURES = [
    Figure("rps_1k", "requests/s, 1 KB", "/s", 0, True,
           at_least(1.0), at_least(1.3)),
    Figure("rps_64k", "requests/s, 64 KB", "/s", 0, True,
           at_least(0.6), at_least(0.8)),
    Figure("rps_512k", "requests/s, 512 KB", "/s", 0, True,
           at_least(0.5), at_least(0.7)),
    Figure("cpu_1k", "CPU per request, 1 KB", "us"),
    Figure("cpu_64k", "CPU per request, 64 KB", "us"),
    Figure("cpu_512k", "CPU per request, 512 KB", "us"),
    Figure("control_cpu", "control plane's CPU beside it, 1 KB", "us"),
    Figure("p50_added", "added p50 at 2000/s, 1 KB", "us"),
    Figure("p99_added", "added p99 at 2000/s, 1 KB", "us", 1, False,
           within(60), within(20)),
    Figure("event_cpu", "CPU per event, 100 streams", "us", 1, False,
           at_most(0.9), at_most(0.8)),
    Figure("event_p50", "event p50, 500 streams", "us"),
    Figure("event_p99", "event p99, 500 streams", "us"),
    Figure("stream_kib", "memory per open stream", "KiB", 1, False,
           below(20), below(8)),
    Figure("beside_1k", "a request beside 1 000 streams", "x", 2, False,
           below(1.2), below(1.05)),
    Figure("beside_10k", "a request beside 10 000 streams", "x", 2, False,
           below(1.2), below(1.05)),
    Figure("idle_mib", "idle memory", "MiB", 1, False, below(12), below(8)),
    Figure("control_mib", "idle memory, control plane", "MiB", 1, False,
           below(16), below(12)),
    Figure("start_ms", "start to first answer", "ms", 1, False,
           below(100), below(30)),
    Figure("tick_ms", "longest loop tick, CPU", "ms", 2, False,
           below(1), below(0.3)),
    Figure("tick_wall_ms", "longest loop tick, by the clock", "ms", 2),
    Figure("brain_rps", "whole brain: requests/s, 1 KB", "/s", 0, True,
           beside=OWN),
    Figure("brain_cpu", "whole brain: CPU per request, 1 KB", "us",
           beside=OWN),
    Figure("brain_p50", "whole brain: added p50 at 2000/s", "us", beside=OWN),
    Figure("brain_p99", "whole brain: added p99 at 2000/s", "us", beside=OWN),
]


class Seen:
    """What was measured: a list of values, one per round, None if invalid."""

    def __init__(self):
        self.values = {}
        self.errors = []
        self.notes = []
        self.noisy = set()

    def add(self, figure, gateway, value):
        self.values.setdefault((figure, gateway), []).append(value)

    def rounds(self, figure, gateway):
        return self.values.get((figure, gateway), [])

    def median(self, figure, gateway):
        values = self.rounds(figure, gateway)
        if not values or None in values:
            return None
        return statistics.median(values)

    def ratio(self, figure, ours, theirs):
        """The median of the ratios of each round, which ran side by side."""
        if figure.endswith("_added"):
            return None  # a difference, which may be about nothing
        pairs = list(zip(self.rounds(figure, ours),
                         self.rounds(figure, theirs)))
        if not pairs or any(None in pair or not pair[1] for pair in pairs):
            return None
        return statistics.median(a / b for a, b in pairs)

    def verdict(self, figure):
        """'aim', 'must', 'miss', or '' where there is nothing to judge."""
        ours = self.median(figure.name, "routex")
        nginx = self.median(figure.name, "nginx")
        if not figure.must or ours is None:
            return ""
        if " x" in figure.must[0]:
            ours, nginx = self.ratio(figure.name, "routex", "nginx"), 1
        if ours is None or ("nginx" in figure.must[0] and nginx is None):
            return ""
        if figure.aim[1](ours, nginx):
            return "aim"
        return "must" if figure.must[1](ours, nginx) else "miss"

    def as_json(self):
        table = {}
        for figure in FIGURES:
            row = {gateway: {"median": self.median(figure.name, gateway),
                             "rounds": values}
                   for (name, gateway), values in self.values.items()
                   if name == figure.name}
            if row:
                table[figure.name] = {
                    "title": figure.title, "unit": figure.unit,
                    "gateways": row,
                    "to_nginx": self.ratio(figure.name, "routex", "nginx"),
                    "to_bare": self.ratio(figure.name, *OWN),
                    "must": figure.must[0] if figure.must else None,
                    "aim": figure.aim[0] if figure.aim else None,
                    "verdict": self.verdict(figure) or None}
        return {"figures": table, "errors": self.errors, "notes": self.notes,
                "noisy": sorted(self.noisy)}


COLOUR = {"aim": "\033[32m", "must": "\033[33m", "miss": "\033[31m",
          "": "", "invalid": "\033[31m"}


def table(seen, gateways, colour):
    """The table for people, as text."""
    def paint(text, kind):
        return f"{COLOUR[kind]}{text}\033[0m" if colour and kind else text

    def cell(figure, gateway):
        rounds = seen.rounds(figure.name, gateway)
        if not rounds:
            return ""
        value = seen.median(figure.name, gateway)
        if value is None:
            return "invalid"
        noisy = "~" if (figure.name, gateway) in seen.noisy else ""
        return f"{value:,.{figure.digits}f}{noisy}".replace(",", " ")

    heads = ["", "", *gateways, "to nginx", "must", "aim", ""]
    rows = []
    for figure in FIGURES:
        cells = [cell(figure, gateway) for gateway in gateways]
        if not any(cells):
            continue
        ratio = seen.ratio(figure.name, *figure.beside)
        own = " bare" if figure.beside is OWN else ""
        rows.append([figure.title, figure.unit, *cells,
                     "" if ratio is None else f"{ratio:.2f} x{own}",
                     figure.must[0] if figure.must else "",
                     figure.aim[0] if figure.aim else "",
                     seen.verdict(figure)])
    widths = [max(len(row[i]) for row in [heads, *rows])
              for i in range(len(heads))]
    lines = []
    for row in [heads, *rows]:
        out = [text.ljust(width) if i < 2 else text.rjust(width)
               for i, (text, width) in enumerate(zip(row, widths))]
        kind = row[-1] if row[-1] in COLOUR else ""
        out[-1] = paint(out[-1], kind)
        lines.append("  ".join(out).rstrip())
    lines.insert(1, "-" * (sum(widths) + 2 * (len(widths) - 1)))
    return "\n".join(lines)
