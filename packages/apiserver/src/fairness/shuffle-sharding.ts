import { createHash } from "node:crypto";

/** As many bits as a hash of a flow has: what a level's queues and hands may take at most. */
const hashBits = 60n;

/** The queues that a flow's requests may wait in: `handSize` different ones of `queues`, always the same for a flow. */
export function dealHand(flow: string, queues: number, handSize: number): readonly number[] {
  const digest = createHash("sha256").update(flow).digest();
  let entropy = BigInt.asUintN(Number(hashBits), digest.readBigUInt64LE(0));
  const rest = Array.from({ length: queues }, (_, at) => at);
  const hand: number[] = [];
  for (let dealt = 0; dealt < Math.min(handSize, queues); dealt++) {
    const size = BigInt(rest.length);
    const [card] = rest.splice(Number(entropy % size), 1);
    if (card !== undefined) hand.push(card);
    entropy /= size;
  }
  return hand;
}
