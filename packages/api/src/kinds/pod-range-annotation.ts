/**
 * On nodes whose agents look after their pods' network: the range of addresses that the node would like for its pods, since
 * its pods or its machine's other clusters have it so.
 */
export const podRangeAnnotation = "skiff.dev/pod-cidr";
