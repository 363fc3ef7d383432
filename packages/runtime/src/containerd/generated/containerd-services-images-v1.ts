// Written by protos/generate.ts from the .proto files; do not edit.
import { type MessageType, message, method } from "@skiff/grpc";
import { Descriptor } from "./containerd-types.ts";
import { Timestamp, FieldMask, Empty } from "./google-protobuf.ts";

/** `containerd.services.images.v1.GetImageRequest` */
export interface GetImageRequest {
  readonly name: string;
}
export const GetImageRequest: MessageType<GetImageRequest> = message(() => [
  [1, "name", "string", "one"],
]);

/** `containerd.services.images.v1.GetImageResponse` */
export interface GetImageResponse {
  readonly image: Image | undefined;
}
export const GetImageResponse: MessageType<GetImageResponse> = message(() => [
  [1, "image", "message", "one", Image],
]);

/** `containerd.services.images.v1.Image` */
export interface Image {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: Descriptor | undefined;
  readonly createdAt: Timestamp | undefined;
  readonly updatedAt: Timestamp | undefined;
}
export const Image: MessageType<Image> = message(() => [
  [1, "name", "string", "one"],
  [2, "labels", "string", "map"],
  [3, "target", "message", "one", Descriptor],
  [7, "createdAt", "message", "one", Timestamp],
  [8, "updatedAt", "message", "one", Timestamp],
]);

/** `containerd.services.images.v1.ListImagesRequest` */
export interface ListImagesRequest {
  readonly filters: readonly string[];
}
export const ListImagesRequest: MessageType<ListImagesRequest> = message(() => [
  [1, "filters", "string", "list"],
]);

/** `containerd.services.images.v1.ListImagesResponse` */
export interface ListImagesResponse {
  readonly images: readonly Image[];
}
export const ListImagesResponse: MessageType<ListImagesResponse> = message(() => [
  [1, "images", "message", "list", Image],
]);

/** `containerd.services.images.v1.CreateImageRequest` */
export interface CreateImageRequest {
  readonly image: Image | undefined;
}
export const CreateImageRequest: MessageType<CreateImageRequest> = message(() => [
  [1, "image", "message", "one", Image],
]);

/** `containerd.services.images.v1.CreateImageResponse` */
export interface CreateImageResponse {
  readonly image: Image | undefined;
}
export const CreateImageResponse: MessageType<CreateImageResponse> = message(() => [
  [1, "image", "message", "one", Image],
]);

/** `containerd.services.images.v1.UpdateImageRequest` */
export interface UpdateImageRequest {
  readonly image: Image | undefined;
  readonly updateMask: FieldMask | undefined;
}
export const UpdateImageRequest: MessageType<UpdateImageRequest> = message(() => [
  [1, "image", "message", "one", Image],
  [2, "updateMask", "message", "one", FieldMask],
]);

/** `containerd.services.images.v1.UpdateImageResponse` */
export interface UpdateImageResponse {
  readonly image: Image | undefined;
}
export const UpdateImageResponse: MessageType<UpdateImageResponse> = message(() => [
  [1, "image", "message", "one", Image],
]);

/** `containerd.services.images.v1.DeleteImageRequest` */
export interface DeleteImageRequest {
  readonly name: string;
  readonly sync: boolean;
}
export const DeleteImageRequest: MessageType<DeleteImageRequest> = message(() => [
  [1, "name", "string", "one"],
  [2, "sync", "bool", "one"],
]);

/** `containerd.services.images.v1.Images` */
export const Images = {
  get: method("/containerd.services.images.v1.Images/Get", GetImageRequest, GetImageResponse),
  list: method("/containerd.services.images.v1.Images/List", ListImagesRequest, ListImagesResponse),
  create: method("/containerd.services.images.v1.Images/Create", CreateImageRequest, CreateImageResponse),
  update: method("/containerd.services.images.v1.Images/Update", UpdateImageRequest, UpdateImageResponse),
  delete: method("/containerd.services.images.v1.Images/Delete", DeleteImageRequest, Empty),
};
