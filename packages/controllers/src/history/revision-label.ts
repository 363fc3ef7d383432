/** On a StatefulSet's pods the name of their revision, on a DaemonSet's (and its revisions) the template's hash. */
export const revisionLabel = "controller-revision-hash";
