/**
 * The node's own CNI plugins (https://www.cni.dev/docs/spec/), as shell scripts: a pod costs a few short processes in the place
 * of four larger programs. All that is known beforehand is written into them. They use no more of a shell than POSIX has
 * (dash, busybox), and no programs but ip, nsenter, mkdir and rm.
 */
import { createHash } from "node:crypto";
import { addressText, assert, macOf, parseAddress, parseRange, present, sizeOf } from "@skiff/base";
import { cniVersion, type PodNetwork } from "./cni.ts";
import { portNotePrefix } from "./port-notes.ts";
import { shellWord } from "./script.ts";

/** Where the plugin finds things. */
export interface CniPluginPlaces {
  /** That of the network among `addressFolders`. */
  readonly addressFolder: string;
  /** iproute2's. Some busyboxes take their own `ip` where no path is told. */
  readonly ip: string;
  /** The CNI plugin for ports of the node. */
  readonly portmap: string;
}

const head = `#!/bin/sh
# Written by skiff at every start.
PATH=\${PATH:+$PATH:}/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin
umask 022

# What CNI says of this call. To read it costs less than a program would.
input=
while IFS= read -r line || [ -n "$line" ]; do input=$input$line; done
`;

/** The plugin `loopback`, which containerd asks to bring `lo` up. The other one does that; this one only says so. */
export const loopbackScript = (): string => `${head}
version=\${input#*'"cniVersion"'*'"'}
version=\${version%%'"'*}
case $CNI_COMMAND in
  ADD) printf '{"cniVersion":"%s","interfaces":[{"name":"lo","mac":"00:00:00:00:00:00","sandbox":"%s"}],"ips":[{"version":"4","interface":0,"address":"127.0.0.1/8"}],"dns":{}}\\n' "$version" "$CNI_NETNS" ;;
  VERSION) printf '{"cniVersion":"%s","supportedVersions":["0.3.0","0.3.1","0.4.0","1.0.0"]}\\n' "$version" ;;
esac
`;

/** The plugin that connects pods: a cable to the bridge, an address, a route, and by `portmap` ports of the node. */
export function podNetworkScript(network: PodNetwork, places: CniPluginPlaces): string {
  const parts = [errorPart, addressPart, bridgePart, portPart, addPart, otherParts];
  return [head, constants(network, places), ...parts].join("\n");
}

function constants({ bridge, podCidr, gateway, mtu }: PodNetwork, places: CniPluginPlaces): string {
  const range = present(parseRange(podCidr), "the pods' network");
  const own = present(parseAddress(gateway), "the bridge's address");
  assert(range.family === "IPv4" && range.length <= 30, "pods' networks are of IPv4 and have room");
  const [first, last] = [range.first + 1n, range.first + sizeOf(range) - 2n];
  const text = (value: bigint) => addressText({ family: "IPv4", value });
  // Links of one bridge are told apart by the address's place in the range, those of several by the bridge's name.
  const digest = BigInt(`0x${createHash("sha256").update(bridge).digest("hex")}`).toString(36);
  const cable = `veth${digest.slice(0, 11 - String(last - first).length)}`;
  return `bridge=${bridge}
bridge_mac=${macOf("pods", own)}
mtu=${mtu === undefined ? "" : `'mtu ${mtu}'`}
gateway=${gateway}
length=${range.length}
# The names of the cables' ends at the bridge, without a number.
cable=${cable}
# Addresses as numbers: the first and the last that may be given, and the bridge's.
first=${first}
last=${last}
own=${own.value}
range=${text(first)}-${text(last)}
addresses=${shellWord(places.addressFolder)}
ip=${shellWord(places.ip)}
portmap=${shellWord(places.portmap)}
version=${cniVersion}
`;
}

const errorPart = `# fail CODE TEXT: ends with an error as CNI has it, without what JSON does not have in texts.
fail() {
  code=$1
  set -f
  IFS='"\\
	'
  set -- $2
  IFS=' '
  printf '{"cniVersion":"%s","code":%s,"msg":"%s"}\\n' "$version" "$code" "$*"
  exit 1
}
`;

