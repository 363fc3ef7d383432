import { methodNotAllowed } from "../http/serve-resource.ts";
import type { PathRoute } from "../standard-parts-options.ts";

const goArchitectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** The document of `/version`. `gitVersion` starts with `v1.36`. */
export function versionDocument(gitVersion: string): Readonly<Record<string, string>> {
  const [major = "1", minor = "36"] = gitVersion.replace(/^v/, "").split(".");
  const architecture = goArchitectures[process.arch] ?? process.arch;
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion,
    gitCommit: "0000000000000000000000000000000000000000",
    gitTreeState: "clean",
    buildDate: "2026-04-22T00:00:00Z",
    goVersion: `node${process.versions.node}`,
    compiler: "node",
    platform: `linux/${architecture}`,
  };
}

/** `/version`. */
export function versionRoute(gitVersion: string): PathRoute {
  const body = JSON.stringify(versionDocument(gitVersion), undefined, 2);
  return {
    path: "/version",
    match: "exact",
    handle: async (exchange) => {
      if (exchange.method !== "GET" && exchange.method !== "HEAD") throw methodNotAllowed();
      exchange.respond({ status: 200, contentType: "application/json", body });
    },
  };
}
