// One JSON object a line, on stdout and from stdin; binary as {"$binary": base64}, as nsroom writes it.
import { createInterface } from "node:readline";

export function plain(value) {
  if (value instanceof ArrayBuffer) return plain(Buffer.from(value));
  if (ArrayBuffer.isView(value)) return { $binary: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
  return value;
}

export function binary(value) {
  if (Array.isArray(value)) return value.map(binary);
  if (!value || typeof value !== "object") return value;
  const keys = Object.keys(value);
  if (keys.length === 1 && keys[0] === "$binary") return Buffer.from(value.$binary, "base64");
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, binary(v)]));
}

export function print(record) {
  process.stdout.write(JSON.stringify(plain(record)) + "\n");
}

export function commands(handle) {
  createInterface({ input: process.stdin }).on("line", (line) => handle(binary(JSON.parse(line))));
}
