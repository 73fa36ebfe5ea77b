// A database of places in MaxMind's file format, made for a test: a few IPv4 networks and what is said of each.
// The format: https://maxmind.github.io/MaxMind-DB/ (its version 2.0), with records of 24 bits.

interface Node {
  left: Node | number | null;
  right: Node | number | null;
}

const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
const RECORD_BYTES = 6;
const SEPARATOR_BYTES = 16;
const [MAP, STRING, UINT16, UINT32, ARRAY, UINT64] = [7, 2, 5, 6, 11, 9];

/** @param networks as in `192.0.2.0/24`, each with any object of texts, lists and objects */
export function mmdbOf(
  networks: Readonly<Record<string, unknown>>,
  databaseType: string,
  builtAt: Date,
): Buffer {
  const root: Node = { left: null, right: null };
  const data: Buffer[] = [];
  let dataBytes = 0;
  for (const [network, row] of Object.entries(networks)) {
    insert(root, network, dataBytes);
    data.push(encoded(row));
    dataBytes += data.at(-1)!.length;
  }
  const nodes: Node[] = [];
  const collect = (node: Node): void => {
    nodes.push(node);
    for (const side of [node.left, node.right]) if (side !== null && typeof side !== 'number') collect(side);
  };
  collect(root);
  const tree = Buffer.alloc(nodes.length * RECORD_BYTES);
  const recordOf = (side: Node['left']): number => {
    if (side === null) return nodes.length;
    return typeof side === 'number' ? nodes.length + SEPARATOR_BYTES + side : nodes.indexOf(side);
  };
  for (const [index, { left, right }] of nodes.entries()) {
    tree.writeUIntBE(recordOf(left), index * RECORD_BYTES, 3);
    tree.writeUIntBE(recordOf(right), index * RECORD_BYTES + 3, 3);
  }
  const metadata = Buffer.concat([
    control(MAP, 9),
    ...[encoded('node_count'), number(UINT32, nodes.length), encoded('record_size'), number(UINT16, 24)],
    ...[encoded('ip_version'), number(UINT16, 4), encoded('database_type'), encoded(databaseType)],
    ...[encoded('languages'), encoded(['en']), encoded('binary_format_major_version'), number(UINT16, 2)],
    ...[encoded('binary_format_minor_version'), number(UINT16, 0)],
    ...[encoded('build_epoch'), number(UINT64, builtAt.getTime() / 1_000)],
    ...[encoded('description'), encoded({ en: 'made for a test' })],
  ]);
  return Buffer.concat([tree, Buffer.alloc(SEPARATOR_BYTES), ...data, MARKER, metadata]);
}

function insert(root: Node, network: string, offset: number): void {
  const [address = '', length = '32'] = network.split('/');
  const bits = address
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('')
    .slice(0, Number(length));
  let node = root;
  for (const [index, bit] of [...bits].entries()) {
    const side = bit === '0' ? 'left' : 'right';
    if (index === bits.length - 1) node[side] = offset;
    else {
      const next = node[side];
      if (typeof next === 'number') throw new Error(`${network} lies within another network`);
      node = node[side] = next ?? { left: null, right: null };
    }
  }
}

function encoded(value: unknown): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return Buffer.concat([control(STRING, text.length), text]);
  }
  if (Array.isArray(value)) return Buffer.concat([control(ARRAY, value.length), ...value.map(encoded)]);
  const entries = Object.entries(value as object);
  return Buffer.concat([control(MAP, entries.length), ...entries.flat().map(encoded)]);
}

function number(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(value, 0, 6);
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Buffer.alloc(0) : bytes.subarray(start);
  return Buffer.concat([control(type, digits.length), digits]);
}

/** Types above 7 stand in a byte of their own; sizes up to 284 are all that is needed here. */
function control(type: number, size: number): Buffer {
  const [inline, more] = size < 29 ? [size, []] : [29, [size - 29]];
  return Buffer.from(type > 7 ? [inline, type - 7, ...more] : [(type << 5) | inline, ...more]);
}
