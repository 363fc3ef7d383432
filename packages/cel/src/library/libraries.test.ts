import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../fixtures/run.ts";

/** Each of these holds. */
const true_: Readonly<Record<string, readonly string[]>> = {
  lists: [
    "[1, 2, 2].isSorted() && ![2, 1].isSorted() && [].isSorted() == true || true",
    "['a', 'b'].isSorted() && [1.0, 2.0].sum() == 3.0 && [1, 3].sum() == 4 && [1u, 2u].sum() == 3u",
    "[duration('1m'), duration('1s')].sum() == duration('61s')",
    "[3, 1, 2].min() == 1 && [3, 1, 2].max() == 3 && ['b', 'a'].min() == 'a'",
    "[1, 2, 2, 3].indexOf(2) == 1 && [1, 2, 2, 3].lastIndexOf(2) == 2 && [1].indexOf(5) == -1",
  ],
  regex: [
    "'abc 123 456'.find('[0-9]+') == '123' && 'abc'.find('[0-9]+') == ''",
    "'123 abc 456'.findAll('[0-9]+') == ['123', '456'] && '1 2 3'.findAll('[0-9]', 2) == ['1', '2']",
    "'a1'.matches('^[a-z][0-9]$') && !'a1b'.matches('^[a-z][0-9]$')",
  ],
  url: [
    "url('https://user@example.com:80/a%20b?k=v&k=w').getHost() == 'example.com:80'",
    "url('https://example.com:80/').getHostname() == 'example.com' && url('https://example.com:80/').getPort() == '80'",
    "url('https://[::1]:80/').getHostname() == '::1' && url('https://[::1]:80/').getHost() == '[::1]:80'",
    "url('https://example.com/a%20b').getEscapedPath() == '/a%20b' && url('/path').getScheme() == ''",
    "url('https://example.com/?k=v&k=w').getQuery() == {'k': ['v', 'w']} && url('/p').getQuery() == {}",
    "isURL('https://example.com') && isURL('/path') && !isURL('../relative') && !isURL('https://a:b:c/')",
    "url('https://a/') == url('https://a/') && url('https://a/') != url('https://b/')",
  ],
  ip: [
    "ip('192.168.0.1').family() == 4 && ip('::1').family() == 6 && isIP('::ffff') && !isIP('1.2.3')",
    "!isIP('::ffff:1.2.3.4') && !isIP('fe80::1%eth0') && !isIP('01.2.3.4')",
    "ip.isCanonical('127.0.0.1') && ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD')",
    "ip('0.0.0.0').isUnspecified() && ip('127.0.0.1').isLoopback() && ip('::1').isLoopback()",
    "ip('224.0.0.1').isLinkLocalMulticast() && ip('169.254.1.1').isLinkLocalUnicast() && ip('fe80::1').isLinkLocalUnicast()",
    "ip('8.8.8.8').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast() && !ip('224.0.0.1').isGlobalUnicast()",
    "string(ip('2001:0db8::0001')) == '2001:db8::1' && ip('::1') == ip('0:0::1') && type(ip('::1')) == net.IP",
  ],
  cidr: [
    "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.1'))",
    "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))",
    "cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && cidr('10.0.0.0/8').prefixLength() == 8",
    "cidr('2001:db8::/32').ip() == ip('2001:db8::') && string(cidr('2001:DB8::/32')) == '2001:db8::/32'",
    "isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0') && !isCIDR('10.0.0.0/33') && !cidr('10.0.0.0/8').containsIP('::1')",
  ],
  quantity: [
    "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('50k') == quantity('50000')",
    "quantity('1.5').isInteger() == false && quantity('2k').asInteger() == 2000 && isQuantity('1.3Gi') && !isQuantity('Three')",
    "quantity('50k').add(quantity('20k')) == quantity('70k') && quantity('50k').sub(20) == quantity('49980')",
    "quantity('-1').sign() == -1 && quantity('200M').compareTo(quantity('0.2G')) == 0 && quantity('100m').asApproximateFloat() == 0.1",
  ],
  semver: [
    "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0-rc.1').isLessThan(semver('1.0.0'))",
    "semver('1.2.3').major() == 1 && semver('1.2.3').minor() == 2 && semver('1.2.3').patch() == 3",
    "semver('1.0.0-alpha.2').isGreaterThan(semver('1.0.0-alpha.1')) && semver('1.0.0-1').isLessThan(semver('1.0.0-a'))",
    "isSemver('1.0.0') && !isSemver('v1.0') && isSemver('v1.0', true) && semver('v01.02', true) == semver('1.2.0')",
  ],
  format: [
    "format.dns1123Label().validate('my-label').hasValue() == false && format.dns1123Label().validate('My').hasValue()",
    "format.named('uuid').value().validate('nope').value() == ['does not match the UUID format']",
    "!format.named('nothing').hasValue() && !format.date().validate('2024-02-29').hasValue()",
    "format.datetime().validate('x').hasValue() && !format.byte().validate('aGVsbG8=').hasValue()",
  ],
  sets: [
    "sets.contains([1, 2, 3], [2, 3]) && sets.intersects([1], [dyn(1.0)]) && sets.equivalent([1, 1], [dyn(1u)])",
    "!sets.contains([1], [2]) && sets.contains([], []) && !sets.intersects([], [1])",
  ],
  text: [
    "jsonpatch.escapeKey('k8s.io/a~b') == 'k8s.io~1a~0b'",
    "'%s has %d of %.1f'.format([dyn('a'), dyn(2), dyn(3.14)]) == 'a has 2 of 3.1' && 'héllo'.charAt(1) == 'é' && size('😀') == 1",
    "'a,b,c'.split(',', 2) == ['a', 'b,c'] && ' x '.trim() == 'x' && 'abc'.reverse() == 'cba' && strings.quote('a\"b') == '\"a\\\\\"b\"'",
    "base64.encode(b'hello') == 'aGVsbG8=' && math.greatest(1, 2.5) == 2.5 && math.ceil(1.2) == 2.0",
  ],
};

