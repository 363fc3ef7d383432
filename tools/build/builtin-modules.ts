import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";

const imports = /^import (?!type\b)([^"]+?) from "(node:[^"]+)";$/gm;

/**
 * Takes Node's own modules as they are, in the place of an `import` of them: for that, Node would read every property of the
 * module, and some of them load large parts of Node (those of `node:http` its whole web client).
 */
export const builtinModules: Plugin = {
  name: "builtin modules",
  setup(build) {
    build.onLoad({ filter: /\/packages\/[^/]+\/src\/.*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replaceAll(imports, (_, clause: string, name: string) =>
        taken(clause, name),
      ),
      loader: "ts",
    }));
  },
};

/** `clause` is what stands between `import` and `from`. */
function taken(clause: string, name: string): string {
  const source = `process.getBuiltinModule(${JSON.stringify(name)})`;
  const [, whole] = /^(?:\* as )?([\w$]+)/.exec(clause) ?? [];
  const [, braced = ""] = /\{([^}]*)\}/.exec(clause) ?? [];
  const names = braced
    .split(",")
    .map((one) => one.trim().replace(" as ", ": "))
    .filter((one) => one !== "" && !one.startsWith("type "));
  return [
    ...(whole === undefined ? [] : [`const ${whole} = ${source};`]),
    ...(names.length === 0 ? [] : [`const { ${names.join(", ")} } = ${source};`]),
  ].join(" ");
}
