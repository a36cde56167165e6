/** Rates in dollars per million tokens, as typed and as the API has them. */
import { z } from "zod";

import type { Schemas } from "@/api/client";

z.config({ jitless: true }); // the CSP has no unsafe-eval

export type Price = Schemas["Price"];

export const rates = [
  "input",
  "output",
  "cache_read",
  "cache_write_5m",
  "cache_write_1h",
  "reasoning",
] as const;

const rate = z
  .string()
  .trim()
  .refine((text) => text === "" || /^\d+(\.\d{1,12})?$/.test(text), "rate");

export const priceSchema = z.object({
  model: z.string().trim().min(1, "required").max(160, "model"),
  input: rate.refine((text) => text !== "", "required"),
  output: rate.refine((text) => text !== "", "required"),
  cache_read: rate,
  cache_write_5m: rate,
  cache_write_1h: rate,
  reasoning: rate,
});
export type PriceValues = z.infer<typeof priceSchema>;

export const priceValues = (price: Price | null): PriceValues => ({
  model: price?.model ?? "",
  ...(Object.fromEntries(rates.map((name) => [name, price?.[name] ?? ""])) as Omit<
    PriceValues,
    "model"
  >),
});

/** What the form does not show (tiers, sound and pictures) stays as it is. */
export function priceBody(
  values: PriceValues,
  before: Price | null,
): Schemas["PriceInput"] {
  const { model: _, provider: __, source: ___, ...kept } = before ?? ({} as Price);
  const body: Schemas["PriceInput"] = { ...kept };
  for (const name of rates)
    if (values[name] === "") delete body[name];
    else body[name] = values[name];
  return body;
}
