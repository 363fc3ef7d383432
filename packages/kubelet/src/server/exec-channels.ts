import type { StreamOptions } from "@skiff/runtime";

/** How a WebSocket carries a process' streams: by the subprotocol that was agreed on. */
export interface ChannelProtocol {
  readonly name: string;
  /** Frames are text: a digit for the channel, then base64. */
  readonly base64: boolean;
  /** The error channel carries a Status (v4 and later), or else bare text and only on failure. */
  readonly status: boolean;
  /** Channel 255 closes one direction (v5). */
  readonly close: boolean;
}

/** The subprotocols that are understood. */
const channelProtocols: readonly ChannelProtocol[] = [
  { name: "v5.channel.k8s.io", base64: false, status: true, close: true },
  { name: "v4.channel.k8s.io", base64: false, status: true, close: false },
  { name: "v4.base64.channel.k8s.io", base64: true, status: true, close: false },
  { name: "channel.k8s.io", base64: false, status: false, close: false },
  { name: "base64.channel.k8s.io", base64: true, status: false, close: false },
];

export const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

const named = (name: string): ChannelProtocol | undefined => channelProtocols.find((one) => one.name === name);

/**
 * The protocol to use for a client that offers these, in its own order; `undefined` when none is understood. The fifth
 * version comes first wherever it is offered: Kubernetes answers it in a place of its own.
 */
export function chooseProtocol(offered: readonly string[]): ChannelProtocol | undefined {
  if (offered.length === 0) return named("channel.k8s.io");
  const preferred = offered.includes("v5.channel.k8s.io") ? "v5.channel.k8s.io" : offered.find((one) => named(one));
  return preferred === undefined ? undefined : named(preferred);
}

/** Code of the digit that stands for channel 0; channels from the tenth on take the characters behind the digits. */
const zero = 48;

/** Those in which ports of a pod are reached over WebSocket channels; without a name, the first. */
export function choosePortProtocol(offered: readonly string[]): ChannelProtocol | undefined {
  const possible = ["v4.channel.k8s.io", "v4.base64.channel.k8s.io"];
  const preferred = offered.length === 0 ? possible[0] : offered.find((one) => possible.includes(one));
  return preferred === undefined ? undefined : named(preferred);
}

/** A message for one channel. */
export const encodeFrame = (protocol: ChannelProtocol, channel: number, data: Buffer): Buffer | string =>
  protocol.base64
    ? `${String.fromCharCode(zero + channel)}${data.toString("base64")}`
    : Buffer.concat([Buffer.from([channel]), data]);

/** Reads a message; `undefined` for one that is empty. */
export function decodeFrame(
  protocol: ChannelProtocol,
  message: Buffer,
): { readonly channel: number; readonly data: Buffer } | undefined {
  const [first] = message;
  if (first === undefined) return undefined;
  return protocol.base64
    ? { channel: first - zero, data: Buffer.from(message.toString("latin1", 1), "base64") }
    : { channel: first, data: message.subarray(1) };
}

/** What the first version of the protocol says of a process that failed. */
export const exitText = (exitCode: number): string =>
  `command terminated with non-zero exit code: exit status ${exitCode}`;

/** How a process ended, as the error channel tells it. */
export function exitStatus(exitCode: number): object {
  if (exitCode === 0) return { metadata: {}, status: "Success" };
  return {
    metadata: {},
    status: "Failure",
    message: exitText(exitCode),
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  };
}

export const failureStatus = (message: string): object => ({
  metadata: {},
  status: "Failure",
  message: `Internal error occurred: ${message}`,
  reason: "InternalError",
  details: { causes: [{ message }] },
  code: 500,
});

/** Which streams a request asks for, in the words of the API (`stdin`) or of the kubelet (`input`). */
export function streamOptions(query: URLSearchParams): StreamOptions {
  const asks = (...names: readonly string[]) =>
    names.some((name) => ["1", "true"].includes(query.get(name)?.toLowerCase() ?? ""));
  const tty = asks("tty");
  return {
    stdin: asks("stdin", "input"),
    stdout: asks("stdout", "output"),
    // A terminal has one output.
    stderr: !tty && asks("stderr", "error"),
    tty,
  };
}

/** The window size in a resize message. */
export function terminalSize(data: Buffer): { readonly width: number; readonly height: number } | undefined {
  try {
    const parsed: unknown = JSON.parse(data.toString("utf8"));
    if (typeof parsed !== "object" || parsed === null) return undefined;
    const width = "Width" in parsed ? Number(parsed.Width) : 0;
    const height = "Height" in parsed ? Number(parsed.Height) : 0;
    return width > 0 && height > 0 ? { width, height } : undefined;
  } catch {
    return undefined;
  }
}
