/** The service by which drivers for claims tell how their devices are (`v1alpha1.DRAResourceHealth`), by its published field numbers. */
import { type MessageType, message, method } from "@skiff/grpc";

interface DeviceName {
  readonly pool: string;
  readonly name: string;
}
const DeviceName: MessageType<DeviceName> = message(() => [
  [1, "pool", "string", "one"],
  [2, "name", "string", "one"],
]);

export interface ReportedHealth {
  readonly device: DeviceName | undefined;
  /** 0: unknown, 1: healthy, 2: unhealthy. */
  readonly health: number;
  /** How long this counts where it is not repeated; 0: for the usual time. */
  readonly timeoutSeconds: number;
  readonly message: string;
}
export const ReportedHealth: MessageType<ReportedHealth> = message(() => [
  [1, "device", "message", "one", DeviceName],
  [2, "health", "int32", "one"],
  [4, "timeoutSeconds", "int64", "one"],
  [5, "message", "string", "one"],
]);

interface HealthReport {
  readonly devices: readonly ReportedHealth[];
}
const HealthReport: MessageType<HealthReport> = message(() => [[1, "devices", "message", "list", ReportedHealth]]);

const Empty: MessageType<object> = message(() => []);

/** Reports until the driver ends. */
export const watchHealth = method("/v1alpha1.DRAResourceHealth/NodeWatchResources", Empty, HealthReport);
