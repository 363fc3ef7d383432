import type { Service } from "@skiff/api";

const envName = (name: string): string => name.toUpperCase().replaceAll(/[^A-Z0-9_]/g, "_");

/** The variables that announce one Service, as Docker's container links once did. */
export function serviceVariables(service: Service): Readonly<Record<string, string>> {
  const ip = service.spec.clusterIP ?? "";
  const ports = service.spec.ports ?? [];
  const [first] = ports;
  if (ip === "" || ip === "None" || first === undefined) return {};
  const host = ip.includes(":") ? `[${ip}]` : ip;
  const prefix = envName(service.metadata.name);
  const variables: Record<string, string> = {
    [`${prefix}_SERVICE_HOST`]: ip,
    [`${prefix}_SERVICE_PORT`]: String(first.port),
  };
  for (const { name, port } of ports) {
    if (name !== undefined && name !== "") variables[`${prefix}_SERVICE_PORT_${envName(name)}`] = String(port);
  }
  const url = (port: number, protocol: string) => `${protocol.toLowerCase()}://${host}:${port}`;
  variables[`${prefix}_PORT`] = url(first.port, first.protocol ?? "TCP");
  for (const { port, protocol = "TCP" } of ports) {
    const one = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
    variables[one] = url(port, protocol);
    variables[`${one}_PROTO`] = protocol.toLowerCase();
    variables[`${one}_PORT`] = String(port);
    variables[`${one}_ADDR`] = ip;
  }
  return variables;
}

/** What a pod is told of Services: always the API's own, and where the pod wants it those of its namespace. */
export function serviceEnvironment(
  services: readonly Service[],
  pod: { readonly namespace: string; readonly enableServiceLinks: boolean },
): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  const told = (service: Service) => {
    const { name, namespace } = service.metadata;
    if (namespace === "default" && name === "kubernetes") return true;
    return pod.enableServiceLinks && namespace === pod.namespace;
  };
  for (const service of services) if (told(service)) Object.assign(variables, serviceVariables(service));
  return variables;
}
