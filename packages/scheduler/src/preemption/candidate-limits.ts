/** How many nodes are tried out: the share or the number, whichever is more. */
export interface CandidateLimits {
  readonly minCandidateNodesPercentage: number;
  readonly minCandidateNodesAbsolute: number;
}

/** Kubernetes' own limits. */
export const defaultCandidateLimits: CandidateLimits = {
  minCandidateNodesPercentage: 10,
  minCandidateNodesAbsolute: 100,
};
