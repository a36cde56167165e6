/**
 * One stream of what happens (GET /api/requests/live), shared by everybody who
 * looks.  It comes back by itself, and goes on where it was; while the page is
 * hidden for long it is closed.
 */
import { useEffect, useRef, useSyncExternalStore } from "react";

import type { Schemas } from "./client";

export type LiveRequest = Schemas["Request"];
export type LiveStats = Schemas["LiveStats"];
export type LiveState = "connecting" | "live" | "lost";

interface Listener {
  request?: (row: LiveRequest) => void;
  /** So many rows were passed over: ask for the list again. */
  gap?: (missed: number) => void;
}

const HIDDEN_MS = 60_000;
const BACK_MS = [500, 1_000, 2_000, 5_000, 10_000];

class Live {
  state: LiveState = "connecting";
  stats: LiveStats | null = null;
  readonly listeners = new Set<Listener>();
  readonly watchers = new Set<() => void>();
  #source: EventSource | null = null;
  #users = 0;
  #lastId = "";
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  join(listener: Listener) {
    this.listeners.add(listener);
    if (this.#users++ === 0) this.#start();
    return () => {
      this.listeners.delete(listener);
      if (--this.#users === 0) this.#stop();
    };
  }

  #start() {
    document.addEventListener("visibilitychange", this.#onVisibility);
    this.#open();
  }

  #stop() {
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#close();
    this.#lastId = "";
    this.#set("connecting");
  }

  #onVisibility = () => {
    clearTimeout(this.#timer);
    if (document.hidden)
      this.#timer = setTimeout(() => this.#close(), HIDDEN_MS);
    else if (!this.#source) this.#open();
  };

  #open() {
    clearTimeout(this.#timer);
    const query = this.#lastId ? `?last_event_id=${this.#lastId}` : "";
    const source = new EventSource(`/api/requests/live${query}`);
    this.#source = source;
    source.onopen = () => {
      this.#failures = 0;
      this.#set("live");
    };
    source.onerror = () => {
      this.stats = null;
      this.#set("lost");
      // CLOSED: the browser does not try again; everything else it does.
      if (source.readyState === EventSource.CLOSED) this.#openLater();
    };
    source.addEventListener("request", (event) => {
      this.#lastId = event.lastEventId;
      const row = JSON.parse(event.data) as LiveRequest;
      this.listeners.forEach((one) => one.request?.(row));
    });
    source.addEventListener("gap", (event) => {
      const { missed } = JSON.parse(event.data) as Schemas["LiveGap"];
      this.listeners.forEach((one) => one.gap?.(missed));
    });
    source.addEventListener("stats", (event) => {
      this.stats = JSON.parse(event.data) as LiveStats;
      this.#set("live");
    });
  }

  #openLater() {
    this.#close();
    const wait = BACK_MS[Math.min(this.#failures++, BACK_MS.length - 1)];
    this.#timer = setTimeout(() => this.#open(), wait);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #set(state: LiveState) {
    this.state = state;
    this.watchers.forEach((fn) => fn());
  }
}

const live = new Live();

function watch(fn: () => void) {
  live.watchers.add(fn);
  return () => live.watchers.delete(fn);
}

/** Hear of requests as they finish, as long as the component is there. */
export function useLive(listener: Listener = {}) {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(
    () =>
      live.join({
        request: (row) => latest.current.request?.(row),
        gap: (missed) => latest.current.gap?.(missed),
      }),
    [],
  );
}

export const useLiveState = () => useSyncExternalStore(watch, () => live.state);
/** Rates of the last second and what is under way; null: not connected. */
export const useLiveStats = () => useSyncExternalStore(watch, () => live.stats);
