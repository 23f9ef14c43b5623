#!/usr/bin/python3
"""Prints small YAML documents, two lines each: the text in hexadecimal, and what PyYAML's
SafeLoader, as cloud-init uses it, makes of it ("!" and the error's name where it makes nothing).
The same documents each time. test_yaml_python.c compares kiln with that."""
import datetime
import random
import sys

import yaml


class Loader(yaml.SafeLoader):
    """cloudinit/safeyaml.py adds one tag."""


Loader.add_constructor("tag:yaml.org,2002:python/unicode",
                       lambda loader, node: loader.construct_scalar(node))


def show(value, depth=0):
    if depth > 6:
        return "..."
    if value is None:
        return "z"
    for kind, letter in ((bool, "b"), (int, "i"), (float, "f"), (datetime.date, "t")):
        if isinstance(value, kind):
            return letter + ":" + str(value)
    if isinstance(value, str):
        return "s:" + value.encode("utf-8", "surrogatepass").hex()
    if isinstance(value, bytes):
        return "y:" + value.hex()
    if isinstance(value, list):
        return "[" + ",".join(show(v, depth + 1) for v in value) + "]"
    if isinstance(value, tuple):
        return "(" + ",".join(show(v, depth + 1) for v in value) + ")"
    if isinstance(value, set):
        return "<" + ",".join(sorted(show(v) for v in value)) + ">"
    return "{" + ",".join(show(k) + "=" + show(v, depth + 1)
                          for k, v in value.items()) + "}"


def case(text):
    try:
        result = show(yaml.load(text, Loader=Loader))
    except Exception as error:  # cloud-init drops the document, or ends, over any of them
        result = "!" + type(error).__name__
    print(text.encode("utf-8", "surrogatepass").hex())
    print(result)


SCALARS = """
~ null Null NULL nUll yes Yes YES yEs no No NO true True TRUE tRue false False FALSE on On ON oN off
Off OFF y Y n N t f
0 00 01 07 08 09 010 0123 0129 0644 00644 -0 +0 -01 +010 1 -1 +1 12 +12 1_000 _1 1_ 1__2 0_ 0__7 -_1
0b0 0b1 0b10_1 0b 0b_ -0b11 0b2 0B1 0x0 0xff 0xFF_ff 0x 0x_ -0x10 0xg 0X1 0o7 0o17
18446744073709551615 18446744073709551616 123456789012345678901234567890 -99999999999999999999
0777777777777777777777 12345 1:0 1:59 1:60 1:5:9 10:30 22:22 08:00 12:30 190:20:30 -1:30 +1:30
52:54:00:12:34:56 02:54:00:12:34:56 52:54:00:12:34:5a 1:2:3:4 0:30 1: :1 1_0:30 10:3_0
1. 1.0 1.10 1.5 -1.5 +1.5 0.1 00.5 1.5e3 1.5e+3 1.5E-3 1e5 1e+5 1.e+5 .5 .5e+2 -.5 +.5 ._5 .5_ 1_0.5_0
1.5e+ .e+1 . .. ... -. 1..2 1.2.3 10.0.0.5 1.5e+400 1.5e-400 1.0e+16 1.0e+15 123456789.123456789 0.0001
0.00001 100000000000000000.0 0.1e-6 5e-324 2.2250738585072014e-308 1.7976931348623157e+308 -0.0
.inf .Inf .INF .iNf -.inf +.inf .nan .NaN .NAN .Nan -.nan inf nan
1:30.5 1:30. -1:30.25 10:20:30.75 1:60.5 1:3.5e+1
2026-01-02 2026-02-28 2026-02-29 2024-02-29 1900-02-29 2000-02-29 2026-13-01 2026-00-10 2026-1-2
0000-01-01 0001-01-01 9999-12-31 2026-04-31 20260102 2026-01 2026-01-02T03:04:05 2026-1-2t3:04:05
2026-01-02T24:00:00 2026-01-02T03:60:00 2026-01-02T03:04:60 2026-01-02T03:04:05Z
2026-01-02T03:04:05+05 2026-01-02T03:04:05-05:30 2026-01-02T03:04:05+24:00 2026-01-02T03:04:05+23:59
2026-01-02T03:04:05.5 2026-01-02T03:04:05. 2026-01-02T03:04:05.1234567Z 2026-01-02T03:04:05.000000
2026-01-02T03:04 2026-01-02T03:04:05+5:3 2026-01-02T03:04:05z
= == << <<< < <= + - -- ++ # a# 'a' "a" 'it''s' "a\\tb" "12" '~' "yes" 'on' '' ""
a text a:b a::b http://h/?q=1 ?a a? ?? a?b !a @a `a %a &a *a |a >a [a ]a {a }a ,a a,b a] a}
caf\u00e9 \u4e2d \U0001f600 \u00a0 x\u00a0y \u2028x
""".encode().decode("unicode_escape", "ignore").encode("latin-1", "ignore").decode("latin-1").split()
SCALARS += ["2026-01-02 03:04:05", "2026-01-02 03:04:05 Z", "2026-01-02 03:04:05 +1", "2026-01-02  3:04:05",
            "2026-02-30 03:04:05", "2026-01-02 03:04:05 x", "1 2", "a b", "yes no", "a #b", "a: b", "- a",
            "1" * 4300, "1" * 4301, "0x" + "f" * 40, "é", "中文", "a\tb"]
