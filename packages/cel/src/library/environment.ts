import { collectionFunctions } from "./collections.ts";
import { encodingFunctions } from "./encodings.ts";
import { addressFunctions } from "./kubernetes/address.ts";
import { authorizerFunctions } from "./kubernetes/authorizer.ts";
import { formatLibrary } from "./kubernetes/formats.ts";
import { quantityFunctions } from "./kubernetes/quantity.ts";
import { semverFunctions } from "./kubernetes/semver.ts";
import { urlFunctions } from "./kubernetes/url.ts";
import { mathFunctions } from "./math.ts";
import { optionals } from "./optionals.ts";
import { type FunctionTable, functionTable } from "./overload.ts";
import { arithmetic } from "./standard/arithmetic.ts";
import { comparisons } from "./standard/compare.ts";
import { conversions } from "./standard/conversions.ts";
import { core } from "./standard/core.ts";
import { timeParts } from "./standard/time-parts.ts";
import { formatFunctions } from "./strings/format.ts";
import { textFunctions } from "./strings/text-functions.ts";

/** Every function that Kubernetes' expressions can call. */
export const kubernetesFunctions: FunctionTable = functionTable(
  core,
  arithmetic,
  comparisons,
  conversions,
  timeParts,
  optionals,
  textFunctions,
  formatFunctions,
  collectionFunctions,
  encodingFunctions,
  mathFunctions,
  urlFunctions,
  addressFunctions,
  quantityFunctions,
  semverFunctions,
  formatLibrary,
  authorizerFunctions,
);
