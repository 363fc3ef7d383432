import { type FieldRow, type MessageType, message, method } from "@skiff/grpc";

/*
 * What is used of etcd's API (`etcdserverpb.KV`, `Watch`, `Lease`, and `mvccpb`), with the numbers of its .proto files.
 * https://etcd.io/docs/latest/learning/api/
 */

export interface EtcdKeyValue {
  readonly key: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly value: Uint8Array;
  readonly lease: number;
}
const EtcdKeyValue: MessageType<EtcdKeyValue> = message(() => [
  [1, "key", "bytes", "one"],
  [2, "createRevision", "int64", "one"],
  [3, "modRevision", "int64", "one"],
  [4, "version", "int64", "one"],
  [5, "value", "bytes", "one"],
  [6, "lease", "int64", "one"],
]);

/** Every answer begins with it: the store's revision when it was made. */
interface Header {
  readonly revision: number;
}
const Header: MessageType<Header> = message(() => [[3, "revision", "int64", "one"]]);
const header: FieldRow = [1, "header", "message", "one", Header];

interface Answer {
  readonly header: Header | undefined;
}

export interface RangeRequest {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly limit: number;
  readonly revision: number;
  readonly countOnly: boolean;
}
const RangeRequest: MessageType<RangeRequest> = message(() => [
  [1, "key", "bytes", "one"],
  [2, "rangeEnd", "bytes", "one"],
  [3, "limit", "int64", "one"],
  [4, "revision", "int64", "one"],
  [9, "countOnly", "bool", "one"],
]);

export interface RangeResponse extends Answer {
  readonly kvs: readonly EtcdKeyValue[];
  readonly more: boolean;
  readonly count: number;
}
const RangeResponse: MessageType<RangeResponse> = message(() => [
  header,
  [2, "kvs", "message", "list", EtcdKeyValue],
  [3, "more", "bool", "one"],
  [4, "count", "int64", "one"],
]);

interface PutRequest {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly lease: number;
}
const PutRequest: MessageType<PutRequest> = message(() => [
  [1, "key", "bytes", "one"],
  [2, "value", "bytes", "one"],
  [3, "lease", "int64", "one"],
]);

interface DeleteRangeRequest {
  readonly key: Uint8Array;
}
const DeleteRangeRequest: MessageType<DeleteRangeRequest> = message(() => [[1, "key", "bytes", "one"]]);

interface DeleteRangeResponse {
  readonly deleted: number;
}
const DeleteRangeResponse: MessageType<DeleteRangeResponse> = message(() => [[2, "deleted", "int64", "one"]]);

/** Exactly one member is set. */
export interface RequestOp {
  readonly range: RangeRequest | undefined;
  readonly put: PutRequest | undefined;
  readonly deleteRange: DeleteRangeRequest | undefined;
}
const RequestOp: MessageType<RequestOp> = message(() => [
  [1, "range", "message", "one", RangeRequest],
  [2, "put", "message", "one", PutRequest],
  [3, "deleteRange", "message", "one", DeleteRangeRequest],
]);

interface ResponseOp {
  readonly range: RangeResponse | undefined;
  readonly deleteRange: DeleteRangeResponse | undefined;
}
const ResponseOp: MessageType<ResponseOp> = message(() => [
  [1, "range", "message", "one", RangeResponse],
  [3, "deleteRange", "message", "one", DeleteRangeResponse],
]);

/** `target` 2: the mod revision. The result that must hold is equality, which is the default. */
export interface Compare {
  readonly target: number;
  readonly key: Uint8Array;
  readonly modRevision: number;
}
const Compare: MessageType<Compare> = message(() => [
  [2, "target", "int32", "one"],
  [3, "key", "bytes", "one"],
  [6, "modRevision", "int64", "one"],
]);

interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}
const TxnRequest: MessageType<TxnRequest> = message(() => [
  [1, "compare", "message", "list", Compare],
  [2, "success", "message", "list", RequestOp],
  [3, "failure", "message", "list", RequestOp],
]);

