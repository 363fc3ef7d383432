import { readFileSync } from "node:fs";
import { type RemoteServer, WebhookClient } from "@skiff/apiserver";
import { type Clock, describeError } from "@skiff/base";
import { loadKubeconfig } from "@skiff/client";
import { badOption } from "./config-file.ts";

/** The server that a kubeconfig names. Credentials may be kept in files beside it. */
export function remoteServer(option: string, path: string): RemoteServer {
  try {
    const { endpoint, ca, cert, key, token } = loadKubeconfig(readFileSync(path, "utf8"), {
      readFile: (file) => readFileSync(file, "utf8"),
    });
    return {
      url: endpoint,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(token === undefined ? {} : { token }),
    };
  } catch (error) {
    throw badOption(option, `${path}: ${describeError(error)}`, error);
  }
}

/** Servers of kubeconfigs are reached by their URL. */
export const clientFor = (clock: Clock): WebhookClient =>
  new WebhookClient({
    clock,
    services: { locate: () => Promise.reject(new Error("a kubeconfig names no Service")) },
  });