TAGS = ["!!null", "!!bool", "!!int", "!!float", "!!str", "!!binary", "!!timestamp", "!!seq", "!!map",
        "!!omap", "!!pairs", "!!set", "!!merge", "!!value", "!!python/unicode", "!!python/name:os",
        "!Ref", "!!foo", "!<tag:yaml.org,2002:int>", "!<x>"]
TAGGED = ['""', '"12"', '"0x1F"', '" 12 "', '"1:30"', '"0o17"', '"-5"', '"+-5"', '"1_0"', '"abc"', '"yes"',
          '"YES"', '"1.5"', '"1e5"', '" 1.5 "', '"inf"', '"-Infinity"', '"nan"', '"0x1p3"', '"1..2"', '"."',
          '"2026-1-2"', '"2026-01-02"', '"2026-02-30"', '"aGVsbG8="', '"aGVsbG8"', '"aGVsbG8=x"', '"a"', '"aGVs bG8h"',
          '"===="', '"aG=VsbG8="', '"é"', '[]', '[a, b]', '[{a: 1}]', '[{a: 1}, {b: 2}]', '[{a: 1, b: 2}]', '[a: 1]',
          '{}', '{a: 1}', '{a: , b: }', '{=: 12}', '{=: {=: x}}', '{=: [a]}', '{<<: {a: 1}, b: 2}', '[{[a]: 1}]',
          '[{=: 1}]', '{a: 1, =: yes}', '|\n  12\n', '"true\\0"']
DOCUMENTS = [
    "", "---\n", "--- \n...\n", "# c\n", "a", "---\n- 1\n", "%YAML 1.1\n---\na: 1\n", "%YAML 1.3\n---\na: 1\n",
    "%FOO\n---\na: 1\n", "hostname: {{ name }}\n", "a: {{ b }}.c\n", "[a]: b\n", "{a: b}: c\n", "? [a]\n: b\n",
    "? {a: 1}\n", "a: &x 1\nb: &x 2\n", "a: &x 1\nb: *x\n", "&x a: *x\n", "a: *x\n", "a: &x [*x]\n",
    "a: &x {b: *x}\n", "&x {*x : 1}\n", "&x [1, *x]\n", "a: !Ref x\n", "a: !!str !Ref x\n", "a: ! 12\n", "a: ! \"12\"\n",
    "a: 1\na: 2\n", "a: 1\nb: 2\na: 3\n", "{1: a, 0x1: b}\n", "{1: a, 1.0: b}\n", "{~: a, null: b}\n",
    "{yes: a, on: b}\n", "{2026-01-02: a, 2026-01-02: b}\n", "b: &b {x: 1, y: 2}\nc: {<<: *b, y: 3}\n",
    "c: {<<: {x: 1}, <<: {y: 2}}\n", "c: {<<: [{x: 1}, {x: 2, y: 3}], z: 4}\n", "c: {<<: [{x: 1}, 2]}\n",
    "c: {<<: 1}\n", "c: {<<: }\n", "c: {<<: []}\n", "c: {x: 1, <<: {x: 2}}\n", "a: &a {<<: *a, x: 1}\n",
    "a: &a {<<: [*a, *a], x: 1}\n", "a: &a {x: 1}\nb: &b {<<: *a}\nc: {<<: [*b, *a], x: 3}\n",
    "c: {<<: &m !Ref {x: 1}}\n", "c: {<<: {<<: {x: 1}, y: 2}}\n", "<<: {a: 1}\n", "- <<\n", "a: <<\n", "- =\n", "=: a\n",
    "a: =\n", "{=: =}\n", "\"<<\": {a: 1}\n", "'=': a\n", "c: {\"<<\": {x: 1}}\n", "!!set {a, b}\n", "!!set [a]\n",
    "!!omap [a: 1, b: 2]\n", "!!omap [a: 1, a: 2]\n", "!!pairs [a: 1, a: 2]\n", "!!omap {a: 1}\n",
    "? a\n? b\n", "a:\n  - b\n - c\n", "a: |\n  x\n  y\n", "a: >-\n  x\n  y\n\n  z\n", "a: |2-\n    x\n", "a: 'x\n  y'\n",
    "a: x\n  y\n", "a: \"x\\\n  y\"\n", "a:\n- b\n- c\n", "[a, b: c, {d: e}]\n", "[b:]\n", "[a:]\n", "{a:}\n", "{a: , b}\n",
    "{a:1}\n", "{\"a\":1}\n", "['a':1]\n", "[http://h/?q=1]\n", "- http://h/?q=1\n", "{a: b?}\n", "[?a]\n", "[? a : b]\n",
    "[a ?b]\n", "[\"a?\", 'b?']\n", "{a?b: c}\n", "{a: [b, c?]}\n", "a: b?\nc: [d]\n", "[a]?\n", "a:\n? b\n", "a: [b # c?\n]\n",
    "a:\tb\n", "a: b\tc\n", "\ta: b\n", "a: \"b\"#c\n", "a: b#c\n", "a: b #c\n", "a: [b]#c\n", "key with space: v\n",
    "a: b: c\n", "a: 'b': c\n", "a\n", "a: @b\n", "a: `b\n", "a: %b\n", "- - - a\n", "a: -\n", "a: - b\n", "a: ? b\n",
    "\"a\": 1\n'b': 2\n", "{'a': 1, \"b\": 2,}\n", "[,]\n", "[a,,b]\n", "[a,]\n", "{,}\n", "!!map [a]\n", "a: !!str\n", "a: !!null\n",
    "!!str {=: !Ref x}\n", "&a !!str {=: *a}\n", "!!str {=: &a x, b: [*a]}\n", "a: \"\\ud800\"\n", "a: \"\\x41\\u00e9\\U0001F600\"\n",
    "a: \"\\z\"\n", "a: !<!foo> b\n", "%TAG !e! tag:yaml.org,2002:\n---\na: !e!int 12\n", "a: *x \n", "- &a\n- *a\n", "&a : b\n",
    "a: &b\nc: *b\n", "a: !!int &x 5\nb: *x\n", "a: &x !!int 5\nb: *x\n", "x: \x7f\n", "x: \x85y\n", "a: \u2028b\n", "x: \ufeffy\n",
    "\ufeffa: 1\n", "a: \ufffe\n", "[[[[[[[[[[a]]]]]]]]]]\n", "a: {b: {c: {d: e}}}\n", "a: 1\n---\nb: 2\n", "a: 1\n...\nb: 2\n", "a: 1\n...\n",
    "? a\n", "?\n", "-\n", ":\n", ": a\n", "a : b\n", "a :b\n", "{a :b}\n", "{a : b}\n", "[a : b]\n", "- a: 1\n  b: 2\n- c\n", "x" * 1025 + ": 1\n",
    "x" * 1000 + ": 1\n", "[" + "x" * 1030 + ": 1]\n", "a: [\n1,\n2\n]\n", "a: [\n1\n", "{a: 1\n", "a: 'b\n", "a: \"b\n", "a:\n  b\n c\n",
]


