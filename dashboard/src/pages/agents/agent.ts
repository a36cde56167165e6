/** An agent as a form has it, and what the admin API takes. */
import type { Schemas } from "@/api/client";

export type Agent = Schemas["Agent"];
export type AgentInput = Schemas["AgentInput"];

export const PROMPT_MIN = 40; // bytes: to be told from others

export interface Values {
  name: string;
  description: string;
  model: string;
  /** Channels in order, "tag:eu" for those with a tag. */
  routing: string[];
  prompt: string;
}

export const blank: Values = {
  name: "",
  description: "",
  model: "",
  routing: [],
  prompt: "",
};

export const listOf = (routing: string) =>
  routing
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean);

export const valuesOf = (agent: Agent): Values => ({
  name: agent.name,
  description: agent.description,
  model: agent.model,
  routing: listOf(agent.routing),
  prompt: agent.prompt,
});

/** What is empty is left out of the file. */
export const bodyOf = (values: Values): AgentInput => ({
  name: values.name.trim(),
  description: values.description.trim(),
  model: values.model.trim(),
  routing: values.routing.join(", "),
  prompt: values.prompt.trim(),
});

const bytes = new TextEncoder();
/** Bytes that are missing; 0: long enough. */
export const missing = (prompt: string) =>
  Math.max(0, PROMPT_MIN - bytes.encode(prompt.trim()).length);

/** Only a file that could be read can be written back as it was. */
export const isReadable = (agent: Agent) => !agent.fault || agent.fault.line === 0;

export type State = "faulty" | "routed" | "listed";
export const stateOf = (agent: Agent): State =>
  agent.fault ? "faulty" : agent.routed ? "routed" : "listed";
