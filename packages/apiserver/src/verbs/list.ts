import { refusals, type StatusError } from "@skiff/api";
import { present } from "@skiff/base";
import { CompactedError, FutureRevisionError } from "@skiff/store";
import { ServedObject } from "../cache/served-object.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";
import { type ContinueToken, decodeToken, encodeToken } from "./continue-token.ts";
import { type ListOptions, tooLargeRevision } from "./list-options.ts";
import type { ObjectSelection } from "./selection.ts";

/** A list, or a page of one. */
export interface ObjectList {
  readonly revision: number;
  readonly items: readonly ServedObject[];
  /** Empty on the last page. */
  readonly continueToken: string;
  /** How many follow, where that can be told without looking at them. */
  readonly remaining: number | undefined;
}

interface Page {
  readonly storage: ObjectStorage;
  readonly selection: ObjectSelection;
  readonly revision: number;
  readonly start: string;
  readonly limit: number;
}

/** Lists the selected objects at the newest revision, at the one that a page began at, or exactly at one that was asked for. */
export async function listObjects(
  storage: ObjectStorage,
  selection: ObjectSelection,
  options: ListOptions,
): Promise<ObjectList> {
  await prepareAll(storage, selection);
  const current = storage.environment.cache.revision;
  const { limit } = options;
  if (options.continueToken !== "") {
    if (options.revision !== undefined && options.revision !== 0) {
      throw refusals.badRequest("specifying resource version is not allowed when using continue");
    }
    const token = decodeToken(options.continueToken);
    const start = storage.prefix + token.start;
    if (!start.startsWith(selection.prefix))
      throw refusals.badRequest("invalid continue token: continue key is not valid: it is of another list");
    const revision = token.revision === -1 ? current : token.revision;
    return await atRevision({ storage, selection, revision, start, limit }, token);
  }
  const wanted = options.revision ?? 0;
  if (wanted > current) throw tooLargeRevision(wanted, current);
  // With a limit, an old revision is meant exactly: this is how pages were read before there were tokens.
  const exact = options.match === "Exact" || (options.match === undefined && limit > 0 && wanted > 0);
  const revision = exact ? wanted : current;
  return await atRevision({ storage, selection, revision, start: selection.prefix, limit }, undefined);
}

/** Waits until all that may be listed can be shown; what came while a webhook was asked included. */
async function prepareAll(storage: ObjectStorage, { prefix, only }: ObjectSelection): Promise<void> {
  if (storage.resource.storedAs?.remote === undefined) return;
  for (;;) {
    const all = [...storage.cache.from(prefix, only ?? prefix)].filter(({ key }) => only === undefined || key === only);
    const preparing = storage.prepare(all.map(({ served }) => served));
    if (preparing === undefined) return;
    await preparing;
  }
}

async function atRevision(page: Page, token: ContinueToken | undefined): Promise<ObjectList> {
  const { storage, revision } = page;
  const { store, cache } = storage.environment;
  if (revision < store.compactedRevision) throw expired(page, token);
  if (revision >= storage.cache.lastRevision && revision <= cache.revision) return fromCache(page);
  try {
    return await fromStore(page);
  } catch (error) {
    if (error instanceof CompactedError) throw expired(page, token);
    if (error instanceof FutureRevisionError) throw tooLargeRevision(revision, cache.revision);
    throw error;
  }
}

function expired({ storage, start }: Page, token: ContinueToken | undefined): StatusError {
  if (token === undefined) return refusals.expired("The resourceVersion for the provided list is too old.");
  return refusals.expired(
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    encodeToken({ revision: -1, start: start.slice(storage.prefix.length) }),
  );
}

function fromCache(page: Page): ObjectList {
  const { storage, selection, start, limit } = page;
  const { only, matches, prefix } = selection;
  const items: ServedObject[] = [];
  if (only !== undefined) {
    const found = storage.cache.get(only);
    const served = found === undefined ? undefined : storage.show(found);
    if (served !== undefined && (matches === undefined || matches(served))) items.push(served);
    return { revision: page.revision, items, continueToken: "", remaining: undefined };
  }
  for (const { key, served: stored } of storage.cache.from(prefix, start)) {
    const served = storage.show(stored);
    if (matches !== undefined && !matches(served)) continue;
    if (limit > 0 && items.length === limit) {
      const remaining = matches === undefined ? storage.cache.countFrom(prefix, key) : undefined;
      return pageOf(page, items, key, remaining);
    }
    items.push(served);
  }
  return { revision: page.revision, items, continueToken: "", remaining: undefined };
}

/** So many keys are read at a time where most of them may not be selected. */
const chunk = 1000;

async function fromStore(page: Page): Promise<ObjectList> {
  const { storage, selection, revision, limit } = page;
  const { matches, prefix } = selection;
  const items: ServedObject[] = [];
  let { start } = page;
  for (;;) {
    // One more than wanted: it tells whether there is a next page, and where.
    const asked = matches === undefined && limit > 0 ? limit + 1 : chunk;
    const range = { start, end: `${prefix}\u{10FFFF}` };
    const { entries, count } = await storage.environment.store.range(range, { revision, limit: asked });
    const states = entries.map(({ value, modRevision }) => ServedObject.fromStored(value, modRevision));
    await storage.prepare(states);
    for (const [index, { key }] of entries.entries()) {
      const served = storage.show(present(states[index], "as many states as entries"));
      if (matches !== undefined && !matches(served)) continue;
      if (limit > 0 && items.length === limit) {
        return pageOf(page, items, key, matches === undefined ? count - index : undefined);
      }
      items.push(served);
    }
    const last = entries.at(-1);
    if (last === undefined || entries.length === count) break;
    start = `${last.key}\0`;
  }
  return { revision, items, continueToken: "", remaining: undefined };
}

const pageOf = (
  { storage, revision }: Page,
  items: readonly ServedObject[],
  next: string,
  remaining: number | undefined,
): ObjectList => ({
  revision,
  items,
  continueToken: encodeToken({ revision, start: next.slice(storage.prefix.length) }),
  remaining,
});
