import type { Plugin } from "esbuild";

/** Properties that load something on first use, and of which the bundle uses these nevertheless. */
const lateProperties: Readonly<Record<string, readonly string[]>> = { "node:net": ["BlockList"] };

/**
 * Node's own modules without what an `import` of them costs: Node reads every property of a module that is imported, and some
 * of them load large parts of Node (those of `node:http` its whole web client).
 */
export const builtinModules: Plugin = {
  name: "builtin modules",
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === "import-statement" || kind === "dynamic-import"
        ? { path, namespace: "builtin", sideEffects: false }
        : { path, external: true },
    );
    build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({ contents: moduleText(path) }));
  },
};

function moduleText(path: string): string {
  const late = lateProperties[path] ?? [];
  const names = Object.entries(Object.getOwnPropertyDescriptors(process.getBuiltinModule(path) ?? {}))
    .filter(
      ([name, { get }]) =>
        name !== "default" && /^[A-Za-z_$][\w$]*$/.test(name) && (get === undefined || late.includes(name)),
    )
    .map(([name]) => name);
  return [
    `const own = process.getBuiltinModule(${JSON.stringify(path)});`,
    "export default own;",
    ...names.map((name, index) => `const own${index} = own.${name}; export { own${index} as ${name} };`),
  ].join("\n");
}
