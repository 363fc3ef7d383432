/**
 * Versions of a custom resource made of each other by a webhook.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#webhook-conversion
 */
import { type DynamicObject, StatusError, type VersionConverter, type WebhookConversion } from "@skiff/api";
import { describeError, isJsonObject, type JsonObject, type JsonValue, type Random, uuid } from "@skiff/base";
import { asJson } from "../encoding/object-json.ts";
import type { WebhookClient } from "../webhooks/webhook-client.ts";
import { convertedObject } from "./converted-object.ts";

/** What converting takes. */
export interface ConversionOptions {
  readonly webhooks: WebhookClient;
  readonly random: Random;
  /** Aborted when the server stops. */
  readonly signal: AbortSignal;
}

const timeoutMs = 30_000;
const reviewVersions = ["v1", "v1beta1"];

/** Asks the webhook of a definition: all objects in one review. */
export function conversionWebhook(webhook: WebhookConversion, options: ConversionOptions): VersionConverter {
  const version = webhook.conversionReviewVersions.find((one) => reviewVersions.includes(one)) ?? "v1";
  const apiVersion = `apiextensions.k8s.io/${version}`;
  return async (objects, desired) => {
    const [first] = objects;
    if (first === undefined) return [];
    const refuse = (what: string) => failure(`conversion webhook for ${gvkText(first)} ${what}`);
    const uid = uuid(options.random);
    const request = { uid, desiredAPIVersion: desired, objects: objects.map((object) => asJson(object)) };
    const body: JsonObject = { kind: "ConversionReview", apiVersion, request };
    let converted: readonly JsonValue[];
    try {
      const { webhooks, signal } = options;
      const answer = await webhooks.call(webhook.clientConfig ?? {}, { body, timeoutMs, signal });
      converted = objectsIn(answer, { apiVersion, uid });
    } catch (error) {
      throw refuse(`failed: ${describeError(error)}`);
    }
    if (converted.length !== objects.length) {
      throw refuse(`returned ${converted.length} objects, expected ${objects.length}`);
    }
    return objects.map((object, index) => {
      const made = convertedObject(object, converted[index], desired);
      if (made.kind === "object") return made.object;
      throw refuse(`returned invalid converted object at index ${index}: ${made.message}`);
    });
  };
}

/** As Kubernetes writes a kind: `stable.example.com/v1, Kind=CronTab`. */
const gvkText = ({ apiVersion, kind }: DynamicObject): string => `${apiVersion}, Kind=${kind}`;

const failure = (message: string): StatusError =>
  new StatusError({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code: 500 });

function objectsIn(
  review: JsonObject,
  expected: { readonly apiVersion: string; readonly uid: string },
): readonly JsonValue[] {
  const { apiVersion, uid } = expected;
  if (review.apiVersion !== apiVersion || review.kind !== "ConversionReview") {
    const got = `${String(review.apiVersion ?? "")}, Kind=${String(review.kind ?? "")}`;
    throw new Error(`expected webhook response of ${apiVersion}, Kind=ConversionReview, got ${got}`);
  }
  const { response } = review;
  if (!isJsonObject(response)) throw new Error("no response provided");
  if (response.uid !== uid)
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? "")}`);
  const result: JsonObject = isJsonObject(response.result) ? response.result : {};
  if (result.status !== "Success") {
    if (typeof result.message === "string" && result.message !== "") throw new Error(result.message);
    throw new Error(`response.result.status was '${String(result.status ?? "")}', not 'Success'`);
  }
  return Array.isArray(response.convertedObjects) ? response.convertedObjects : [];
}
