import { isJsonObject } from "@skiff/base";
import { type Decoded, type FieldValidation, parseBody } from "../schema/decode.ts";
import { DecodeFailure } from "../schema/decode-failure.ts";
import { duplicateMembers } from "../schema/duplicate-keys.ts";
import { jsonTypeName } from "../schema/go-names.ts";
import { parseYamlBody } from "../schema/yaml-body.ts";
import { refusals } from "../status-error.ts";

/**
 * Reads the body of an apply request, which is YAML or JSON. `strictErrors` are keys that are said twice; unknown fields are found
 * by applying. Throws `StatusError` (400).
 */
export function parseConfiguration(text: string, fieldValidation: FieldValidation): Decoded {
  try {
    const { value, duplicates } = configurationBody(text, fieldValidation);
    if (value === null) return { value: {}, strictErrors: [] };
    if (!isJsonObject(value)) {
      throw new DecodeFailure(
        `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${jsonTypeName(value)} into Go value of type map[string]interface {}`,
      );
    }
    if (duplicates === undefined || fieldValidation === "Ignore") return { value, strictErrors: [] };
    return { value, strictErrors: [`error converting YAML to JSON: ${duplicates}`] };
  } catch (error) {
    if (error instanceof DecodeFailure) throw refusals.badRequest(`error decoding YAML: ${error.message}`);
    throw error;
  }
}

/** JSON is read as such, unless it says a key twice: only the YAML reader tells where. */
function configurationBody(text: string, fieldValidation: FieldValidation): ReturnType<typeof parseYamlBody> {
  const body = parseBody(text, "yaml");
  if (!body.isJson || fieldValidation === "Ignore" || body.duplicates !== undefined) return body;
  return duplicateMembers(text, body.value).length === 0 ? body : parseYamlBody(text);
}

/** With `Strict`, an applied configuration that says a key twice is refused, once it is known to apply. */
export const strictConfigurationError = (strictErrors: readonly string[]) =>
  refusals.badRequest(`error strict decoding YAML: ${strictErrors.join(", ")}`);
