import { type Init, type MessageType, type Method, message, method } from "@skiff/grpc";
import * as cri from "./generated/runtime-v1.ts";

/** A device of the Container Device Interface. containerd knows the field from 1.7 on; older ones do not look at it. */
interface CdiDevice {
  readonly name: string;
}
const CdiDevice: MessageType<CdiDevice> = message(() => [[1, "name", "string", "one"]]);

interface ConfigWithDevices extends cri.ContainerConfig {
  readonly cdiDevices: readonly CdiDevice[];
}
const ConfigWithDevices: MessageType<ConfigWithDevices> = message(() => [
  ...cri.ContainerConfig.fields(),
  [17, "cdiDevices", "message", "list", CdiDevice],
]);

interface Request extends Omit<cri.CreateContainerRequest, "config"> {
  readonly config: ConfigWithDevices | undefined;
}
const Request: MessageType<Request> = message(() =>
  cri.CreateContainerRequest.fields().map((row) =>
    row[1] === "config" ? [row[0], "config", "message", "one", ConfigWithDevices] : row,
  ),
);

/** `CreateContainer` with what later versions of the CRI have added to it. */
export const createContainer: Method<Request, cri.CreateContainerResponse> = method(
  cri.RuntimeService.createContainer.path,
  Request,
  cri.CreateContainerResponse,
);

export type CreateContainer = Init<Request>;

/** Whether a containerd of this version gives containers such devices itself. */
export const injectsCdiDevices = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return major > 1 || (major === 1 && minor >= 7);
};
