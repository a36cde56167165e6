/**
 * After the build: every file that gains from it gets a .br and a .gz beside
 * it, and the first script and style must stay small.
 *
 *   node scripts/finish.ts DIST
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const MOST = 200_000; // bytes of script, compressed, before a page shows

const dist = process.argv[2] ?? "dist";
const packs = /\.(js|css|html|svg|json)$/;

interface Chunk {
  file: string;
  isEntry?: boolean;
  imports?: string[];
}

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

/** What the browser fetches before anything shows. */
function initial(manifest: Record<string, Chunk>): Set<string> {
  const files = new Set<string>();
  const add = (chunk: Chunk | undefined) => {
    if (!chunk || files.has(chunk.file)) return;
    files.add(chunk.file);
    chunk.imports?.forEach((one) => add(manifest[one]));
  };
  Object.values(manifest)
    .filter((one) => one.isEntry)
    .forEach(add);
  return files;
}

const manifestFile = join(dist, "manifest.json");
const manifest = JSON.parse(readFileSync(manifestFile, "utf8"));
rmSync(manifestFile);
for (const name of readdirSync(dist, { recursive: true, encoding: "utf8" }))
  if (packs.test(name)) compress(join(dist, name));

let size = 0;
for (const file of initial(manifest))
  size += gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;
console.log(`first script: ${size} bytes compressed (gzip), at most ${MOST}`);
if (size > MOST) process.exit(1);
