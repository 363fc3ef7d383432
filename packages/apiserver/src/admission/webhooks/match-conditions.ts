import type { MutatingWebhook, ValidatingWebhook } from "@skiff/api";
import type { AdmissionRequest } from "../../contracts.ts";
import type { Match } from "../matching/request-matcher.ts";
import type { Candidate } from "./configured-webhooks.ts";

/** Decides whether a webhook's `matchConditions` hold for a request. Throws 403 where that cannot be told and failing is its policy. */
export interface MatchConditions {
  hold(
    candidate: Candidate<MutatingWebhook | ValidatingWebhook>,
    on: { readonly request: AdmissionRequest; readonly match: Match; readonly type: "admit" | "validating" },
  ): boolean | Promise<boolean>;
}
