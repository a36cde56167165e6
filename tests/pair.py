"""A Routex before two providers, of which the first is told what to do wrong."""
from dialects import ANTHROPIC, CHAT, GEMINI, provider
from harness import Routex
from peers import Upstream


class Pair:
    """Two channels for every dialect: `first` is preferred and fails as it is
    told, `second` is good.  With a URL, `first` is whatever is there."""

    def __init__(self, build, first=None, timeouts=None, **settings):
        self.first, self.second = Upstream(provider), Upstream(provider)
        self.settings = {"session_ttl_s": 0, "max_wait_s": 0, **settings}
        more = {"timeouts": timeouts} if timeouts else {}
        self.routex = Routex(build, [
            dialect.channel(url, f"{name}-{dialect.channel_type}",
                            priority=priority, **more)
            for name, url, priority in (
                ("first", first or self.first.url, 10),
                ("second", self.second.url, 1))
            for dialect in (ANTHROPIC, CHAT, GEMINI)])

    def __enter__(self):
        self.routex.__enter__()
        self.routex.configure(**self.settings)
        return self

    def __exit__(self, *reason):
        self.first.close()
        self.second.close()
        self.routex.__exit__(*reason)
        if reason[0] is None:
            assert not self.first.failed, self.first.failed
            assert not self.second.failed, self.second.failed

    def script(self, first, second=provider):
        """From now on the two answer so."""
        self.routex.forget()
        self.first.reply, self.second.reply = first, second
        self.first.calls.clear()
        self.second.calls.clear()
