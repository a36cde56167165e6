"""The four dialects as a client and a provider write them, small.

Each `Dialect` knows a request, a good answer whole and streamed, what that
answer costs, and how an error and a clean end look.  Tests loop over `ALL`.
"""
import json


def sse(events, named):
    """Event stream text: one bytes object per event."""
    made = []
    for event in events:
        head = f"event: {event['type']}\n" if named else ""
        data = event if isinstance(event, str) else json.dumps(event)
        made.append(f"{head}data: {data}\n\n".encode())
    return made


class Dialect:
    """What the four have in common; the fields are given in `ALL`."""

    def __init__(self, name, channel_type, **rest):
        self.name = name
        self.channel_type = channel_type
        self.__dict__.update(rest)

    def __repr__(self):
        return self.name

    def path(self, stream=False, model="m-1"):
        chosen = self.stream_path if stream else self.plain_path
        return chosen.replace("{model}", model)

    def request(self, stream=False, model="m-1", text="hello", **more):
        body = self.body(model, text)
        if stream and self.name != "gemini":
            body["stream"] = True
        body.update(more)
        return json.dumps(body).encode()

    def credential(self, key, way=None):
        way = way or self.usual_credential
        return {"authorization": f"Bearer {key}"} if way == "bearer" else {
            way: key}

    def channel(self, url, name=None, **more):
        """A body for POST /api/channels."""
        return {"name": name or f"c-{self.name}", "type": self.channel_type,
                "base_url": url + self.base_path, "api_key": "sk-up-1",
                **more}

    def terminal_seen(self, body):
        """Would a client take this stream for complete?"""
        return self.terminal in body

    def error(self, body):
        """(type or status word, message) of an error body of this dialect."""
        return self.read_error(json.loads(body))

    def serve(self, call):
        """A well-behaved provider: answers as the request asks."""
        if self.streams(call):
            call.open_stream()
            for event in self.events:
                call.chunk(event)
            call.end()
        else:
            call.answer_json(self.answer)

    def streams(self, call):
        if self.name == "gemini":
            return ":streamGenerateContent" in call.path
        return call.json().get("stream", False)


def _anthropic_error(value):
    assert value["type"] == "error", value
    return value["error"]["type"], value["error"]["message"]


def _openai_error(value):
    assert set(value["error"]) >= {"message", "type", "code"}, value
    return value["error"]["type"], value["error"]["message"]


def _gemini_error(value):
    assert isinstance(value["error"]["code"], int), value
    return value["error"]["status"], value["error"]["message"]


_MESSAGE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "m-1",
    "content": [{"type": "text", "text": "Hello there"}],
    "stop_reason": "end_turn", "stop_sequence": None,
    "usage": {"input_tokens": 11, "output_tokens": 5,
              "cache_read_input_tokens": 7,
              "cache_creation_input_tokens": 3}}