const addressPart = `# owned FILE: whether the address belongs to the sandbox.
owned() {
  owner=
  { read -r owner <"$1"; } 2>/dev/null
  case $owner in
    "$CNI_CONTAINERID" | "$CNI_CONTAINERID"[!0-9A-Za-z_.-]) return 0 ;;
  esac
  return 1
}

# Sets \`address\` to the one that the sandbox was given, as CNI remembers.
remembered_address() {
  rest=\${input#*'"prevResult"'}
  [ "$rest" != "$input" ] || return 1
  address=\${rest#*'"address":"'}
  address=\${address%%/*}
  owned "$addresses/$address"
}

# Sets \`hex\` to the two digits of a byte.
to_hex() {
  byte=$1
  set -- 0 1 2 3 4 5 6 7 8 9 a b c d e f
  eval "hex=\\\${$((byte / 16 + 1))}\\\${$((byte % 16 + 1))}"
}

# Sets \`address\`, \`file\`, \`mac\` and \`link\`. The search goes on behind the last one that was given: none is used again at once.
take_address() {
  [ -d "$addresses" ] || mkdir -p "$addresses" || fail 5 "cannot make $addresses"
  a= b= c= d=
  { IFS='. ' read -r a b c d _ <"$addresses/last_reserved_ip.0"; } 2>/dev/null
  case :$a:$b:$c:$d: in
    *::* | *[!0-9:]*) number=$last ;;
    *) number=$(((a << 24) + (b << 16) + (c << 8) + d)) ;;
  esac
  [ "$number" -ge "$first" ] && [ "$number" -le "$last" ] || number=$last
  start=$number
  while :; do
    number=$((number + 1))
    [ "$number" -le "$last" ] || number=$first
    a=$((number >> 24)) b=$((number >> 16 & 255)) c=$((number >> 8 & 255)) d=$((number & 255))
    address=$a.$b.$c.$d
    file=$addresses/$address
    if [ "$number" -ne "$own" ] && [ ! -e "$file" ]; then
      set -C
      { printf '' >"$file"; } 2>/dev/null && break
      set +C
    fi
    [ "$number" -ne "$start" ] || fail 11 "no IP addresses available in range set: $range"
  done
  set +C
  if ! printf '%s\\r\\n%s' "$CNI_CONTAINERID" "$CNI_IFNAME" >"$file"; then
    rm -f "$file"
    fail 5 "cannot write $file"
  fi
  # Written over, never cut: who reads it meanwhile finds an address. A name of a fixed length covers the one before.
  printf '%-15s\\n' "$address" 1<>"$addresses/last_reserved_ip.0"
  mac=0a:58
  for byte in $a $b $c $d; do
    to_hex "$byte"
    mac=$mac:$hex
  done
  link=$cable$((number - first))
}
`;

const bridgePart = `# The agent makes it at its start; it may have been taken away since. Another call may be making it.
make_bridge() {
  "$ip" -force -batch - >/dev/null 2>&1 <<END
link add $bridge address $bridge_mac $mtu type bridge
address add $gateway/$length brd + dev $bridge
link set $bridge up
END
  echo 1 >/proc/sys/net/ipv4/ip_forward
  # Pods do not tell the node where to send its packets.
  { echo 0 >"/proc/sys/net/ipv6/conf/$bridge/accept_ra"; } 2>/dev/null
}
`;

const portPart = `# ports COMMAND RESULT: sets \`said\` to what \`portmap\` says, which only pods with ports of the node have need of. What it is told is
# noted: a sandbox that nobody ends in order has rules all the same. Sets \`note\` to the file.
note=
ports() {
  set -f
  set -- "$1" "$2" $input
  command=$1 result=$2
  shift 2
  IFS=
  compact="$*"
  IFS=' 	
'
  set +f
  case $compact in
    *'"portMappings":[{'*) ;;
    *) return 0 ;;
  esac
  note=$addresses/${portNotePrefix}$CNI_CONTAINERID
  if [ "$command" = ADD ] && ! printf '%s' "$input" >"$note"; then
    said="cannot write $note"
    return 1
  fi
  given=$input
  [ -z "$result" ] || given="{\\"prevResult\\":$result,\${input#*\\{}"
  said=$(printf '%s' "$given" | CNI_COMMAND=$command "$portmap") && return
  # What it says in CNI's form of an error, which this becomes a part of.
  said=\${said#*'"msg": "'}
  said=\${said%'"'*}
  return 1
}
`;

