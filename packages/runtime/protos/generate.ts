/**
 * Writes `src/containerd/generated/*.ts` from the `.proto` files beside it: for each message that the methods below
 * need, a TypeScript interface and a table of its fields; for each service, its methods.
 *
 * Run it with `node packages/runtime/protos/generate.ts` after a change of the list or of a `.proto` file.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";

/** Methods the runtime calls, and messages that travel inside `Any`. */
const wanted: Readonly<Record<string, readonly string[]>> = {
  "runtime.v1.RuntimeService": [
    "Version",
    "Status",
    "RunPodSandbox",
    "StopPodSandbox",
    "RemovePodSandbox",
    "PodSandboxStatus",
    "ListPodSandbox",
    "CreateContainer",
    "StartContainer",
    "StopContainer",
    "RemoveContainer",
    "ListContainers",
    "ContainerStatus",
    "UpdateContainerResources",
    "ReopenContainerLog",
    "ExecSync",
    "Exec",
    "Attach",
    "PortForward",
    "ListContainerStats",
  ],
  "runtime.v1.ImageService": ["ListImages", "ImageStatus", "PullImage", "RemoveImage", "ImageFsInfo"],
  "containerd.services.containers.v1.Containers": ["Get"],
  "containerd.services.images.v1.Images": ["Get", "List", "Create", "Update", "Delete"],
  "containerd.services.tasks.v1.Tasks": [
    "Exec",
    "Start",
    "Kill",
    "Wait",
    "ResizePty",
    "CloseIO",
    "DeleteProcess",
    "Get",
  ],
  "containerd.services.snapshots.v1.Snapshots": ["Prepare", "View", "Commit", "Stat", "Remove"],
  "containerd.services.content.v1.Content": ["Info", "Update", "Write", "Abort", "Read"],
  "containerd.services.events.v1.Events": ["Subscribe"],
  "containerd.services.leases.v1.Leases": ["Create", "Delete"],
  "containerd.services.diff.v1.Diff": ["Apply"],
};
const wantedMessages: readonly string[] = [
  "containerd.events.ContainerCreate",
  "containerd.events.ContainerDelete",
  "containerd.events.TaskStart",
  "containerd.events.TaskDelete",
  "containerd.events.TaskExit",
  "containerd.events.TaskOOM",
];

const folder = import.meta.dirname;
const output = join(folder, "../src/containerd/generated");
const sources = [
  "cri/v1/api.proto",
  ...["container", "task"].map((name) => `containerd/events/${name}.proto`),
  ...["containers", "images", "tasks", "snapshots", "content", "events", "leases", "diff"].map(
    (name) => `containerd/services/${name}/v1/${name}.proto`,
  ),
];

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => {
  if (target.startsWith("google/protobuf/") && target !== "google/protobuf/descriptor.proto") return target;
  // Options for Go's code generator: nothing on the wire.
  if (/gogo|fieldpath|descriptor\.proto$/.test(target) && !target.includes("api/types")) return null;
  return join(folder, target.replace("github.com/containerd/containerd/api/", "containerd/"));
};
root.loadSync(sources, { keepCase: false });
root.resolveAll();

const nameOf = (object: protobuf.ReflectionObject): string => object.fullName.replace(/^\./, "");
const packageOf = (object: protobuf.ReflectionObject): string => {
  let parent = object.parent;
  while (parent instanceof protobuf.Type) parent = parent.parent;
  return parent === null ? "" : nameOf(parent);
};
const fileOf = (pack: string): string => `${pack.replaceAll(".", "-")}.ts`;
/** Nested messages carry the name of the one around them. */
const symbolOf = (type: protobuf.ReflectionObject): string =>
  nameOf(type)
    .slice(packageOf(type).length + 1)
    .replaceAll(".", "");

const messages = new Map<string, protobuf.Type>();
function collect(type: protobuf.Type): void {
  if (messages.has(nameOf(type))) return;
  messages.set(nameOf(type), type);
  for (const field of type.fieldsArray) if (field.resolvedType instanceof protobuf.Type) collect(field.resolvedType);
}

const services = Object.entries(wanted).map(([name, methods]) => {
  const service = root.lookupService(name);
  return { service, methods: methods.map((method) => service.methods[method] ?? fail(`${name}.${method}`)) };
});
function fail(what: string): never {
  throw new Error(`there is no ${what}`);
}
for (const { methods } of services) {
  for (const method of methods) {
    method.resolve();
    if (method.resolvedRequestType) collect(method.resolvedRequestType);
    if (method.resolvedResponseType) collect(method.resolvedResponseType);
  }
}
for (const name of wantedMessages) collect(root.lookupType(name));

