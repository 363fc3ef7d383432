import type { PathRoute } from "./standard-parts-options.ts";

/** The route that answers a path: the first that matches. Trailing slashes do not count. */
export function findRoute(routes: readonly PathRoute[], path: string): PathRoute | undefined {
  const bare = path === "/" ? path : path.replace(/\/+$/, "");
  return routes.find((route) =>
    route.match === "exact" ? bare === route.path : bare === route.path || bare.startsWith(`${route.path}/`),
  );
}

/** `/`: the paths that can be asked for. */
export function rootRoute(routes: () => readonly string[]): PathRoute {
  return {
    path: "/",
    match: "exact",
    handle: async (exchange) =>
      exchange.respond({
        status: 200,
        contentType: "application/json",
        body: JSON.stringify({ paths: routes() }, undefined, 2),
      }),
  };
}
