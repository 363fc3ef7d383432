/** gRPC on Node's own HTTP/2 and Protocol Buffers by tables: what containerd, etcd and storage drivers are spoken to with. */
export { type FieldRow, type Init, type MessageType, type Method, message, method } from "./codec.ts";
export {
  type CallOptions,
  type ChannelOptions,
  codes,
  type Duplex,
  GrpcChannel,
  type GrpcCode,
  type GrpcEndpoint,
} from "./grpc-channel.ts";
export { GrpcServer, GrpcStatus, rpcError, type Served, serve, serveStream } from "./grpc-server.ts";