const numeric = new Set([
  "int32",
  "uint32",
  "int64",
  "uint64",
  "double",
  "float",
  "sint32",
  "sint64",
  "fixed32",
  "fixed64",
]);

interface Written {
  readonly uses: Map<string, Set<string>>;
  readonly lines: string[];
}
const files = new Map<string, Written>();
const fileFor = (pack: string): Written => {
  const written = files.get(pack) ?? { uses: new Map<string, Set<string>>(), lines: [] };
  files.set(pack, written);
  return written;
};
function use(file: Written, from: string, type: protobuf.ReflectionObject): string {
  const pack = packageOf(type);
  if (pack !== from) file.uses.set(pack, (file.uses.get(pack) ?? new Set()).add(symbolOf(type)));
  return symbolOf(type);
}

function valueType(field: protobuf.FieldBase, file: Written, pack: string): string {
  if (field.resolvedType instanceof protobuf.Type) return use(file, pack, field.resolvedType);
  if (field.resolvedType instanceof protobuf.Enum || numeric.has(field.type)) return "number";
  if (field.type === "bool") return "boolean";
  return field.type === "bytes" ? "Uint8Array" : "string";
}

function writeMessage(type: protobuf.Type): void {
  const pack = packageOf(type);
  const file = fileFor(pack);
  const rows: string[] = [];
  file.lines.push("", `/** \`${nameOf(type)}\` */`, `export interface ${symbolOf(type)} {`);
  for (const field of type.fieldsArray) {
    const one = valueType(field, file, pack);
    const isMessage = field.resolvedType instanceof protobuf.Type;
    const kind = isMessage ? "message" : field.resolvedType instanceof protobuf.Enum ? "int32" : field.type;
    const map = field instanceof protobuf.MapField;
    const shape = map ? "map" : field.repeated ? "list" : "one";
    const typed = map
      ? `Readonly<Record<string, ${one}>>`
      : field.repeated
        ? `readonly ${one}[]`
        : isMessage
          ? `${one} | undefined`
          : one;
    file.lines.push(`  readonly ${field.name}: ${typed};`);
    rows.push(`  [${field.id}, "${field.name}", "${kind}", "${shape}"${isMessage ? `, ${one}` : ""}],`);
  }
  file.lines.push(
    "}",
    `export const ${symbolOf(type)}: MessageType<${symbolOf(type)}> = message(() => [`,
    ...rows,
    "]);",
  );
}

function writeEnums(): void {
  const enums = new Set<protobuf.Enum>();
  for (const type of messages.values()) {
    for (const field of type.fieldsArray)
      if (field.resolvedType instanceof protobuf.Enum) enums.add(field.resolvedType);
  }
  for (const one of enums) {
    const file = fileFor(packageOf(one));
    file.lines.push("", `/** \`${nameOf(one)}\` */`, `export const ${symbolOf(one)} = {`);
    for (const [name, value] of Object.entries(one.values)) file.lines.push(`  ${name}: ${value},`);
    file.lines.push("} as const;");
  }
}

function writeService(service: protobuf.Service, methods: readonly protobuf.Method[]): void {
  const pack = packageOf(service);
  const file = fileFor(pack);
  file.lines.push("", `/** \`${nameOf(service)}\` */`, `export const ${service.name} = {`);
  for (const method of methods) {
    const request = method.resolvedRequestType ? use(file, pack, method.resolvedRequestType) : "";
    const response = method.resolvedResponseType ? use(file, pack, method.resolvedResponseType) : "";
    const name = method.name.charAt(0).toLowerCase() + method.name.slice(1);
    file.lines.push(`  ${name}: method("/${nameOf(service)}/${method.name}", ${request}, ${response}),`);
  }
  file.lines.push("};");
}

for (const type of messages.values()) writeMessage(type);
writeEnums();
for (const { service, methods } of services) writeService(service, methods);

rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
for (const [pack, { uses, lines }] of files) {
  const needs = lines.some((line) => line.includes(": method("))
    ? "type MessageType, message, method"
    : "type MessageType, message";
  const head = [
    "// Written by protos/generate.ts from the .proto files; do not edit.",
    `import { ${needs} } from "@skiff/grpc";`,
  ];
  for (const [other, names] of uses) head.push(`import { ${[...names].join(", ")} } from "./${fileOf(other)}";`);
  writeFileSync(join(output, fileOf(pack)), `${[...head, ...lines].join("\n")}\n`);
}
process.stdout.write(
  `${messages.size} messages in ${files.size} files; ${readFileSync(join(output, "runtime-v1.ts")).length} bytes the largest\n`,
);
