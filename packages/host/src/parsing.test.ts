import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cgroupLayout } from "./cgroup-layout.ts";
import { cgroupWrites, cpuWeight } from "./cgroups.ts";
import { defaultRouteLink, refusedRoutes } from "./links.ts";
import { isWithin, parseMountInfo } from "./mounts.ts";
import { checkTransaction, NftablesError, transactionLimitLines } from "./nftables.ts";
import { installCommand, parseOsRelease } from "./packages.ts";

describe("mountinfo", () => {
  it("is read with its escapes and propagation", () => {
    const text =
      "36 35 98:0 /a\\040b /mnt/my\\040disk rw,noatime shared:1 - ext4 /dev/sda1 rw,errors=continue\n37 36 0:5 / /x rw master:2 - tmpfs tmpfs rw\n";
    const [first, second] = parseMountInfo(text);
    assert.deepEqual(first, {
      id: 36,
      parentId: 35,
      root: "/a b",
      target: "/mnt/my disk",
      options: ["rw", "noatime"],
      fileSystem: "ext4",
      source: "/dev/sda1",
      superOptions: ["rw", "errors=continue"],
      propagation: "shared",
    });
    assert.equal(second?.propagation, "slave");
  });

  it("knows what lies below a folder", () => {
    assert.deepEqual(
      [isWithin("/a/b", "/a"), isWithin("/a", "/a"), isWithin("/ab", "/a"), isWithin("/a", "/")],
      [true, true, false, true],
    );
  });
});

describe("control groups", () => {
  const v1 =
    "30 25 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n31 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
  const v2 = "40 25 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";
  const hybrid = `${v1}40 25 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n`;

  it("are found as they are mounted", () => {
    const layouts = [v1, v2, hybrid].map((text) => cgroupLayout(text, () => ["cpu", "memory", "pids"]));
    assert.deepEqual(
      layouts.map(({ kind }) => kind),
      ["v1", "v2", "hybrid"],
    );
    assert.deepEqual(
      layouts.map(({ controllers }) => controllers.get("cpu")),
      ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup", "/sys/fs/cgroup/cpu"],
    );
    assert.deepEqual(layouts[2]?.roots, ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified"]);
  });

  it("take their limits in the words of their version", () => {
    const limits = { cpuShares: 512, cpuQuotaUs: 50_000, memoryLimitBytes: -1, pids: 100 };
    const written = (kind: "v1" | "v2") => cgroupWrites(kind, limits).map(({ file, value }) => `${file}=${value}`);
    assert.deepEqual(written("v1"), [
      ...[
        "cpu.shares=512",
        "cpu.cfs_period_us=100000",
        "cpu.cfs_quota_us=50000",
        "memory.limit_in_bytes=-1",
        "pids.max=100",
      ],
    ]);
    assert.deepEqual(written("v2"), ["cpu.weight=20", "cpu.max=50000 100000", "memory.max=max", "pids.max=100"]);
  });

  it("convert shares to weights over the whole range", () => {
    assert.deepEqual([2, 1024, 262_144, 0, 1e9].map(cpuWeight), [1, 39, 10_000, 1, 10_000]);
  });
});

describe("the default route", () => {
  const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
  it("is the one that is up with the lowest metric", () => {
    const lines = [
      "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0",
      "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0",
      "eth1\t00000000\t0101A8C0\t0002\t0\t0\t1\t00000000\t0\t0\t0",
      "eth2\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    ];
    assert.equal(defaultRouteLink(head + lines.join("\n")), "eth0");
    assert.equal(defaultRouteLink(head), undefined);
  });
});

describe("an nftables transaction", () => {
  it("is refused when it is too large", () => {
    checkTransaction("line\n".repeat(transactionLimitLines));
    assert.throws(
      () => checkTransaction("line\n".repeat(transactionLimitLines + 1)),
      (error) => error instanceof NftablesError && error.code === "TRANSACTION_TOO_LARGE",
    );
  });
});

describe("the command that installs packages", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    [
      'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"',
      "sudo apt-get install -y --no-install-recommends containernetworking-plugins iproute2",
    ],
    [
      'ID=linuxmint\nID_LIKE="ubuntu debian"',
      "sudo apt-get install -y --no-install-recommends containernetworking-plugins iproute2",
    ],
    ["ID=fedora", "sudo dnf install -y containernetworking-plugins iproute"],
    ['ID="opensuse-leap"\nID_LIKE="suse opensuse"', "sudo zypper install -y cni-plugins iproute2"],
    ["ID=arch", "sudo pacman -S --needed --noconfirm cni-plugins iproute2"],
    ["ID=alpine", "sudo apk add cni-plugins iproute2"],
    ["ID=plan9", undefined],
  ];
  for (const [text, command] of cases) {
    it(text.split("\n")[0] ?? "", () => {
      assert.equal(installCommand(["cni-plugins", "iproute2"], parseOsRelease(text)), command);
    });
  }
});

describe("refusedRoutes", () => {
  const add = (n: number) => ({ kind: "add", route: { destination: `10.0.${n}.0/24` } }) as const;
  const remove = (n: number) => ({ kind: "remove", route: { destination: `10.0.${n}.0/24` } }) as const;

  it("finds the changes that failed by their lines, but not what was gone already", () => {
    const stderr = [
      "RTNETLINK answers: File exists",
      "Command failed -:2",
      "RTNETLINK answers: No such process",
      "Command failed -:3",
      "Error: Nexthop has invalid gateway.",
      "Command failed -:4",
      "",
    ].join("\n");
    assert.deepEqual(refusedRoutes([add(1), add(2), remove(3), add(4)], stderr), [
      { change: add(2), words: "RTNETLINK answers: File exists" },
      { change: add(4), words: "Error: Nexthop has invalid gateway." },
    ]);
    assert.deepEqual(refusedRoutes([add(1)], ""), []);
  });
});
