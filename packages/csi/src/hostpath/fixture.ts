import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@skiff/base";
import { type Mounts, systemProcesses } from "@skiff/host";
import { CsiClient } from "../csi-client.ts";
import { accessMode, controllerService } from "../services.ts";
import { startHostpathDriver } from "./driver.ts";

export const writer = { mount: {}, accessMode: { mode: accessMode.singleNodeWriter } };

/** A driver in a folder of its own, spoken to through its socket. */
export class DriverFixture implements AsyncDisposable {
  readonly folder: string;
  readonly client: CsiClient;
  readonly signal = new AbortController().signal;
  readonly #driver: AsyncDisposable;
  readonly #mounts: Mounts | undefined;

  private constructor(folder: string, driver: AsyncDisposable, mounts: Mounts | undefined) {
    this.folder = folder;
    this.#driver = driver;
    this.#mounts = mounts;
    this.client = new CsiClient(this.socket, systemClock);
  }

  static async start(mounts: Mounts | undefined, nfsPort?: number): Promise<DriverFixture> {
    const folder = await mkdtemp(join(tmpdir(), "skiff-csi-"));
    const driver = await startHostpathDriver({
      nodeName: "node-1",
      root: join(folder, "root"),
      socket: join(folder, "csi.sock"),
      registrationSocket: join(folder, "reg.sock"),
      version: "test",
      processes: systemProcesses,
      mounts,
      clock: systemClock,
      ...(nfsPort === undefined ? {} : { nfsPort }),
    });
    return new DriverFixture(folder, driver, mounts);
  }

  get socket(): string {
    return join(this.folder, "csi.sock");
  }

  create(name: string, more: object = {}) {
    const request = { name, volumeCapabilities: [writer], capacityRange: { requiredBytes: 16 * 1024 ** 2 }, ...more };
    return this.client.call(controllerService.createVolume, request, this.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]();
    await this.#driver[Symbol.asyncDispose]();
    await this.#mounts?.unmountBelow(this.folder, this.signal);
    await rm(this.folder, { recursive: true });
  }
}
