#!/usr/bin/env python3
"""Says in words which tests were skipped, and why: skipped.py JUNIT.XML

A test is skipped when what it needs is not on this machine; it exits with 77
and its last words begin with "skipped:".
"""
import sys
import xml.etree.ElementTree


def reason(case):
    said = case.findtext("system-out") or ""
    lines = [line for line in said.splitlines() if line.startswith("skipped:")]
    return lines[-1].removeprefix("skipped:").strip() if lines else "no reason"


def main(path):
    cases = xml.etree.ElementTree.parse(path).getroot().findall("testcase")
    skipped = [case for case in cases if case.find("skipped") is not None]
    if not skipped:
        print(f"\nNone of {len(cases)} tests was skipped.")
        return
    print(f"\n{len(skipped)} of {len(cases)} tests were SKIPPED:")
    for case in skipped:
        print(f"  {case.get('name')}: {reason(case)}")


main(sys.argv[1])
