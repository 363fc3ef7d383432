import { type DeviceSelector, type FieldError, fieldError, type ResourceClaimSpec } from "@skiff/api";
import { compileDeviceSelector } from "@skiff/cel";

/** A list of selectors and where it stands. */
export type PlacedSelectors = readonly [field: string, selectors: readonly DeviceSelector[] | undefined];

/** Every list of selectors in the spec of a claim, which stands at `field`. */
export const selectorsOfClaim = (field: string, spec: ResourceClaimSpec | undefined): readonly PlacedSelectors[] =>
  (spec?.devices?.requests ?? []).flatMap(({ exactly, firstAvailable = [] }, index): PlacedSelectors[] => {
    const request = `${field}.devices.requests[${index}]`;
    return [
      [`${request}.exactly.selectors`, exactly?.selectors],
      ...firstAvailable.map(
        ({ selectors }, at): PlacedSelectors => [`${request}.firstAvailable[${at}].selectors`, selectors],
      ),
    ];
  });

const expressionsIn = (placed: readonly PlacedSelectors[]): string[] =>
  placed.flatMap(([, selectors = []]) => selectors.map(({ cel }) => cel?.expression ?? ""));

/** Expressions that do not compile; those that were stored before are left as they are. */
export function deviceSelectorFindings(
  placed: readonly PlacedSelectors[],
  stored: readonly PlacedSelectors[],
): readonly FieldError[] {
  const known = new Set(expressionsIn(stored));
  return placed.flatMap(([field, selectors = []]) =>
    selectors.flatMap(({ cel }, index) => {
      const source = cel?.expression ?? "";
      if (source === "" || known.has(source)) return [];
      const compiled = compileDeviceSelector(source);
      if (compiled.kind === "program") return [];
      return [fieldError.invalid(`${field}[${index}].cel.expression`, source, compiled.message)];
    }),
  );
}
