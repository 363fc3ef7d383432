import type { JsonObject } from "@skiff/base";
import type { DynamicObject } from "../../object.ts";
import { objectIn, objectsIn, rename } from "./members.ts";
import type { OldForm } from "./removed-version.ts";

/** Every backend of the rules. */
const backends = (spec: JsonObject): readonly JsonObject[] =>
  objectsIn(spec, "rules")
    .flatMap((rule) => objectsIn(objectIn(rule, "http"), "paths"))
    .map((path) => objectIn(path, "backend"));

function backendToToday(backend: JsonObject): void {
  const { serviceName, servicePort } = backend;
  delete backend.serviceName;
  delete backend.servicePort;
  if (serviceName === undefined && servicePort === undefined) return;
  const port = typeof servicePort === "number" ? { number: servicePort } : { name: servicePort ?? "" };
  backend.service = { name: serviceName ?? "", ...(servicePort !== undefined && { port }) };
}

function backendFromToday(backend: JsonObject): void {
  if (!("service" in backend)) return;
  const service = objectIn(backend, "service");
  delete backend.service;
  if (service.name !== undefined) backend.serviceName = service.name;
  const { number, name } = objectIn(service, "port");
  const servicePort = number ?? name;
  if (servicePort !== undefined) backend.servicePort = servicePort;
}

/** `servicePort: 80` is `service.port.number` today, `backend` of the spec `defaultBackend`. */
export const oldIngress: OldForm = {
  schema: "extensions.v1beta1.Ingress",
  defaults(ingress) {
    for (const rule of objectsIn(objectIn(ingress, "spec"), "rules")) {
      for (const path of objectsIn(objectIn(rule, "http"), "paths")) path.pathType ||= "ImplementationSpecific";
    }
  },
  toToday(ingress: DynamicObject) {
    const spec = objectIn(ingress, "spec");
    backendToToday(objectIn(spec, "backend"));
    backends(spec).forEach(backendToToday);
    rename(spec, "backend", "defaultBackend");
    return ingress;
  },
  fromToday(ingress: DynamicObject) {
    const spec = objectIn(ingress, "spec");
    rename(spec, "defaultBackend", "backend");
    backendFromToday(objectIn(spec, "backend"));
    backends(spec).forEach(backendFromToday);
    return ingress;
  },
};
