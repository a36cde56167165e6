import { expect, test } from "vitest";

import { fields, nameOf, patchOf, read, valuesOf, type Settings } from "./fields";

const settings = {
  strategy: "latency",
  session_ttl_s: 18_000,
  max_attempts: 4,
  max_wait_s: 5,
  strict_translation: false,
  max_body_bytes: 33_554_432,
  breaker: { window_s: 30, failure_percent: 50 },
  timeouts: { connect_s: 10, total_s: null },
  log_level: null,
} as Settings;

test("settings are written as people write them", () => {
  expect(valuesOf(settings, fields.routing)).toMatchObject({
    strategy: "latency",
    session_ttl_s: "5h",
    max_body_bytes: "32 MiB",
    strict_translation: false,
  });
  const values = valuesOf(settings, fields.resilience);
  expect(values[nameOf("timeouts.total_s")]).toBe("");
  expect(values[nameOf("breaker.window_s")]).toBe("30s");
});

test("only what was changed is sent, nested as the document is", () => {
  const before = valuesOf(settings, fields.resilience);
  const after = {
    ...before,
    [nameOf("breaker.window_s")]: "1m",
    [nameOf("breaker.failure_percent")]: "60",
    [nameOf("timeouts.total_s")]: "10m",
  };
  expect(patchOf(fields.resilience, after, before)).toEqual({
    breaker: { window_s: 60, failure_percent: 60 },
    timeouts: { total_s: 600 },
  });
  expect(patchOf(fields.resilience, before, before)).toEqual({});
});

test("what is out of bounds is wrong, what may be empty is null", () => {
  const def = (path: string) =>
    Object.values(fields)
      .flat()
      .find((one) => one.path === path)!;
  expect(read(def("max_attempts"), "9")).toBeUndefined();
  expect(read(def("session_ttl_s"), "2d")).toBeUndefined();
  expect(read(def("timeouts.connect_s"), "")).toBeUndefined();
  expect(read(def("timeouts.total_s"), "")).toBe(null);
  expect(read(def("log_level"), "")).toBe(null);
  expect(read(def("strategy"), "")).toBeUndefined();
  expect(read(def("max_body_bytes"), "1 MiB")).toBe(1_048_576);
});