for (const [library, expressions] of Object.entries(true_)) {
  test(`library: ${library}`, () => {
    for (const expression of expressions) assert.deepEqual(run(expression), { value: true }, expression);
  });
}

test("what a macro made stays as it is when it is used", () => {
  for (const expression of [
    "cel.bind(l, [1].map(x, x), (l + [2]) == [1, 2] && (l + [3]) == [1, 3] && l == [1])",
    "cel.bind(l, [1, 2].filter(x, x > 1), size(l + l) == 4 - 2 && size(l) == 1 && (l + l + [3]) == [2, 2, 3])",
    "cel.bind(m, {'a': 1}.transformMap(k, v, v + 1), m.transformMap(k, v, v + 1) == {'a': 3} && m == {'a': 2})",
    "[[1], [2]].map(l, l.map(x, x) + [0]) == [[1, 0], [2, 0]] && [1, 2].map(x, [x] + [x]).map(l, l + l) == [[1, 1, 1, 1], [2, 2, 2, 2]]",
    "cel.bind(a, [1, 2], cel.bind(b, a + a, b + b == [1, 2, 1, 2, 1, 2, 1, 2] && (b + b)[5] == 2 && size(b) == 4 && a == [1, 2]))",
  ]) {
    assert.deepEqual(run(expression), { value: true }, expression);
  }
});

const failures: readonly [string, RegExp][] = [
  ["1 / 0 == 1", /^division by zero$/],
  ["1 % 0 == 1", /^modulus by zero$/],
  ["object.a == 1", /^no such key: a$/],
  ["[1][5] == 1", /^index out of bounds: 5$/],
  ["9223372036854775807 + 1 == 0", /^integer overflow$/],
  ["url('not a url').getHost() == ''", /^URL parse error during conversion from string: /],
  ["ip('x').family() == 4", /^IP Address "x" parse error during conversion from string: /],
  ["cidr('x').prefixLength() == 4", /^network address parse error during conversion from string: /],
  ["quantity('x').sign() == 0", /^quantities must match the regular expression /],
  ["quantity('1.5').asInteger() == 1", /^cannot convert value to integer$/],
  ["semver('x').major() == 1", /^Invalid semantic version "x"$/],
  ["[].min() == 1", /found no matching overload|min called on empty list/],
  ["'a'.matches('(' + '')", /missing closing|error parsing regexp/],
  ["optional.none().value() == 1", /^optional.none\(\) dereference$/],
  [
    "timestamp('' + 'x') == timestamp('x' + '')",
    /^type conversion error from 'string' to 'google.protobuf.Timestamp'$/,
  ],
];

test("failures at run time are worded as Kubernetes does", () => {
  for (const [expression, wanted] of failures) {
    const outcome = run(expression);
    assert(typeof outcome === "string", expression);
    assert.match(outcome, wanted, expression);
  }
});
