import { Pods, refusals, ServiceAccounts } from "@skiff/api";
import { isJsonObject, type JsonObject } from "@skiff/base";
import type { AccessAuthorizer } from "../authorization/access.ts";
import { nodeNameOf } from "../authorization/node-authorizer.ts";
import type { ResourceTable, UserInfo } from "../contracts.ts";
import { refusedAudience } from "./node-token-audience.ts";

/** Kubelets ask for tokens that end with a pod of theirs and that it needs, and for no others. Throws 403. */
export async function restrictNodeToken(
  { table, authorizer }: { readonly table: ResourceTable; readonly authorizer: AccessAuthorizer },
  asked: { readonly user: UserInfo; readonly namespace: string; readonly name: string; readonly spec: JsonObject },
): Promise<void> {
  const node = nodeNameOf(asked.user);
  if (node === undefined) return;
  const { group, plural: kind } = ServiceAccounts;
  const refuse = (why: string) => refusals.forbidden({ group, kind, name: asked.name }, why);
  const reference = asked.spec.boundObjectRef;
  const { apiVersion, kind: bound, name, uid } = isJsonObject(reference) ? reference : {};
  if (apiVersion !== "v1" || bound !== "Pod" || typeof name !== "string" || name === "") {
    throw refuse("node requested token not bound to a pod");
  }
  if (typeof uid !== "string" || uid === "") throw refuse("node requested token with a pod binding without a uid");
  const pod = await table.of(Pods).get({ namespace: asked.namespace, name });
  if (pod.metadata.uid !== uid) {
    throw refuse(
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  if (pod.spec?.nodeName !== node) {
    throw refuse("node requested token bound to a pod scheduled on a different node");
  }
  const { audiences: wanted } = asked.spec;
  const audiences = Array.isArray(wanted) ? wanted.filter((one) => typeof one === "string") : [];
  const why = await refusedAudience({ table, authorizer }, { user: asked.user, pod, account: asked.name, audiences });
  if (why !== undefined) throw refuse(why);
}
