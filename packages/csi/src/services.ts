/** The services of the Container Storage Interface, and the one by which drivers make themselves known to the kubelet. */
import { method } from "@skiff/grpc";
import {
  ControllerExpandVolumeRequest,
  ControllerExpandVolumeResponse,
  ControllerModifyVolumeRequest,
  CreateSnapshotRequest,
  CreateSnapshotResponse,
  CreateVolumeRequest,
  CreateVolumeResponse,
  DeleteSnapshotRequest,
  DeleteVolumeRequest,
  Empty,
  GetCapacityRequest,
  GetCapacityResponse,
  ListSnapshotsRequest,
  ListSnapshotsResponse,
  PluginCapabilities,
  PluginInfo,
  ProbeResponse,
  RpcCapabilities,
} from "./messages.ts";
import {
  NodeExpandVolumeRequest,
  NodeExpandVolumeResponse,
  NodeGetInfoResponse,
  NodeGetVolumeStatsRequest,
  NodeGetVolumeStatsResponse,
  NodePublishVolumeRequest,
  NodeStageVolumeRequest,
  NodeUnpublishVolumeRequest,
  NodeUnstageVolumeRequest,
  RegisteredPlugin,
  RegistrationStatus,
} from "./node-messages.ts";
import {
  ControllerPublishVolumeRequest,
  ControllerPublishVolumeResponse,
  ControllerUnpublishVolumeRequest,
  ListVolumesRequest,
  ListVolumesResponse,
  ValidateVolumeCapabilitiesRequest,
  ValidateVolumeCapabilitiesResponse,
} from "./publish-messages.ts";

export const identityService = {
  getPluginInfo: method("/csi.v1.Identity/GetPluginInfo", Empty, PluginInfo),
  getPluginCapabilities: method("/csi.v1.Identity/GetPluginCapabilities", Empty, PluginCapabilities),
  probe: method("/csi.v1.Identity/Probe", Empty, ProbeResponse),
};

export const controllerService = {
  createVolume: method("/csi.v1.Controller/CreateVolume", CreateVolumeRequest, CreateVolumeResponse),
  deleteVolume: method("/csi.v1.Controller/DeleteVolume", DeleteVolumeRequest, Empty),
  controllerPublishVolume: method(
    "/csi.v1.Controller/ControllerPublishVolume",
    ControllerPublishVolumeRequest,
    ControllerPublishVolumeResponse,
  ),
  controllerUnpublishVolume: method(
    "/csi.v1.Controller/ControllerUnpublishVolume",
    ControllerUnpublishVolumeRequest,
    Empty,
  ),
  validateVolumeCapabilities: method(
    "/csi.v1.Controller/ValidateVolumeCapabilities",
    ValidateVolumeCapabilitiesRequest,
    ValidateVolumeCapabilitiesResponse,
  ),
  listVolumes: method("/csi.v1.Controller/ListVolumes", ListVolumesRequest, ListVolumesResponse),
  getCapacity: method("/csi.v1.Controller/GetCapacity", GetCapacityRequest, GetCapacityResponse),
  controllerGetCapabilities: method("/csi.v1.Controller/ControllerGetCapabilities", Empty, RpcCapabilities),
  createSnapshot: method("/csi.v1.Controller/CreateSnapshot", CreateSnapshotRequest, CreateSnapshotResponse),
  deleteSnapshot: method("/csi.v1.Controller/DeleteSnapshot", DeleteSnapshotRequest, Empty),
  listSnapshots: method("/csi.v1.Controller/ListSnapshots", ListSnapshotsRequest, ListSnapshotsResponse),
  controllerExpandVolume: method(
    "/csi.v1.Controller/ControllerExpandVolume",
    ControllerExpandVolumeRequest,
    ControllerExpandVolumeResponse,
  ),
  controllerModifyVolume: method("/csi.v1.Controller/ControllerModifyVolume", ControllerModifyVolumeRequest, Empty),
};

export const nodeService = {
  nodeStageVolume: method("/csi.v1.Node/NodeStageVolume", NodeStageVolumeRequest, Empty),
  nodeUnstageVolume: method("/csi.v1.Node/NodeUnstageVolume", NodeUnstageVolumeRequest, Empty),
  nodePublishVolume: method("/csi.v1.Node/NodePublishVolume", NodePublishVolumeRequest, Empty),
  nodeUnpublishVolume: method("/csi.v1.Node/NodeUnpublishVolume", NodeUnpublishVolumeRequest, Empty),
  nodeGetVolumeStats: method("/csi.v1.Node/NodeGetVolumeStats", NodeGetVolumeStatsRequest, NodeGetVolumeStatsResponse),
  nodeExpandVolume: method("/csi.v1.Node/NodeExpandVolume", NodeExpandVolumeRequest, NodeExpandVolumeResponse),
  nodeGetCapabilities: method("/csi.v1.Node/NodeGetCapabilities", Empty, RpcCapabilities),
  nodeGetInfo: method("/csi.v1.Node/NodeGetInfo", Empty, NodeGetInfoResponse),
};

export const registrationService = {
  getInfo: method("/pluginregistration.Registration/GetInfo", Empty, RegisteredPlugin),
  notifyRegistrationStatus: method(
    "/pluginregistration.Registration/NotifyRegistrationStatus",
    RegistrationStatus,
    Empty,
  ),
};

/** Numbers of what drivers can do. */
export const pluginFeature = { controllerService: 1, accessibilityConstraints: 2 } as const;
export const controllerFeature = {
  createDeleteVolume: 1,
  publishUnpublishVolume: 2,
  listVolumes: 3,
  getCapacity: 4,
  createDeleteSnapshot: 5,
  listSnapshots: 6,
  cloneVolume: 7,
  publishReadonly: 8,
  expandVolume: 9,
  singleNodeMultiWriter: 13,
  modifyVolume: 14,
} as const;
export const nodeFeature = {
  stageUnstageVolume: 1,
  getVolumeStats: 2,
  expandVolume: 3,
  volumeCondition: 4,
  singleNodeMultiWriter: 5,
  volumeMountGroup: 6,
} as const;
/** Numbers of access modes. */
export const accessMode = {
  singleNodeWriter: 1,
  singleNodeReaderOnly: 2,
  multiNodeReaderOnly: 3,
  multiNodeSingleWriter: 4,
  multiNodeMultiWriter: 5,
  singleNodeSingleWriter: 6,
  singleNodeMultiWriter: 7,
} as const;
