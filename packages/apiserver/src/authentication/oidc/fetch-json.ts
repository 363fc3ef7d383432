import { get } from "node:https";
import { isJsonObject, type JsonObject } from "@skiff/base";

const limitBytes = 1024 * 1024;
const timeoutMs = 30_000;

/** Reads a JSON object over HTTPS. `ca`: PEM of whoever is trusted; the system's authorities where absent. */
export async function fetchJson(url: string, ca: string | undefined): Promise<JsonObject> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = get(url, { ...(ca === undefined ? {} : { ca }), timeout: timeoutMs }, (response) => {
    const chunks: Buffer[] = [];
    let length = 0;
    response.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > limitBytes) response.destroy(new Error(`${url}: the answer is too large`));
      chunks.push(chunk);
    });
    response.on("error", reject);
    response.on("end", () => {
      if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString("utf8"));
      else reject(new Error(`${url}: ${response.statusCode} ${response.statusMessage ?? ""}`.trim()));
    });
  });
  request.on("timeout", () => request.destroy(new Error(`${url}: no answer in time`)));
  request.on("error", reject);
  const value: unknown = JSON.parse(await promise);
  if (!isJsonObject(value)) throw new Error(`${url}: the answer is no JSON object`);
  return value;
}
