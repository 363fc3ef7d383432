import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseBlkio, parseFields, parseIoStat } from "./cgroup-counters.ts";
import { parseDefaultInterface, parseNetDev } from "./interface-counters.ts";

describe("the kernel's counters", () => {
  it("of interfaces, the loopback left out", () => {
    const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
  eth0: 1234567      89    1    2    0     0          0         0     7654      32    3    4    0     0       0          0
`;
    assert.deepEqual(parseNetDev(text), [
      {
        name: "eth0",
        received: { bytes: 1_234_567, packets: 89, errors: 1, dropped: 2 },
        sent: { bytes: 7654, packets: 32, errors: 3, dropped: 4 },
      },
    ]);
    assert.deepEqual(parseNetDev(""), []);
    const routes = "Iface\tDestination\tGateway\nbr0\t002A0A0A\t00000000\neth0\t00000000\t0100000A\n";
    assert.equal(parseDefaultInterface(routes), "eth0");
  });

  it("of disks, in both versions of control groups", () => {
    const v2 = "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n8:16 rbytes=5 wbytes=0 rios=1 wios=0\n";
    assert.deepEqual(parseIoStat(v2), { reads: 2, writes: 2, readBytes: 15, writtenBytes: 20 });
    const v1 = "8:0 Read 10\n8:0 Write 20\n8:0 Total 30\n8:16 Read 5\nTotal 35\n";
    assert.deepEqual([parseBlkio(v1, "Read"), parseBlkio(v1, "Write"), parseBlkio("", "Read")], [15, 20, 0]);
  });

  it("of other things, by name", () => {
    assert.deepEqual(
      [...parseFields("nr_periods 3\noom_kill 1\n")],
      [
        ["nr_periods", 3],
        ["oom_kill", 1],
      ],
    );
  });
});
