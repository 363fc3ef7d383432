/**
 * The program that holds a pod's namespaces: it waits, and reaps what is left to it where containers share the pod's
 * process namespace. Written here as machine code so that no image has to come from a registry: a static ELF file
 * with one segment.
 */

const rtSigaction = { x64: 13, arm64: 134 };
const signals = { interrupt: 2, terminate: 15, child: 17 };

/** Little-endian bytes. */
const le = (bytes: number, ...values: readonly number[]): Buffer => {
  const buffer = Buffer.alloc(bytes * values.length);
  values.forEach((value, index) => {
    if (bytes === 8) buffer.writeBigUInt64LE(BigInt(value), index * 8);
    else buffer.writeUIntLE(value, index * bytes, bytes);
  });
  return buffer;
};

const loadAddress = 0x400000;
const headersLength = 64 + 56;

/** An ELF file around code that starts right behind the headers. */
function elf(machine: number, code: Buffer): Buffer {
  const length = headersLength + code.length;
  return Buffer.concat([
    Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    // executable, machine, version 1
    le(2, 2, machine),
    le(4, 1),
    // entry, program headers, no sections
    le(8, loadAddress + headersLength, 64, 0),
    le(4, 0),
    le(2, 64, 56, 1, 0, 0, 0),
    // one segment, loaded readable and executable
    le(4, 1, 5),
    le(8, 0, loadAddress, loadAddress, length, length, 0x10000),
    code,
  ]);
}

/**
 * x86-64. `sigaction` structures lie behind the code: SIGCHLD is ignored (the kernel then reaps by itself), SIGTERM and
 * SIGINT end the program with 0.
 */
function pauseX64(): Buffer {
  const restorer = 0x04000000;
  const setHandler = (signal: number, act: number) => (at: number) =>
    Buffer.concat([
      Buffer.from([0xb8]),
      le(4, rtSigaction.x64), // mov eax, rt_sigaction
      Buffer.from([0xbf]),
      le(4, signal), // mov edi, signal
      Buffer.from([0x48, 0x8d, 0x35]),
      le(4, act - (at + 17)), // lea rsi, [rip + act]
      Buffer.from([0x31, 0xd2]), // xor edx, edx
      Buffer.from([0x41, 0xba]),
      le(4, 8), // mov r10d, 8
      Buffer.from([0x0f, 0x05]), // syscall
    ]);
  const stepLength = 27;
  const loopAt = 3 * stepLength;
  const loop = Buffer.from([0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7]); // pause(); again
  const exitAt = loopAt + loop.length;
  const exit = Buffer.from([0x31, 0xff, 0xb8, 231, 0, 0, 0, 0x0f, 0x05]); // exit_group(0)
  const ignoreAt = exitAt + exit.length;
  const endAt = ignoreAt + 32;
  const steps = [
    setHandler(signals.child, ignoreAt),
    setHandler(signals.terminate, endAt),
    setHandler(signals.interrupt, endAt),
  ];
  return Buffer.concat([
    ...steps.map((step, index) => step(index * stepLength)),
    loop,
    exit,
    // handler, flags, restorer (never returned through), mask
    le(8, 1, 0, 0, 0),
    le(8, loadAddress + headersLength + exitAt, restorer, 0, 0),
  ]);
}

/** aarch64. The same in its words. */
function pauseArm64(): Buffer {
  const mov = (register: number, value: number) => 0xd2800000 + value * 32 + register;
  const adr = (register: number, distance: number) =>
    0x10000000 + ((distance & 3) << 29) + (((distance >> 2) & 0x7ffff) << 5) + register;
  const call = 0xd4000001;
  const setHandler = (signal: number, act: number, at: number) => [
    mov(8, rtSigaction.arm64),
    mov(0, signal),
    adr(1, act - (at + 8)),
    mov(2, 0),
    mov(3, 8),
    call,
  ];
  const stepLength = 24;
  const loopAt = 3 * stepLength;
  // ppoll(0, 0, 0, 0); again
  const loop = [mov(0, 0), mov(1, 0), mov(2, 0), mov(3, 0), mov(4, 0), mov(8, 73), call, 0x14000000 + (-7 & 0x3ffffff)];
  const exitAt = loopAt + loop.length * 4;
  const exit = [mov(0, 0), mov(8, 94), call];
  const ignoreAt = exitAt + exit.length * 4;
  const endAt = ignoreAt + 24;
  return Buffer.concat([
    le(4, ...setHandler(signals.child, ignoreAt, 0), ...setHandler(signals.terminate, endAt, stepLength)),
    le(4, ...setHandler(signals.interrupt, endAt, 2 * stepLength), ...loop, ...exit),
    // handler, flags, mask (no restorer on this architecture)
    le(8, 1, 0, 0),
    le(8, loadAddress + headersLength + exitAt, 0, 0),
  ]);
}

/** The program for an architecture, as Node names it. Throws on others. */
export function pauseProgram(architecture: NodeJS.Architecture): Buffer {
  if (architecture === "x64") return elf(62, pauseX64());
  if (architecture === "arm64") return elf(183, pauseArm64());
  throw new Error(`there is no pause program for the architecture ${architecture}`);
}
