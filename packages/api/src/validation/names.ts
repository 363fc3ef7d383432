/**
 * Forms of names, with the messages of Kubernetes. A check gives what is wrong, nothing for a name that is right.
 * Spaces and quotes of the messages are Kubernetes' own: tools and tests compare them.
 */

const labelForm = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomainForm = `${labelForm}(\\.${labelForm})*`;
const dns1035Form = "[a-z]([-a-z0-9]*[a-z0-9])?";
const qualifiedNameForm = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const labelValueForm = `(${qualifiedNameForm})?`;
const envVarNameForm = "[-._a-zA-Z][-._a-zA-Z0-9]*";
const cIdentifierForm = "[A-Za-z_][A-Za-z0-9_]*";
const configMapKeyForm = "[-._a-zA-Z0-9]+";

const labelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const subdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const dns1035Text =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
const qualifiedNameText =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const labelValueText =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

const whole = (form: string): RegExp => new RegExp(`^(?:${form})$`);
const labelPattern = whole(labelForm);
const subdomainPattern = whole(subdomainForm);
const qualifiedNamePattern = whole(qualifiedNameForm);
const envVarNamePattern = whole(envVarNameForm);

/** A text, the examples and the expression that was used, as Kubernetes puts them together. */
export function formMessage(text: string, form: string, examples: readonly string[]): string {
  if (examples.length === 0) return `${text} (regex used for validation is '${form}')`;
  const shown = examples.map((example) => `'${example}', `).join(" or ");
  return `${text} (e.g. ${shown}regex used for validation is '${form}')`;
}

/** What is said of a text that is too long. */
export const tooLongMessage = (limit: number): string => `must be no more than ${limit} bytes`;
/** What is said of a number outside its range. */
export const rangeMessage = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`;
export const emptyMessage = "must be non-empty";

interface Form {
  readonly form: string;
  readonly text: string;
  readonly examples: readonly string[];
  readonly maxBytes: number;
}

function checkForm({ form, text, examples, maxBytes }: Form): (value: string) => string[] {
  const pattern = whole(form);
  return (value) => {
    const errors = Buffer.byteLength(value) > maxBytes ? [tooLongMessage(maxBytes)] : [];
    if (!pattern.test(value)) errors.push(formMessage(text, form, examples));
    return errors;
  };
}

const lowerLabel = checkForm({ form: labelForm, text: labelText, examples: ["my-name", "123-abc"], maxBytes: 63 });

/** `my-name`, at most 63. */
export function dnsLabel(value: string): string[] {
  const errors = lowerLabel(value);
  // A subdomain that is no label has dots: Kubernetes says that, and not the whole form.
  if (errors.length === 0 || labelPattern.test(value) || !subdomainPattern.test(value)) return errors;
  return [...errors.slice(0, -1), "must not contain dots"];
}

/** `example.com`, at most 253. */
export const dnsSubdomain = checkForm({
  form: subdomainForm,
  text: subdomainText,
  examples: ["example.com"],
  maxBytes: 253,
});
/** Like a label, but it starts with a letter. */
export const dns1035Label = checkForm({
  form: dns1035Form,
  text: dns1035Text,
  examples: ["my-name", "abc-123"],
  maxBytes: 63,
});

/** The value of a label. */
export const labelValue = checkForm({
  form: labelValueForm,
  text: labelValueText,
  examples: ["MyValue", "my_value", "12345"],
  maxBytes: 63,
});

const qualifiedPart = checkForm({
  form: qualifiedNameForm,
  text: qualifiedNameText,
  examples: ["MyName", "my.name", "123-abc"],
  maxBytes: 63,
});

/** The key of a label or annotation, a finalizer, a resource: `name` or `prefix.example.com/name`. */
export function qualifiedName(value: string): string[] {
  const parts = value.split("/");
  const errors: string[] = [];
  const name = parts.at(-1) ?? "";
  if (parts.length === 2) {
    const prefix = parts[0] ?? "";
    if (prefix === "") errors.push(`prefix part ${emptyMessage}`);
    else errors.push(...dnsSubdomain(prefix).map((message) => `prefix part ${message}`));
  } else if (parts.length > 2) {
    const message = formMessage(qualifiedNameText, qualifiedNameForm, ["MyName", "my.name", "123-abc"]);
    return [`a qualified name ${message} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  if (name === "") errors.push(`name part ${emptyMessage}`);
  else if (Buffer.byteLength(name) > 63) errors.push(`name part ${tooLongMessage(63)}`);
  if (!qualifiedNamePattern.test(name)) {
    errors.push(
      ...qualifiedPart(name)
        .slice(-1)
        .map((message) => `name part ${message}`),
    );
  }
  return errors;
}

/** The name of an environment variable: anything printable but `=`. */
export function relaxedEnvVarName(value: string): string[] {
  const errors = value === "" ? ["environment variable name must be non-empty"] : [];
  const wrong = [...value].some((character) => character < " " || character > "~" || character === "=");
  return wrong
    ? [...errors, "a valid environment variable name must consist only of printable ASCII characters other than '='"]
    : errors;
}

const hasPathSteps = (value: string): string[] => {
  if (value === ".") return ["must not be '.'"];
  if (value === "..") return ["must not be '..'"];
  return value.startsWith("..") ? ["must not start with '..'"] : [];
};

/** The name of an environment variable before Kubernetes 1.30's relaxation, and of keys that become one. */
export function envVarName(value: string): string[] {
  const text =
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit";
  const examples = ["my.env-name", "MY_ENV.NAME", "MyEnvName1"];
  const errors = envVarNamePattern.test(value) ? [] : [formMessage(text, envVarNameForm, examples)];
  return [...errors, ...hasPathSteps(value)];
}

/** A variable's name in C. */
export const cIdentifier = checkForm({
  form: cIdentifierForm,
  text: "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  examples: ["my_name", "MY_NAME", "MyName"],
  maxBytes: Number.POSITIVE_INFINITY,
});

const dataKey = checkForm({
  form: configMapKeyForm,
  text: "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  examples: ["key.name", "KEY_NAME", "key-name"],
  maxBytes: 253,
});

/** A key of a ConfigMap or Secret. */
export function configMapKey(value: string): string[] {
  return [...dataKey(value), ...hasPathSteps(value)];
}

/** A name that is one step of a path: roles and their bindings have no other rule. */
export function pathSegmentName(name: string, prefix: boolean): string[] {
  if (!prefix && (name === "." || name === "..")) return [`may not be '${name}'`];
  return ["/", "%"].filter((step) => name.includes(step)).map((step) => `may not contain '${step}'`);
}

/** A prefix for generated names may end in a dash: the check is of what will follow. */
const withoutTrailingDash = (name: string): string => (name.endsWith("-") ? `${name.slice(0, -2)}a` : name);

const forNames =
  (check: (value: string) => string[]) =>
  (name: string, prefix: boolean): string[] =>
    check(prefix ? withoutTrailingDash(name) : name);

/** Names of most kinds. */
export const dnsSubdomainName = forNames(dnsSubdomain);
export const dnsLabelName = forNames(dnsLabel);
export const dns1035LabelName = forNames(dns1035Label);