ANTHROPIC = Dialect(
    "anthropic", "anthropic", base_path="",
    plain_path="/v1/messages", stream_path="/v1/messages",
    usual_credential="x-api-key", upstream_credential="x-api-key",
    body=lambda model, text: {
        "model": model, "max_tokens": 64,
        "messages": [{"role": "user", "content": text}]},
    answer=_MESSAGE,
    events=sse([
        {"type": "message_start", "message": {
            **_MESSAGE, "content": [], "stop_reason": None,
            "usage": {**_MESSAGE["usage"], "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0,
         "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0,
         "delta": {"type": "text_delta", "text": "Hello"}},
        {"type": "content_block_delta", "index": 0,
         "delta": {"type": "text_delta", "text": " there"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta",
         "delta": {"stop_reason": "end_turn", "stop_sequence": None},
         "usage": {"output_tokens": 5}},
        {"type": "message_stop"}], named=True),
    content_at=3, terminal=b'"message_stop"', error_mark=b"event: error",
    usage={"input": 11, "cache_read": 7, "cache_write": 3, "output": 5},
    read_error=_anthropic_error,
    words={400: "invalid_request_error", 401: "authentication_error",
           404: "not_found_error", 413: "request_too_large"})

_USAGE_CHAT = {"prompt_tokens": 21, "completion_tokens": 5,
               "total_tokens": 26,
               "prompt_tokens_details": {"cached_tokens": 7},
               "completion_tokens_details": {"reasoning_tokens": 2}}


def _chunk(delta, finish=None):
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk",
            "created": 1, "model": "m-1", "usage": None, "choices": [
                {"index": 0, "delta": delta, "finish_reason": finish}]}


CHAT = Dialect(
    "chat", "openai", base_path="/v1",
    plain_path="/v1/chat/completions", stream_path="/v1/chat/completions",
    usual_credential="bearer", upstream_credential="bearer",
    body=lambda model, text: {
        "model": model, "stream_options": {"include_usage": True},
        "messages": [{"role": "user", "content": text}]},
    answer={"id": "chatcmpl-1", "object": "chat.completion", "created": 1,
            "model": "m-1", "usage": _USAGE_CHAT, "choices": [
                {"index": 0, "finish_reason": "stop", "message": {
                    "role": "assistant", "content": "Hello there"}}]},
    events=sse([
        _chunk({"role": "assistant", "content": ""}),
        _chunk({"content": "Hello"}), _chunk({"content": " there"}),
        _chunk({}, "stop"),
        {**_chunk({}), "choices": [], "usage": _USAGE_CHAT}],
        named=False) + [b"data: [DONE]\n\n"],
    content_at=1, terminal=b"data: [DONE]", error_mark=b'{"error"',
    usage={"input": 14, "cache_read": 7, "output": 5, "reasoning": 2},
    read_error=_openai_error,
    words=dict.fromkeys((400, 401, 404, 413), "invalid_request_error"))

_RESPONSE = {
    "id": "resp_1", "object": "response", "created_at": 1,
    "status": "completed", "error": None, "incomplete_details": None,
    "model": "m-1", "output": [
        {"id": "msg_1", "type": "message", "role": "assistant",
         "status": "completed", "content": [
             {"type": "output_text", "text": "Hello there",
              "annotations": []}]}],
    "usage": {"input_tokens": 21, "output_tokens": 5, "total_tokens": 26,
              "input_tokens_details": {"cached_tokens": 7},
              "output_tokens_details": {"reasoning_tokens": 2}}}


def _started(**fields):
    return {**_RESPONSE, "status": "in_progress", "output": [],
            "usage": None, **fields}


RESPONSES = Dialect(
    "responses", "openai", base_path="/v1",
    plain_path="/v1/responses", stream_path="/v1/responses",
    usual_credential="bearer", upstream_credential="bearer",
    body=lambda model, text: {"model": model, "input": text},
    answer=_RESPONSE,
    events=sse([{**event, "sequence_number": number}
                for number, event in enumerate([
        {"type": "response.created", "response": _started()},
        {"type": "response.in_progress", "response": _started()},
        {"type": "response.output_item.added", "output_index": 0,
         "item": {**_RESPONSE["output"][0], "content": []}},
        {"type": "response.content_part.added", "item_id": "msg_1",
         "output_index": 0, "content_index": 0, "part": {
             "type": "output_text", "text": "", "annotations": []}},
        {"type": "response.output_text.delta", "item_id": "msg_1",
         "output_index": 0, "content_index": 0, "delta": "Hello",
         "logprobs": []},
        {"type": "response.output_text.delta", "item_id": "msg_1",
         "output_index": 0, "content_index": 0, "delta": " there",
         "logprobs": []},
        {"type": "response.output_text.done", "item_id": "msg_1",
         "output_index": 0, "content_index": 0, "text": "Hello there",
         "logprobs": []},
        {"type": "response.output_item.done", "output_index": 0,
         "item": _RESPONSE["output"][0]},
        {"type": "response.completed", "response": _RESPONSE}])],
        named=True),
    content_at=4, terminal=b'"response.completed"',
    error_mark=b'"response.failed"',
    usage={"input": 14, "cache_read": 7, "output": 5, "reasoning": 2},
    read_error=_openai_error,
    words=dict.fromkeys((400, 401, 404, 413), "invalid_request_error"))

_USAGE_GEMINI = {"promptTokenCount": 21, "cachedContentTokenCount": 7,
                 "candidatesTokenCount": 3, "thoughtsTokenCount": 2,
                 "totalTokenCount": 26}


def _part(text, **more):
    return {"candidates": [{"index": 0, "content": {
        "role": "model", "parts": [{"text": text}]}, **more}],
        "modelVersion": "m-1", "responseId": "r-1",
        "usageMetadata": _USAGE_GEMINI}


GEMINI = Dialect(
    "gemini", "gemini", base_path="",
    plain_path="/v1beta/models/{model}:generateContent",
    stream_path="/v1beta/models/{model}:streamGenerateContent?alt=sse",
    usual_credential="x-goog-api-key", upstream_credential="x-goog-api-key",
    body=lambda model, text: {
        "contents": [{"role": "user", "parts": [{"text": text}]}]},
    answer=_part("Hello there", finishReason="STOP"),
    events=sse([_part("Hello"), _part(" there", finishReason="STOP")],
               named=False),
    content_at=0, terminal=b'"finishReason"', error_mark=b'{"error"',
    usage={"input": 14, "cache_read": 7, "output": 5, "reasoning": 2},
    read_error=_gemini_error,
    words={400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED",
           404: "NOT_FOUND", 413: "INVALID_ARGUMENT"})

ALL = [ANTHROPIC, CHAT, RESPONSES, GEMINI]


def provider(call):
    """A provider that speaks all four, chosen by the path."""
    path = call.path.split("?")[0]
    for dialect in ALL:
        plain = dialect.plain_path.split("{model}")[-1]
        stream = dialect.stream_path.split("?")[0].split("{model}")[-1]
        if path.endswith((plain, stream)):
            return dialect.serve(call)
    return call.answer_json({"error": {"message": "no such path"}}, 404)
