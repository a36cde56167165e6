/** The options of a transformer: as a form has them, and as the API does. */
import type { Schemas } from "@/api/client";

export type Transformer = Schemas["Transformer"];
export type Option = Transformer["options"][number];
export type Options = Record<string, unknown>;

/** What a control shows; nothing where the default holds. */
export function textOf(option: Option, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (option.type === "strings" && Array.isArray(value)) return value.join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Undefined: left out.  `wrong`: not a value of its type. */
export function valueOf(
  option: Option,
  text: string,
): { value: unknown } | { wrong: true } {
  const plain = text.trim();
  if (plain === "") return { value: undefined };
  switch (option.type) {
    case "integer":
    case "number": {
      const n = Number(plain);
      const fits =
        Number.isFinite(n) &&
        (option.type === "number" || Number.isInteger(n)) &&
        n >= (option.minimum ?? -Infinity) &&
        n <= (option.maximum ?? Infinity);
      return fits ? { value: n } : { wrong: true };
    }
    case "boolean":
      return { value: plain === "true" };
    case "strings":
      return {
        value: plain
          .split(",")
          .map((one) => one.trim())
          .filter(Boolean),
      };
    case "object":
      try {
        const value: unknown = JSON.parse(plain);
        return typeof value === "object" && value !== null && !Array.isArray(value)
          ? { value }
          : { wrong: true };
      } catch {
        return { wrong: true };
      }
    default:
      return { value: text };
  }
}

/** The same options with one of them set, or left out. */
export function withOption(options: Options, name: string, value: unknown): Options {
  const { [name]: old, ...rest } = options;
  void old;
  return value === undefined ? rest : { ...rest, [name]: value };
}

/** Those that are needed and not there. */
export const missing = (about: Transformer | undefined, options: Options) =>
  (about?.options ?? [])
    .filter((one) => one.required && options[one.name] === undefined)
    .map((one) => one.name);
