import { createHash } from "node:crypto";
import type { RegistryAuth } from "@skiff/runtime";
import type { DockerLogin } from "./docker-config.ts";
import type { ImageName } from "./image-name.ts";
import { placeMatches, plainPlace } from "./image-place.ts";

/** An object of the API that credentials come from. */
export interface CredentialOwner {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

/** Where credentials come from: what pods may use of an image that is there depends on it. */
export type CredentialSource =
  | ({ readonly kind: "secret" } & CredentialOwner)
  | ({ readonly kind: "serviceAccount" } & CredentialOwner)
  /** Everybody on the node may use them. */
  | { readonly kind: "node" };

/** One login to try. */
export interface PullLogin {
  readonly auth: RegistryAuth;
  readonly source: CredentialSource;
}

/** Logins of one source. */
export interface Credentials {
  readonly source: CredentialSource;
  readonly logins: readonly DockerLogin[];
}

/** Docker Hub goes by another name in lists of logins than in names of images. */
const defaultPlace = "index.docker.io";

/** Name of an image without tag and digest, as in `docker.io/library/busybox`. */
export const repositoryOf = ({ registry, repository }: Pick<ImageName, "registry" | "repository">): string =>
  `${registry}/${repository}`;

/**
 * The logins to try for an image, the most specific first. Those for Docker Hub's own name are only taken where nothing
 * else matches.
 */
export function loginsFor(image: Pick<ImageName, "registry" | "repository">, all: readonly Credentials[]): PullLogin[] {
  const repository = repositoryOf(image);
  const placed = all.flatMap(({ source, logins }) =>
    logins.map(({ place, auth }) => ({ place: plainPlace(place), login: { auth, source } })),
  );
  const found = placed
    .filter(({ place }) => placeMatches(place, repository))
    .toSorted((a, b) => (a.place < b.place ? 1 : a.place > b.place ? -1 : 0));
  const chosen =
    found.length === 0 && image.registry === "docker.io" ? placed.filter(({ place }) => place === defaultPlace) : found;
  return chosen.map(({ login }) => login);
}

/** A fingerprint of a login, to tell whether it is the same as another one. */
export const credentialHash = (auth: RegistryAuth): string =>
  createHash("sha256")
    .update(JSON.stringify([auth.username, auth.password, auth.identityToken, auth.registryToken]))
    .digest("hex");
