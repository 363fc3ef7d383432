/** Record types that answers hold. */
export type RecordData =
  /** Addresses as text; of the IPv6 kind only what other servers gave. */
  | { readonly type: "A" | "AAAA"; readonly data: string }
  | { readonly type: "CNAME" | "PTR" | "NS"; readonly data: string }
  | { readonly type: "TXT"; readonly data: string }
  | { readonly type: "SRV"; readonly data: ServiceLocation }
  | { readonly type: "SOA"; readonly data: StartOfAuthority };

/** Where a Service's port is found. */
export interface ServiceLocation {
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Who answers for a zone, and how long others may remember that a name does not exist. Times in seconds. */
export interface StartOfAuthority {
  readonly mname: string;
  readonly rname: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

/** A record with the name that it belongs to. */
export interface NamedRecord {
  readonly name: string;
  readonly record: RecordData;
}

/** As `NamedRecord`; where other servers gave it, with the time that they gave it. */
export interface TimedRecord extends NamedRecord {
  readonly ttlSeconds?: number;
}
