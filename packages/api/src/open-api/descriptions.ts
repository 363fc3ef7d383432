/**
 * Prose for the published documents: by short name of the definition (`core.v1.Pod`), then by the field's name; the empty name is
 * the definition's own text.
 */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What there is where nothing was made: the server works without. */
export const noDescriptions: Descriptions = {};

/** A member that says what something is for, where that is known. */
export function describedBy(
  descriptions: Descriptions,
  definition: string,
  field: string,
): { readonly description?: string } {
  const texts = Object.hasOwn(descriptions, definition) ? descriptions[definition] : undefined;
  const description = texts !== undefined && Object.hasOwn(texts, field) ? texts[field] : undefined;
  return description === undefined ? {} : { description };
}