interface TxnResponse extends Answer {
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOp[];
}
const TxnResponse: MessageType<TxnResponse> = message(() => [
  header,
  [2, "succeeded", "bool", "one"],
  [3, "responses", "message", "list", ResponseOp],
]);

interface CompactionRequest {
  readonly revision: number;
}
const CompactionRequest: MessageType<CompactionRequest> = message(() => [[1, "revision", "int64", "one"]]);

const JustHeader: MessageType<Answer> = message(() => [header]);

interface WatchCreateRequest {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly startRevision: number;
  readonly progressNotify: boolean;
  readonly prevKv: boolean;
  readonly fragment: boolean;
}
const WatchCreateRequest: MessageType<WatchCreateRequest> = message(() => [
  [1, "key", "bytes", "one"],
  [2, "rangeEnd", "bytes", "one"],
  [3, "startRevision", "int64", "one"],
  [4, "progressNotify", "bool", "one"],
  [6, "prevKv", "bool", "one"],
  [8, "fragment", "bool", "one"],
]);

type Empty = Readonly<Record<string, never>>;
const Empty: MessageType<Empty> = message(() => []);

interface WatchRequest {
  readonly create: WatchCreateRequest | undefined;
  readonly progress: Empty | undefined;
}
const WatchRequest: MessageType<WatchRequest> = message(() => [
  [1, "create", "message", "one", WatchCreateRequest],
  [3, "progress", "message", "one", Empty],
]);

/** `type` 0: put, 1: delete. */
export interface EtcdEvent {
  readonly type: number;
  readonly kv: EtcdKeyValue | undefined;
  readonly prevKv: EtcdKeyValue | undefined;
}
const EtcdEvent: MessageType<EtcdEvent> = message(() => [
  [1, "type", "int32", "one"],
  [2, "kv", "message", "one", EtcdKeyValue],
  [3, "prevKv", "message", "one", EtcdKeyValue],
]);

export interface WatchResponse extends Answer {
  readonly watchId: number;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly cancelReason: string;
  /** More events of the same answer follow. */
  readonly fragment: boolean;
  readonly events: readonly EtcdEvent[];
}
const WatchResponse: MessageType<WatchResponse> = message(() => [
  header,
  [2, "watchId", "int64", "one"],
  [3, "created", "bool", "one"],
  [4, "canceled", "bool", "one"],
  [5, "compactRevision", "int64", "one"],
  [6, "cancelReason", "string", "one"],
  [7, "fragment", "bool", "one"],
  [11, "events", "message", "list", EtcdEvent],
]);

interface LeaseGrantRequest {
  readonly ttl: number;
  readonly id: number;
}
const LeaseGrantRequest: MessageType<LeaseGrantRequest> = message(() => [
  [1, "ttl", "int64", "one"],
  [2, "id", "int64", "one"],
]);

interface LeaseRequest {
  readonly id: number;
}
const LeaseRequest: MessageType<LeaseRequest> = message(() => [[1, "id", "int64", "one"]]);

interface LeaseResponse extends Answer {
  readonly id: number;
  /** Seconds; 0 for a lease that does not exist. */
  readonly ttl: number;
}
const LeaseResponse: MessageType<LeaseResponse> = message(() => [
  header,
  [2, "id", "int64", "one"],
  [3, "ttl", "int64", "one"],
]);

export const Etcd = {
  range: method("/etcdserverpb.KV/Range", RangeRequest, RangeResponse),
  txn: method("/etcdserverpb.KV/Txn", TxnRequest, TxnResponse),
  compact: method("/etcdserverpb.KV/Compact", CompactionRequest, JustHeader),
  watch: method("/etcdserverpb.Watch/Watch", WatchRequest, WatchResponse),
  leaseGrant: method("/etcdserverpb.Lease/LeaseGrant", LeaseGrantRequest, LeaseResponse),
  leaseRevoke: method("/etcdserverpb.Lease/LeaseRevoke", LeaseRequest, JustHeader),
  leaseKeepAlive: method("/etcdserverpb.Lease/LeaseKeepAlive", LeaseRequest, LeaseResponse),
};
