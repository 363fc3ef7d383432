import { open } from "node:fs/promises";
import { parseLogLine } from "./cri-log.ts";

/** The end of a log as plain text, cut to lines and bytes. Empty when there is no log. */
export async function lastLines(
  path: string,
  limit: { readonly lines: number; readonly bytes: number },
): Promise<string> {
  try {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    const window = Math.min(size, 64 * 1024);
    const { buffer } = await file.read(Buffer.alloc(window), 0, window, size - window);
    const texts: Buffer[] = [];
    for (const line of splitLines(buffer)) {
      const parsed = parseLogLine(line);
      if (parsed !== undefined)
        texts.push(parsed.partial ? parsed.text : Buffer.concat([parsed.text, Buffer.from("\n")]));
    }
    const all = Buffer.concat(texts.slice(-limit.lines));
    return all.subarray(Math.max(0, all.length - limit.bytes)).toString("utf8");
  } catch {
    return "";
  }
}

/** The whole lines in a buffer, without their ends. */
export function splitLines(buffer: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let from = 0;
  for (let end = buffer.indexOf(10); end !== -1; end = buffer.indexOf(10, from)) {
    lines.push(buffer.subarray(from, end));
    from = end + 1;
  }
  return lines;
}
