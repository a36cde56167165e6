"""The demo provider gives back what was recorded, as its own files show."""
import json
import pathlib
import shutil
import tempfile

from harness import main, test
from provider import Demo, replay_all


def a_recording(folder, name, body, **meta):
    case = folder / name
    case.mkdir(parents=True)
    (case / meta["response_file"]).write_bytes(body)
    (case / "meta.json").write_text(json.dumps(meta))
    return case


@test
def recorded_answers_are_replayed_byte_for_byte(build):
    made = pathlib.Path(tempfile.mkdtemp(prefix="rtx-cases-"))
    stream = b"data: {\"a\": 1}\r\n\r\n: note\n\ndata: \xc3\xa9\n\nrest"
    chosen = [
        a_recording(made, "x-s-1", stream, response_file="response.sse",
                    streaming=True, status=200, response_headers={
                        "x-request-id": "r", "content-length": "9"}),
        a_recording(made, "x-s-2", stream, response_file="response.sse",
                    streaming=True, status=200, response_headers={},
                    chunk_lengths=[3, 20, 1]),
        a_recording(made, "x-ne-3", b"no", response_file="response.txt",
                    streaming=False, status=429, response_headers={
                        "content-type": "text/plain", "retry-after": "1"})]
    with Demo(build, "--replay", made) as d:
        replay_all(d, chosen)
        assert d.ask("/case/x-ne-3/v1/x", b"{}").header("retry-after") == "1"
        assert d.ask("/case/..%2f/v1/x", b"{}").status == 404
        assert d.ask("/case/none/v1/x", b"{}").status == 404
    shutil.rmtree(made)


main()