def build(rng, depth, anchors):
    """A value in flow style."""
    choice = rng.random()
    if anchors and choice < 0.15:
        return "*" + rng.choice(anchors) + " "
    name = None
    if choice < 0.3:
        name = "n%d" % len(anchors)
    if depth == 0 or choice > 0.75:
        text = rng.choice(["1", "a", "yes", "~", "1.5", "'x'", "b", "2026-01-02", "12:30", "0x1", "{a: b}"])
        if rng.random() < 0.02:
            text = rng.choice(["=", "<<", "2026-02-30"])
    elif choice < 0.5:
        text = "[" + ", ".join(build(rng, depth - 1, anchors) for _ in range(rng.randrange(4))) + "]"
    else:
        pairs = []
        for _ in range(rng.randrange(4)):
            key = rng.choice(["a", "b", "c", "d", "=", "1", "on", "'q'", "~", "a"])
            if rng.random() < 0.2:
                merged = rng.choice(anchors) if anchors else None
                value = "*%s" % merged if merged else "{a: 1, z: 2}"
                if rng.random() < 0.5:
                    value = "[%s, {a: 3, b: 4, y: 5}]" % value
                key = "<<"
            else:
                value = build(rng, depth - 1, anchors)
            pairs.append(("[a]" if rng.random() < 0.01 else key) + ": " + value)
        text = "{" + ", ".join(pairs) + "}"
    if rng.random() < 0.02:
        text = rng.choice(TAGS) + " " + text
    if name:
        anchors.append(name)
        text = "&" + name + " " + text
    return text


def block(rng):
    """A mapping in block style, whose lines refer to each other."""
    anchors, lines = [], []
    for i in range(rng.randrange(1, 6)):
        lines.append("k%d: %s" % (i, build(rng, 3, anchors)))
    return "\n".join(lines) + "\n"


def main():
    for scalar in SCALARS:
        for form in ("k: %s\n", "- %s\n", "[%s]\n", "{%s: 1}\n", "%s: 1\n"):
            case(form % scalar)
    for tag in TAGS:
        for value in TAGGED:
            case("k: %s %s\n" % (tag, value))
    for text in DOCUMENTS:
        case(text)
    rng = random.Random(10)
    for _ in range(1500):
        case(block(rng))


main()
