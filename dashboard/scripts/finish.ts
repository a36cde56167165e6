/**
 * After the build: every file that gains from it gets a .br and a .gz beside
 * it, and the first script and style must stay small.
 *
 *   node scripts/finish.ts DIST
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const MOST = 200_000; // bytes of script, compressed, before a page shows

const dist = process.argv[2] ?? "dist";
const packs = /\.(js|css|html|svg|json)$/;

function compress(path: string) {
  const bytes = readFileSync(path);
  const br = brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
  if (br.length < bytes.length * 0.95) writeFileSync(`${path}.br`, br);
  const gz = gzipSync(bytes, { level: 9 });
  if (gz.length < bytes.length * 0.95) writeFileSync(`${path}.gz`, gz);
}

/** What the browser fetches before the first page shows. */
const initial = (html: string) =>
  new Set([...html.matchAll(/"\/dashboard\/([^"]+\.js)"/g)].map((one) => one[1]!));

for (const name of readdirSync(dist, { recursive: true, encoding: "utf8" }))
  if (packs.test(name)) compress(join(dist, name));

let size = 0;
for (const file of initial(readFileSync(join(dist, "index.html"), "utf8")))
  size += gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;
console.log(`first script: ${size} bytes compressed (gzip), at most ${MOST}`);
if (size > MOST) process.exit(1);
