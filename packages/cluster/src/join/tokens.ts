/** What `skiff token` does: tokens with which machines join, as the administrator makes and takes them away. */
import { isAlreadyExists, isNotFound, Secrets } from "@skiff/api";
import type { Clock } from "@skiff/base";
import { type Client, createClient, httpsTransport } from "@skiff/client";
import { readPki } from "../pki/pki.ts";
import { clusterPaths } from "../settings/paths.ts";
import { ClusterError, type ClusterSettings, readSettings, serverUrl } from "../settings/settings.ts";
import {
  joiningGroup,
  newToken,
  parseToken,
  secretNameOf,
  type TokenDetails,
  type TokenUsage,
  tokenNamespace,
  tokenOfSecret,
  tokenSecret,
  tokenUsages,
} from "./bootstrap-token.ts";
import { publicKeyHash } from "./discovery.ts";

interface Target {
  readonly name: string;
  readonly home: string;
}

/** What a new token shall be like. */
export interface TokenWishes {
  /** `ID.SECRET`; a new one where absent. */
  readonly token?: string | undefined;
  /** How long it is good; for ever where 0. */
  readonly ttlMs: number;
  readonly description?: string | undefined;
  /** Both where absent. */
  readonly usages?: readonly TokenUsage[] | undefined;
  /** That of machines that join where absent. */
  readonly groups?: readonly string[] | undefined;
}

/** A token that was made. */
export interface CreatedToken extends TokenDetails {
  readonly token: string;
  /** What a machine joins with. */
  readonly joinCommand: string;
}

/** Makes a token. Throws `ClusterError` where there is one with that ID. */
export function createToken(
  target: Target,
  wishes: TokenWishes,
  clock: Clock,
  signal: AbortSignal,
): Promise<CreatedToken> {
  const { ttlMs, usages = tokenUsages, groups = [joiningGroup], description = "" } = wishes;
  const wrong = groups.find((group) => !/^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/.test(group));
  if (wrong !== undefined) {
    throw new ClusterError("OPTION_INVALID", `the group ${wrong} is none that tokens may give: system:bootstrappers:…`);
  }
  const { id, secret } = wishes.token === undefined ? newToken() : parseToken(wishes.token);
  const expiresMs = ttlMs === 0 ? undefined : clock.now() + ttlMs;
  const made: TokenDetails = { id, secret, usages, groups, description, expiresMs };
  return asAdministrator(target, clock, async ({ client, settings, authority }) => {
    await client.create(Secrets, tokenSecret(made), { signal }).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
      throw new ClusterError("TOKEN_EXISTS", `there is a token ${id} already`, { cause: error });
    });
    const token = `${id}.${secret}`;
    const server = `https://${settings.nodeIp}:${settings.apiPort}`;
    const hash = publicKeyHash(authority);
    const joinCommand = `skiff join ${server} --token ${token} --discovery-token-ca-cert-hash ${hash}`;
    return { ...made, token, joinCommand };
  });
}

/** All tokens, by their IDs. */
export function listTokens(target: Target, clock: Clock, signal: AbortSignal): Promise<readonly TokenDetails[]> {
  return asAdministrator(target, clock, async ({ client }) => {
    const fieldSelector = "type=bootstrap.kubernetes.io/token";
    const { items } = await client.list(Secrets, { namespace: tokenNamespace, fieldSelector, signal });
    const found = items.map(tokenOfSecret).filter((token) => token !== undefined);
    return found.sort((a, b) => (a.id < b.id ? -1 : 1));
  });
}

/** Takes tokens away, each named by its ID or whole. Throws `ClusterError` for one that is not there. */
export function deleteTokens(
  target: Target,
  names: readonly string[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const ids = names.map((name) => (/^[a-z0-9]{6}$/.test(name) ? name : parseToken(name).id));
  return asAdministrator(target, clock, async ({ client }) => {
    for (const id of ids) {
      const ref = { namespace: tokenNamespace, name: secretNameOf(id) };
      await client.delete(Secrets, ref, { signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
        throw new ClusterError("NO_TOKEN", `there is no token ${id}`, { cause: error });
      });
    }
  });
}

interface Administrator {
  readonly client: Client;
  readonly settings: ClusterSettings;
  readonly authority: string;
}

async function asAdministrator<T>(
  { name, home }: Target,
  clock: Clock,
  work: (by: Administrator) => Promise<T>,
): Promise<T> {
  const paths = clusterPaths(home, name);
  const settings = await readSettings(paths);
  const pki = await readPki(paths.pki);
  if (settings === undefined || pki === undefined) {
    throw new ClusterError("NO_CLUSTER", `there is no cluster "${name}" below ${home}`);
  }
  const { certificate: cert, key } = pki.admin;
  await using transport = httpsTransport({ endpoint: serverUrl(settings), ca: pki.authority, cert, key, clock });
  return await work({ client: createClient(transport), settings, authority: pki.authority });
}
