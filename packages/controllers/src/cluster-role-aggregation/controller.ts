import { type ClusterRole, ClusterRoles } from "@skiff/api";
import { defineController, done, watching } from "@skiff/control-loop";
import { planAggregation } from "./plan.ts";

/** Puts cluster roles together from those that their aggregation rules select. */
export const clusterRoleAggregationController = defineController<ClusterRole>({
  name: "clusterrole-aggregation",
  for: ClusterRoles,
  watches: [
    // A role may become, or cease to be, a part of any aggregated role.
    watching(ClusterRoles, (_changed, { cached }) =>
      cached(ClusterRoles)
        .list()
        .filter(({ aggregationRule }) => aggregationRule !== undefined)
        .map(({ metadata }) => metadata),
    ),
  ],
  async reconcile(role, { client, cached, signal }) {
    if (role.metadata.deletionTimestamp !== undefined) return done;
    const rules = planAggregation(role, cached(ClusterRoles).list());
    if (rules !== undefined) await client.update(ClusterRoles, { ...role, rules: [...rules] }, { signal });
    return done;
  },
});
