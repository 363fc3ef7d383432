import * as x509 from "@peculiar/x509";

const flags = x509.KeyUsageFlags;

/** What a key may do, by Kubernetes' words for it. */
const keyUsages: Readonly<Record<string, x509.KeyUsageFlags | undefined>> = {
  signing: flags.digitalSignature,
  "digital signature": flags.digitalSignature,
  "content commitment": flags.nonRepudiation,
  "key encipherment": flags.keyEncipherment,
  "key agreement": flags.keyAgreement,
  "data encipherment": flags.dataEncipherment,
  "cert sign": flags.keyCertSign,
  "crl sign": flags.cRLSign,
  "encipher only": flags.encipherOnly,
  "decipher only": flags.decipherOnly,
};

/** What a certificate is for: object identifiers. */
const purposes: Readonly<Record<string, string | undefined>> = {
  any: "2.5.29.37.0",
  "server auth": "1.3.6.1.5.5.7.3.1",
  "client auth": "1.3.6.1.5.5.7.3.2",
  "code signing": "1.3.6.1.5.5.7.3.3",
  "email protection": "1.3.6.1.5.5.7.3.4",
  "s/mime": "1.3.6.1.5.5.7.3.4",
  "ipsec end system": "1.3.6.1.5.5.7.3.5",
  "ipsec tunnel": "1.3.6.1.5.5.7.3.6",
  "ipsec user": "1.3.6.1.5.5.7.3.7",
  timestamping: "1.3.6.1.5.5.7.3.8",
  "ocsp signing": "1.3.6.1.5.5.7.3.9",
  "microsoft sgc": "1.3.6.1.4.1.311.10.3.3",
  "netscape sgc": "2.16.840.1.113730.4.1",
};

/** The extensions that say what a certificate may be used for. */
export function usageExtensions(usages: readonly string[]): x509.Extension[] {
  const bits = usages.reduce((sum, usage) => sum | (keyUsages[usage] ?? 0), 0);
  const oids = [...new Set(usages.flatMap((usage) => purposes[usage] ?? []))];
  return [
    ...(bits === 0 ? [] : [new x509.KeyUsagesExtension(bits, true)]),
    ...(oids.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(oids, false)]),
  ];
}
