"""Usage: embed_openapi.py openapi.yaml out.c [out.json]

Turns the description of the admin API into JSON and that into a C string.  It
reads the part of YAML the document is written in: block maps and lists, plain
and quoted scalars on one line, flow lists and maps; no anchors, no folded text.
Anything else is an error with its line.
"""
import json
import re
import sys

PLAIN_WORDS = {"true": True, "false": False, "null": None, "~": None}


class Reader:
    def __init__(self, text):
        self.lines = []
        for number, line in enumerate(text.splitlines(), 1):
            bare = line.lstrip(" ")
            if not bare or bare.startswith("#"):
                continue
            self.lines.append((number, len(line) - len(bare), bare.rstrip()))
        self.at = 0

    def wrong(self, why):
        number = self.lines[min(self.at, len(self.lines) - 1)][0]
        raise SystemExit(f"openapi.yaml:{number}: {why}")

    def block(self, indent):
        """The map or list whose lines begin at `indent`."""
        _, have, text = self.lines[self.at]
        if have != indent:
            self.wrong("badly indented")
        return self.items(indent) if text.startswith("- ") else self.map(indent)

    def more(self, indent, is_list):
        if self.at == len(self.lines):
            return False
        _, have, text = self.lines[self.at]
        if have > indent:
            self.wrong("badly indented")
        return have == indent and text.startswith("- ") == is_list

    def items(self, indent):
        out = []
        while self.more(indent, True):
            number, _, text = self.lines[self.at]
            rest = text[2:].lstrip(" ")
            if re.match(r'("[^"]*"|[^\s"\[{][^"]*?):(\s|$)', rest):
                inner = indent + len(text) - len(rest)
                self.lines[self.at] = (number, inner, rest)
                out.append(self.map(inner))
            else:
                self.at += 1
                out.append(self.scalar(rest))
        return out

    def map(self, indent):
        out = {}
        while self.more(indent, False):
            found = re.match(r'("[^"]*"|[^\s"\[{][^"]*?):(\s+(.*))?$',
                             self.lines[self.at][2])
            if not found:
                self.wrong("a key is expected")
            key, rest = found.group(1).strip('"'), found.group(3)
            if key in out:
                self.wrong(f"{key} is there twice")
            self.at += 1
            out[key] = self.scalar(rest) if rest else self.below(indent)
        return out

    def below(self, indent):
        if self.at == len(self.lines) or self.lines[self.at][1] <= indent:
            return None
        return self.block(self.lines[self.at][1])

    def scalar(self, text):
        value, rest = self.flow(text)
        if rest and not rest.startswith("#"):
            self.at -= 1
            self.wrong(f"cannot read {text!r}")
        return value

    def flow(self, text):
        """One value and what follows it."""
        if text[0] == '"':
            value, end = json.JSONDecoder().raw_decode(text)
            return value, text[end:].lstrip()
        if text[0] == "[":
            return self.flow_list(text[1:].lstrip())
        if text[0] == "{":
            return self.flow_map(text[1:].lstrip())
        inside = re.match(r"[^,\]}]*", text).group(0) if self.nested else text
        word = inside.split(" #")[0].strip()
        return self.plain(word), text[len(inside):].lstrip()

    nested = 0

    def flow_list(self, text):
        out = []
        self.nested += 1
        while not text.startswith("]"):
            value, text = self.flow(text)
            out.append(value)
            text = text.removeprefix(",").lstrip()
        self.nested -= 1
        return out, text[1:].lstrip()

    def flow_map(self, text):
        out = {}
        self.nested += 1
        while not text.startswith("}"):
            found = re.match(r'("[^"]*"|[^:,{}\[\]"]+):\s*', text)
            if not found:
                self.wrong("a key is expected")
            value, text = self.flow(text[found.end():])
            out[found.group(1).strip('"')] = value
            text = text.removeprefix(",").lstrip()
        self.nested -= 1
        return out, text[1:].lstrip()

    @staticmethod
    def plain(word):
        if word in PLAIN_WORDS:
            return PLAIN_WORDS[word]
        if re.fullmatch(r"-?(0|[1-9]\d*)", word):
            return int(word)
        if re.fullmatch(r"-?\d+\.\d+", word):
            return float(word)
        return word


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        reader = Reader(f.read())
    document = reader.block(0)
    if reader.at != len(reader.lines):
        reader.wrong("badly indented")
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    data = text.encode() + b"\0"
    rows = [",".join(str(byte) for byte in data[i:i + 24])
            for i in range(0, len(data), 24)]
    with open(sys.argv[2], "w", encoding="utf-8") as f:
        f.write('#include "controlplane/openapi.h"\n\n'
                "const char openapi_json[] = {\n" + ",\n".join(rows) + "\n};\n")
    if len(sys.argv) > 3:
        with open(sys.argv[3], "w", encoding="utf-8") as f:
            f.write(text)


main()
