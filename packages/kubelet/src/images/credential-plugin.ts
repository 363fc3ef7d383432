import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Clock, describeError, isAbort, isJsonObject, type Logger, parseDuration } from "@skiff/base";
import type { Processes } from "@skiff/host";
import type { CredentialProvider } from "./credential-provider-config.ts";
import type { DockerLogin } from "./docker-config.ts";
import { placeMatches } from "./image-place.ts";
import type { CredentialOwner, Credentials } from "./keyring.ts";

const timeoutMs = 60_000;
/** Answers that are kept at one time; the oldest goes. */
const mostKept = 1000;

/** What a program is told of a pod's service account. */
export interface AccountShown extends CredentialOwner {
  readonly token: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The account of the pod that an image is for, as far as a program wants it: `undefined`: the program is not to be asked. */
export type ShowAccount = (signal: AbortSignal) => Promise<AccountShown | "none" | undefined>;

type CacheScope = "Image" | "Registry" | "Global";

interface Answer {
  readonly scope: CacheScope;
  /** Absent: as the configuration says. */
  readonly cacheMs?: number;
  readonly logins: readonly DockerLogin[];
}

interface Kept {
  readonly untilMs: number;
  readonly logins: readonly DockerLogin[];
}

/** Reads a program's answer. Errors do not quote it, for it may hold credentials. */
export function parseAnswer(json: string, apiVersion: string): Answer {
  const undecodable = () => new Error("error decoding credential provider plugin response from stdout");
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw undecodable();
  }
  if (!isJsonObject(value)) throw undecodable();
  if (value.apiVersion !== apiVersion)
    throw new Error(
      `apiVersion from credential plugin response did not match expected apiVersion:${apiVersion}, actual apiVersion:${String(value.apiVersion)}`,
    );
  const scope = value.cacheKeyType;
  if (value.kind !== "CredentialProviderResponse") throw undecodable();
  if (scope !== "Image" && scope !== "Registry" && scope !== "Global")
    throw new Error(`credential provider plugin did not return a valid cacheKeyType: ${JSON.stringify(scope)}`);
  const auth = isJsonObject(value.auth) ? value.auth : {};
  const logins = Object.entries(auth).flatMap(([place, one]): DockerLogin[] => {
    if (!isJsonObject(one)) return [];
    const { username, password } = one;
    return [
      {
        place,
        auth: {
          ...(typeof username === "string" ? { username } : {}),
          ...(typeof password === "string" ? { password } : {}),
        },
      },
    ];
  });
  const duration = value.cacheDuration;
  if (duration === undefined || duration === null) return { scope, logins };
  const cacheMs = typeof duration === "string" ? parseDuration(duration) : undefined;
  if (cacheMs === undefined) throw undecodable();
  return { scope, cacheMs, logins };
}

/** One program that gives logins; its answers are kept for as long as they say. */
export class CredentialPlugin {
  readonly provider: CredentialProvider;
  readonly #program: string;
  readonly #processes: Processes;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #kept = new Map<string, Kept>();
  readonly #running = new Map<string, Promise<Answer>>();

  constructor(options: {
    readonly provider: CredentialProvider;
    readonly folder: string;
    readonly processes: Processes;
    readonly clock: Clock;
    readonly logger: Logger;
  }) {
    this.provider = options.provider;
    this.#program = join(options.folder, options.provider.name);
    this.#processes = options.processes;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  /** Logins for an image (its name without tag and digest). A program that fails gives none, and the log says why. */
  async credentials(image: string, show: ShowAccount, signal: AbortSignal): Promise<readonly Credentials[]> {
    if (!this.provider.matchImages.some((pattern) => placeMatches(pattern, image))) return [];
    try {
      const account = this.provider.token === undefined ? "none" : await show(signal);
      if (account === undefined) return [];
      const logins = await this.#logins(image, account, signal);
      if (account === "none") return [{ source: { kind: "node" }, logins }];
      const { uid, namespace, name } = account;
      return [{ source: { kind: "serviceAccount", uid, namespace, name }, logins }];
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      this.#logger.error(
        `Failed getting credential from external registry credential provider: ${describeError(error)}`,
      );
      return [];
    }
  }

  async #logins(image: string, account: AccountShown | "none", signal: AbortSignal): Promise<readonly DockerLogin[]> {
    const whose = this.#whose(account);
    const keys = [image, registryOf(image), "global"].map((scope) => JSON.stringify([scope, whose]));
    const known = keys
      .map((key) => this.#kept.get(key))
      .find((one) => one !== undefined && one.untilMs > this.#clock.now());
    if (known !== undefined) return known.logins;
    const asking = JSON.stringify([image, account]);
    const running = this.#running.get(asking) ?? this.#ask(image, account, signal);
    this.#running.set(asking, running);
    const answer = await running.finally(() => this.#running.delete(asking));
    const cacheMs = answer.cacheMs ?? this.provider.defaultCacheMs;
    const key = keys[["Image", "Registry", "Global"].indexOf(answer.scope)];
    if (cacheMs > 0 && key !== undefined)
      this.#keep(key, { untilMs: this.#clock.now() + cacheMs, logins: answer.logins });
    return answer.logins;
  }

  #whose(account: AccountShown | "none"): unknown {
    if (account === "none") return "";
    const { uid, namespace, name, annotations, token } = account;
    const ofToken = this.provider.token?.cacheType === "Token" ? createHash("sha256").update(token).digest("hex") : "";
    return [uid, namespace, name, Object.entries(annotations).toSorted(), ofToken];
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest);
  }

  async #ask(image: string, account: AccountShown | "none", signal: AbortSignal): Promise<Answer> {
    const { name, apiVersion, args, env } = this.provider;
    const request = {
      kind: "CredentialProviderRequest",
      apiVersion,
      image,
      ...(account === "none"
        ? {}
        : { serviceAccountToken: account.token, serviceAccountAnnotations: account.annotations }),
    };
    const { code, stdout, stderr } = await this.#processes.run(
      this.#program,
      { args, env: { ...process.env, ...env }, stdin: JSON.stringify(request), timeoutMs },
      signal,
    );
    if (code !== 0)
      throw new Error(
        `error execing credential provider plugin ${name} for image ${image}: exit status ${code}: ${stderr}`,
      );
    return parseAnswer(stdout, apiVersion);
  }
}

const registryOf = (image: string): string => image.split("/")[0] ?? "";
