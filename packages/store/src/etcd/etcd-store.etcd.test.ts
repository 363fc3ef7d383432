import { systemClock, systemRandom } from "@skiff/base";
import { storeConformance } from "../conformance.ts";
import { EtcdProcess } from "./fixtures/etcd-process.ts";
import { openEtcdStore } from "./open.ts";

const open = async (folder: string, prefix: string) => {
  const etcd = await EtcdProcess.start({ folder });
  const store = await openEtcdStore({ endpoints: [etcd.url], prefix, clock: systemClock, random: systemRandom });
  const close = store[Symbol.asyncDispose].bind(store);
  return Object.assign(store, {
    [Symbol.asyncDispose]: async () => {
      await close();
      await etcd[Symbol.asyncDispose]();
    },
  });
};

storeConformance("etcd", ({ folder }) => open(folder, "/clusters/ä"), { remote: true });
