/** The messages and services of drivers for claims (`dra.v1`, and `v1beta1`, which is the same), by their published field numbers. */
import { type MessageType, message, method } from "@skiff/grpc";

/** A claim that a driver is to deal with. */
export interface DriverClaim {
  readonly namespace: string;
  readonly uid: string;
  readonly name: string;
}
export const DriverClaim: MessageType<DriverClaim> = message(() => [
  [1, "namespace", "string", "one"],
  [2, "uid", "string", "one"],
  [3, "name", "string", "one"],
]);

export interface DriverClaims {
  readonly claims: readonly DriverClaim[];
}
export const DriverClaims: MessageType<DriverClaims> = message(() => [[1, "claims", "message", "list", DriverClaim]]);

/** A device that was made ready, and by which names containers get it. */
export interface PreparedDevice {
  /** Requests that it is for; none: all of the claim's. */
  readonly requestNames: readonly string[];
  readonly poolName: string;
  readonly deviceName: string;
  readonly cdiDeviceIds: readonly string[];
  readonly shareId: string;
}
export const PreparedDevice: MessageType<PreparedDevice> = message(() => [
  [1, "requestNames", "string", "list"],
  [2, "poolName", "string", "one"],
  [3, "deviceName", "string", "one"],
  [4, "cdiDeviceIds", "string", "list"],
  [5, "shareId", "string", "one"],
]);

export interface PreparedClaim {
  readonly devices: readonly PreparedDevice[];
  readonly error: string;
}
export const PreparedClaim: MessageType<PreparedClaim> = message(() => [
  [1, "devices", "message", "list", PreparedDevice],
  [2, "error", "string", "one"],
]);

export interface PrepareResponse {
  readonly claims: Readonly<Record<string, PreparedClaim>>;
}
export const PrepareResponse: MessageType<PrepareResponse> = message(() => [
  [1, "claims", "message", "map", PreparedClaim],
]);

export interface UnpreparedClaim {
  readonly error: string;
}
export const UnpreparedClaim: MessageType<UnpreparedClaim> = message(() => [[1, "error", "string", "one"]]);

export interface UnprepareResponse {
  readonly claims: Readonly<Record<string, UnpreparedClaim>>;
}
export const UnprepareResponse: MessageType<UnprepareResponse> = message(() => [
  [1, "claims", "message", "map", UnpreparedClaim],
]);

const service = (version: string) => {
  const path = `/k8s.io.kubelet.pkg.apis.dra.${version}.DRAPlugin`;
  return {
    prepare: method(`${path}/NodePrepareResources`, DriverClaims, PrepareResponse),
    unprepare: method(`${path}/NodeUnprepareResources`, DriverClaims, UnprepareResponse),
  };
};

/** The services by what drivers say they support, the newest first. */
export const claimServices = [
  { name: "v1.DRAPlugin", ...service("v1") },
  { name: "v1beta1.DRAPlugin", ...service("v1beta1") },
] as const;
