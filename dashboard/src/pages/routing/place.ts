/** Where in a JSON text a path of the API is, like `condition.any[0].model`. */

type Step = string | number;

export function stepsOf(path: string): Step[] {
  return [...path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(([, name, index]) =>
    index === undefined ? name! : Number(index),
  );
}

const plain = (name: string) => name.replace(/_/g, "").toLowerCase();

/**
 * The line (from 1) of the value at `path`, or of the nearest that is there; 0
 * when the text is no JSON.  Names match in camelCase, too.
 */
export function lineOf(text: string, path: string): number {
  try {
    JSON.parse(text);
  } catch {
    return 0;
  }
  const steps = stepsOf(path);
  let at = 0;
  let found = 0;

  const blank = () => {
    while (/\s/.test(text[at] ?? "")) at++;
  };
  const string = () => {
    const from = at++;
    while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
    at++;
    return JSON.parse(text.slice(from, at)) as string;
  };
  /* Walks one value; `depth` steps of the path led to it, or it is beside. */
  const value = (depth: number, onPath: boolean) => {
    blank();
    if (onPath) found = at;
    const open = text[at];
    if (open === '"') {
      string();
    } else if (open === "{" || open === "[") {
      const close = open === "{" ? "}" : "]";
      at++;
      blank();
      for (let i = 0; text[at] !== close; i++) {
        const key = open === "{" ? string() : i;
        if (open === "{") {
          blank();
          at++;
        }
        const step = steps[depth];
        const same =
          typeof key === "string" && typeof step === "string"
            ? plain(key) === plain(step)
            : key === step;
        value(depth + 1, onPath && depth < steps.length && same);
        blank();
        if (text[at] === ",") at++;
        blank();
      }
      at++;
    } else {
      while (at < text.length && !/[\s,\]}]/.test(text[at]!)) at++;
    }
  };
  value(0, true);
  return text.slice(0, found).split("\n").length;
}

/** The line a browser's JSON error names, or that of its position; 0: neither. */
export function lineOfError(text: string, error: unknown): number {
  const message = error instanceof Error ? error.message : "";
  const line = /line (\d+)/.exec(message)?.[1];
  if (line) return Number(line);
  const position = /position (\d+)/.exec(message)?.[1];
  return position ? text.slice(0, Number(position)).split("\n").length : 0;
}
