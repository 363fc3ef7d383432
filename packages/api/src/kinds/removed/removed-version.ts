/**
 * Versions that Kubernetes once served and has since removed. Courses, books and old charts are full of them, so they are still
 * accepted: each is a view of today's kind, whose rules decide, and every answer carries a warning that names what to write
 * instead. They are left out of the published schemas and never preferred in discovery.
 */
import { deepCopy } from "@skiff/base";
import type { DynamicObject } from "../../object.ts";
import { apiVersionOf, type ResourceDefinition } from "../../resource-definition.ts";
import { viewColumns, viewSelectableFields } from "../view-columns.ts";

/** What of a removed version is not as in today's. */
export interface RemovedVersion {
  readonly group: string;
  readonly version: string;
  /** Minor versions of Kubernetes 1. */
  readonly deprecatedIn: number;
  readonly removedIn: number;
  /** How the old form differs; where absent, by its `apiVersion` alone. */
  readonly form?: OldForm;
}

export interface OldForm {
  /** The schema's short name: `extensions.v1beta1.Ingress`. */
  readonly schema: string;
  /** What the old version filled in otherwise than today's. Runs first, on the old form. */
  defaults?(object: DynamicObject): void;
  /** Both may change the object that they are given. */
  toToday?(object: DynamicObject): DynamicObject;
  fromToday?(object: DynamicObject): DynamicObject;
}

/** The definition of a removed version of the kind that `today` defines. */
export function removedVersion(today: ResourceDefinition, removed: RemovedVersion): ResourceDefinition {
  const { group, version, form } = removed;
  const place = { group, version };
  const toStored = (object: DynamicObject): DynamicObject => {
    const copy = form?.toToday === undefined ? object : form.toToday(deepCopy(object));
    return { ...copy, apiVersion: apiVersionOf(today) };
  };
  const fromStored = (stored: DynamicObject): DynamicObject => {
    const copy = form?.fromToday === undefined ? stored : form.fromToday(deepCopy(stored));
    return { ...copy, apiVersion: apiVersionOf(place) };
  };
  /** Lets a rule of today's kind change an object of the old form. */
  const asToday = (object: DynamicObject, rule: (object: DynamicObject) => void): void => {
    if (form?.toToday === undefined) {
      rule(object);
      return;
    }
    const changed = toStored(object);
    rule(changed);
    replaceContent(object, fromStored(changed));
  };
  const { kind } = today;
  const since = `is deprecated in v1.${removed.deprecatedIn}+, unavailable in v1.${removed.removedIn}+`;
  return {
    ...today,
    ...place,
    // Today's version alone has them: a short name must mean one resource.
    shortNames: [],
    categories: [],
    subresources: today.subresources
      .filter(({ name }) => name === "status")
      .map((subresource) => ({ ...subresource, kind: { ...place, kind } })),
    unpublished: true,
    schema: form?.schema ?? today.schema,
    storedAs: { group: today.group, version: today.version, plural: today.plural, toStored, fromStored },
    deprecationWarning: `${apiVersionOf(place)} ${kind} ${since}; use ${apiVersionOf(today)} ${kind}`,
    columns: viewColumns(today, toStored),
    selectableFields: viewSelectableFields(today, toStored, (path) => path),
    defaults(object: DynamicObject) {
      form?.defaults?.(object);
      asToday(object, (one) => today.defaults(one));
    },
    prepareCreate: (object: DynamicObject, context) => asToday(object, (one) => today.prepareCreate(one, context)),
    prepareUpdate: (object: DynamicObject, old: DynamicObject, context) =>
      asToday(object, (one) => today.prepareUpdate(one, toStored(old), context)),
    prepareStatusUpdate: (object: DynamicObject, old: DynamicObject, context) =>
      asToday(object, (one) => today.prepareStatusUpdate(one, toStored(old), context)),
    validate: (object: DynamicObject) => today.validate(toStored(object)),
    validateUpdate: (object: DynamicObject, old: DynamicObject) =>
      today.validateUpdate(toStored(object), toStored(old)),
    validateStatusUpdate: (object: DynamicObject, old: DynamicObject) =>
      today.validateStatusUpdate(toStored(object), toStored(old)),
    changesGeneration: (object: DynamicObject, old: DynamicObject) =>
      today.changesGeneration(toStored(object), toStored(old)),
  };
}

/** Gives an object the content of another. Its metadata stays the same object: whoever runs the rules holds it. */
function replaceContent(object: DynamicObject, content: DynamicObject): void {
  replaceMembers(object.metadata, content.metadata);
  replaceMembers(object, { ...content, metadata: object.metadata });
}

function replaceMembers(object: object, members: object): void {
  for (const name of Object.keys(object)) if (!(name in members)) Reflect.deleteProperty(object, name);
  Object.assign(object, members);
}
