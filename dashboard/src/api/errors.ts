import type { components } from "./schema";

export type ErrorCode =
  | components["schemas"]["Error"]["error"]["code"]
  | "unreachable";

/** What went wrong, in the words of the admin API. */
export class ApiError extends Error {
  readonly status: number; // 0: no answer came
  readonly code: ErrorCode;
  /** Path of the field that is wrong, like `models[2].upstream`. */
  readonly field: string | undefined;
  /** Seconds until it is worth trying again, where the server said so. */
  readonly retryAfter: number | undefined;
  /** All that is wrong, where several things were looked at. */
  readonly all: { field: string; message: string }[];

  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    more: {
      field?: string;
      retryAfter?: number;
      all?: { field: string; message: string }[];
    } = {},
  ) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.field = more.field;
    this.retryAfter = more.retryAfter;
    this.all = more.all ?? [];
  }
}

function isErrorBody(body: unknown): body is components["schemas"]["Error"] {
  const error = (body as { error?: { message?: unknown } } | null)?.error;
  return typeof error?.message === "string";
}

export function errorOf(response: Response, body: unknown): ApiError {
  const wait = Number(response.headers.get("retry-after"));
  const retryAfter = Number.isFinite(wait) && wait > 0 ? wait : undefined;

  if (isErrorBody(body)) {
    const { code, message, field, errors: all } = body.error;
    return new ApiError(response.status, code, message, {
      field,
      retryAfter,
      all,
    });
  }
  return new ApiError(
    response.status,
    response.status >= 500 ? "unavailable" : "invalid_request",
    `${response.status} ${response.statusText}`.trim(),
    { retryAfter },
  );
}

export const isApiError = (error: unknown): error is ApiError =>
  error instanceof ApiError;
