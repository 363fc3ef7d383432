import type { NamedPlugin, PluginSet, PluginSets } from "./component-configuration.ts";
import { type ExtensionPoint, extensionPoints, pluginKind, pointsByPlugin } from "./extension-points.ts";

/** Plugins cannot be put together as they are configured. */
export class ProfileError extends Error {
  override readonly name = "ProfileError";
  readonly code = "PROFILE_INVALID";
}

/** Which plugins have a say where, in order. */
export interface ResolvedPlugins {
  readonly points: Readonly<Record<ExtensionPoint, readonly string[]>>;
  /** What scores count, by plugin. */
  readonly weights: ReadonlyMap<string, number>;
  /** All that are there for every point they have, in order. */
  readonly multiPoint: readonly string[];
}

/**
 * Puts what was configured over the defaults: a default plugin that is named again is replaced in its place, disabled ones are left out
 * (all with `*`), further ones follow.
 */
function mergeSets(
  defaults: readonly NamedPlugin[],
  { enabled = [], disabled = [] }: PluginSet,
): readonly NamedPlugin[] {
  const off = new Set(disabled.map(({ name }) => name));
  const custom = new Map(enabled.map((plugin) => [plugin.name, plugin]));
  const replaced = new Set<NamedPlugin>();
  const kept = (off.has("*") ? [] : defaults)
    .filter(({ name }) => !off.has(name))
    .map((plugin) => {
      const own = custom.get(plugin.name);
      if (own !== undefined) replaced.add(own);
      return own ?? plugin;
    });
  return [...kept, ...enabled.filter((plugin) => !replaced.has(plugin))];
}

/**
 * Which plugins a profile has where. Precedence: what is said of an extension point, then what is said of `multiPoint`, then the
 * defaults. Throws `ProfileError`, in the words of Kubernetes.
 */
export function resolvePlugins(
  sets: PluginSets,
  { defaults, known }: { readonly defaults: readonly NamedPlugin[]; readonly known: ReadonlySet<string> },
): ResolvedPlugins {
  const multiPoint = mergeSets(defaults, sets.multiPoint ?? {});
  const points = Object.fromEntries(
    extensionPoints.map((point) => [point, pluginsAt(point, sets[point] ?? {}, multiPoint, known)]),
  );
  const weights = new Map<string, number>();
  for (const { name, weight } of [...multiPoint, ...(sets.score?.enabled ?? [])]) {
    if (points.score?.includes(name)) weights.set(name, weight || 1);
  }
  const of = (point: ExtensionPoint) => points[point] ?? [];
  return {
    points: {
      preEnqueue: of("preEnqueue"),
      queueSort: of("queueSort"),
      preFilter: of("preFilter"),
      filter: of("filter"),
      postFilter: of("postFilter"),
      preScore: of("preScore"),
      score: of("score"),
      reserve: of("reserve"),
      permit: of("permit"),
      preBind: of("preBind"),
      bind: of("bind"),
      postBind: of("postBind"),
    },
    weights,
    multiPoint: multiPoint.map(({ name }) => name),
  };
}

/** First those that stand at the point as well as in `multiPoint`, then the rest of `multiPoint`, then the rest of the point. */
function pluginsAt(
  point: ExtensionPoint,
  { enabled = [], disabled = [] }: PluginSet,
  multiPoint: readonly NamedPlugin[],
  known: ReadonlySet<string>,
): readonly string[] {
  const kind = pluginKind(point);
  const own = new Set<string>();
  for (const { name } of enabled) {
    if (!known.has(name)) throw new ProfileError(`${kind} ${JSON.stringify(name)} does not exist`);
    if (!extendsPoint(name, point))
      throw new ProfileError(`plugin ${JSON.stringify(name)} does not extend ${kind} plugin`);
    if (own.has(name))
      throw new ProfileError(`plugin ${JSON.stringify(name)} already registered as ${JSON.stringify(kind)}`);
    own.add(name);
  }
  const off = new Set(disabled.map(({ name }) => name));
  if (off.has("*")) return [...own];
  const overriding = new Set<string>();
  const general = new Set<string>();
  for (const { name } of multiPoint) {
    if (!known.has(name)) throw new ProfileError(`${kind} ${JSON.stringify(name)} does not exist`);
    if (!extendsPoint(name, point) || off.has(name)) continue;
    if (own.has(name)) overriding.add(name);
    else if (general.has(name))
      throw new ProfileError(`plugin ${JSON.stringify(name)} already registered as ${JSON.stringify(kind)}`);
    else general.add(name);
  }
  const first = [...own].filter((name) => overriding.has(name));
  const last = [...own].filter((name) => !overriding.has(name));
  return [...first, ...general, ...last];
}

const extendsPoint = (name: string, point: ExtensionPoint): boolean => pointsByPlugin[name]?.includes(point) ?? false;