const addPart = `# undo TEXT: takes away what was made of the network, and fails.
undo() {
  ports DEL ''
  drop_cable
  rm -f "$file" "$note"
  fail 100 "$1"
}

# The cable that has the name is ours, as the address is, where its other end is not another cluster's bridge.
drop_cable() {
  case $("$ip" -o link show dev "$link" 2>/dev/null) in
    *" master $bridge "*) "$ip" link delete "$link" ;;
    *) return 1 ;;
  esac
}

connect() {
  said=$("$ip" -batch - 2>&1 <<END
link add $link $mtu master $bridge up type veth peer name $CNI_IFNAME address $mac $mtu netns $CNI_NETNS
link set $link type bridge_slave hairpin on
END
  )
}

add() {
  [ -n "$CNI_NETNS" ] || fail 4 'CNI_NETNS is missing'
  take_address
  [ -d "/proc/sys/net/ipv4/conf/$bridge" ] || make_bridge
  # It fails where a sandbox that had the address before is gone, but not its namespace yet.
  connect || { drop_cable && connect; } || undo "$said"
  said=$(nsenter --net="$CNI_NETNS" "$ip" -batch - 2>&1 <<END
link set lo up
address add $address/$length brd + dev $CNI_IFNAME
link set $CNI_IFNAME up
route add default via $gateway dev $CNI_IFNAME
END
  ) || undo "$said"
  result="{\\"cniVersion\\":\\"$version\\",\\"interfaces\\":[{\\"name\\":\\"$bridge\\"},{\\"name\\":\\"$link\\"},{\\"name\\":\\"$CNI_IFNAME\\",\\"mac\\":\\"$mac\\",\\"sandbox\\":\\"$CNI_NETNS\\"}],\\"ips\\":[{\\"version\\":\\"4\\",\\"interface\\":2,\\"address\\":\\"$address/$length\\",\\"gateway\\":\\"$gateway\\"}],\\"routes\\":[{\\"dst\\":\\"0.0.0.0/0\\"}],\\"dns\\":{}}"
  ports ADD "$result" || undo "$said"
  printf '%s\\n' "$result"
}
`;

const otherParts = `# Nothing is amiss where there is nothing left to give back. The cable goes with the namespace, which the runtime takes away
# next: to cut it here would take as long as all the rest.
delete() {
  set --
  if remembered_address; then
    set -- "$addresses/$address"
  else
    for file in "$addresses"/*.*.*.*; do
      if owned "$file"; then set -- "$@" "$file"; fi
    done
  fi
  ports DEL '' || fail 100 "$said"
  [ -z "$note" ] || set -- "$@" "$note"
  [ $# -eq 0 ] || exec rm -f "$@"
}

check() {
  remembered_address || fail 100 "$CNI_CONTAINERID has no address here"
  said=$(nsenter --net="$CNI_NETNS" "$ip" -o -4 address show dev "$CNI_IFNAME" 2>&1) || fail 100 "$said"
  case $said in
    *" $address/$length "*) ;;
    *) fail 100 "$CNI_IFNAME does not have the address $address" ;;
  esac
  ports CHECK '' || fail 100 "$said"
}

case $CNI_COMMAND in
  VERSION) printf '{"cniVersion":"%s","supportedVersions":["%s"]}\\n' "$version" "$version"; exit ;;
  ADD | DEL | CHECK) ;;
  *) fail 4 "CNI_COMMAND is $CNI_COMMAND" ;;
esac
[ -n "$CNI_CONTAINERID" ] && [ -n "$CNI_IFNAME" ] || fail 4 'CNI_CONTAINERID or CNI_IFNAME is missing'
case $CNI_COMMAND in
  ADD) add ;;
  DEL) delete ;;
  CHECK) check ;;
esac
exit 0
`;
