/**
 * What the fields of Kubernetes' kinds are for, as `kubectl explain` shows it: gathered from the comments in the typed client's
 * declarations, which are made from the published document of the same version. The texts are Kubernetes' own; they go into the
 * release, not into the repository.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { definitions } from "../../packages/api/src/generated/definitions.ts";

/** The client's folder of declarations, one file a definition; `undefined` where it is not installed. */
function modelsFolder(): string | undefined {
  try {
    const main = createRequire(import.meta.url).resolve("@kubernetes/client-node");
    const folder = join(dirname(main), "gen/models");
    return existsSync(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Names that the client may know a definition by: `core.v1.Event` → `CoreV1Event`, `V1Event`. */
function classNames(definition: string): readonly string[] {
  const [group = "", version = "", kind = ""] = definition.split(".");
  return [`${capital(group)}${capital(version)}${kind}`, `${capital(version)}${kind}`];
}

const textOf = (comment: string): string =>
  comment
    .split("\n")
    .map((line) => line.replace(/^\s*\*? ?/, "").trimEnd())
    .join("\n")
    .trim()
    .replaceAll('\\"', '"')
    .replaceAll("*_/", "*/");

/** The client's names of members are those of the fields, made fit for its language. */
const fieldName = (member: string): string =>
  member.startsWith("x_kubernetes_") ? member.replaceAll("_", "-") : member.replace(/^_/, "");

/** The texts of one declaration: of the class under the empty name, of its members under theirs. */
function textsIn(declaration: string): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [, comment = "", owner = "", member = ""] of declaration.matchAll(
    /\/\*\*\n((?:(?!\*\/)[\s\S])*?)\s*\*\/\s*(?:(export declare class)|'([^']+)')/g,
  )) {
    const text = textOf(comment);
    if (text !== "") texts[owner === "" ? fieldName(member) : ""] = text;
  }
  return texts;
}

/** All texts by short name of the definition, as compressed JSON; `undefined` where the client is not installed. */
export function compressedDescriptions(): Buffer | undefined {
  const folder = modelsFolder();
  if (folder === undefined) return undefined;
  const described: Record<string, Record<string, string>> = {};
  for (const definition of Object.keys(definitions)) {
    const file = classNames(definition)
      .map((name) => join(folder, `${name}.d.ts`))
      .find((path) => existsSync(path));
    if (file !== undefined) described[definition] = textsIn(readFileSync(file, "utf8"));
  }
  return gzipSync(JSON.stringify(described), { level: 9 });
}
