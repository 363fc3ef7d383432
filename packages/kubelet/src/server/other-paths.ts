import type { IncomingMessage } from "node:http";
import { findPod, RequestFailure, runningContainer, type ServerContext } from "./target.ts";

/** The kubelet's checks of health, all under one: as long as it answers, they pass. */
const healthChecks: ReadonlySet<string> = new Set(["", "ping", "log", "syncloop"]);

/** Answers `/healthz` and the checks below it. Throws `RequestFailure` for one that is not known. */
export function health(path: readonly string[]): string {
  const name = path.join("/");
  if (!healthChecks.has(name)) throw new RequestFailure(404, "404 page not found");
  return "ok";
}

/** `/checkpoint/NAMESPACE/POD/CONTAINER`: the runtime has no such thing. */
export function refuseCheckpoint(context: ServerContext, request: IncomingMessage, path: readonly string[]): never {
  if (request.method !== "POST") throw new RequestFailure(405, "405: Method Not Allowed");
  const [namespace = "", name = "", container = ""] = path;
  const pod = findPod(context, namespace, name);
  const known = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some((one) => one.name === container);
  if (!known) throw new RequestFailure(404, `container ${container} does not exist`);
  const why = "rpc error: code = Unimplemented desc = unknown method CheckpointContainer";
  throw new RequestFailure(500, `checkpointing of ${namespace}/${name}/${container} failed (${why})`);
}

/** `/run/NAMESPACE/POD[/UID]/CONTAINER?cmd=…`: what a command writes. */
export async function runCommand(
  context: ServerContext,
  asked: { readonly request: IncomingMessage; readonly path: readonly string[]; readonly query: URLSearchParams },
  signal: AbortSignal,
): Promise<string> {
  if (asked.request.method !== "POST") throw new RequestFailure(405, "405: Method Not Allowed");
  const [namespace = "", name = ""] = asked.path;
  const pod = findPod(context, namespace, name);
  const { id } = runningContainer(context, pod, asked.path.at(-1) ?? "");
  const command = (asked.query.get("cmd") ?? "").split(" ").filter(Boolean);
  if (command.length === 0) throw new RequestFailure(400, "you must specify at least 1 command for exec");
  const { stdout, stderr, exitCode } = await context.parts.runtime.execSync(id, command, 0, signal);
  if (exitCode !== 0)
    throw new RequestFailure(500, `command '${command.join(" ")}' exited with ${exitCode}: ${stderr.toString()}`);
  return stdout.toString() + stderr.toString();
}
