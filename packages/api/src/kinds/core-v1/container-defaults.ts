import type {
  Container,
  ContainerPort,
  EphemeralContainer,
  HTTPGetAction,
  LifecycleHandler,
  Probe,
} from "../../generated/types/core-v1.ts";
import { defaultImagePullPolicy } from "../image-pull-policy.ts";

/** Fills in a container of any sort. */
export function defaultContainer(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ||= defaultImagePullPolicy(container.image);
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  container.resources ??= {};
  for (const port of container.ports ?? []) port.protocol ||= "TCP";
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= "v1";
    if (valueFrom?.resourceFieldRef) valueFrom.resourceFieldRef.divisor ??= "0";
    if (valueFrom?.fileKeyRef) valueFrom.fileKeyRef.optional ??= false;
  }
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) defaultProbe(probe);
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
}

function defaultProbe(probe: Probe | undefined): void {
  if (!probe) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.httpGet) defaultHttpGet(probe.httpGet);
  if (probe.grpc) probe.grpc.service ??= "";
}

function defaultHandler(handler: LifecycleHandler | undefined): void {
  if (handler?.httpGet) defaultHttpGet(handler.httpGet);
}

function defaultHttpGet(action: HTTPGetAction): void {
  action.path ||= "/";
  action.scheme ||= "HTTP";
}

/** What is limited is requested as well, unless the container requests something else of it. */
export function requestWhatIsLimited({ resources }: Pick<Container, "resources">): void {
  if (!resources?.limits) return;
  resources.requests = { ...resources.limits, ...resources.requests };
}

/** In the host's network a container's port is the host's port. */
export function hostPortsAsContainerPorts(ports: readonly ContainerPort[] | undefined): void {
  for (const port of ports ?? []) port.hostPort ||= port.containerPort;
}
