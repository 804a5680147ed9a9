import { addQuantity, compareQuantity, parseQuantity, type Quantity, quantityFromUnits, subtractQuantity } from '../../quantity.ts';
import { fail, noSuchOverload, Opaque, type Value } from '../value.ts';
import { type Call, type CelFunction, textAt } from './call.ts';
import { SemverValue } from './semver.ts';

const nanoPerUnit = 1_000_000_000n;
const intMax = 2n ** 63n - 1n;

class QuantityValue extends Opaque {
  readonly typeName = 'kubernetes.Quantity';
  readonly quantity: Quantity;
  constructor(quantity: Quantity) {
    super();
    this.quantity = quantity;
  }
  equals(other: Opaque): boolean {
    return other instanceof QuantityValue && compareQuantity(this.quantity, other.quantity) === 0;
  }
}

function receiver(call: Call): Quantity {
  const [value] = call.arguments;
  return value instanceof QuantityValue ? value.quantity : fail(noSuchOverload);
}

function isWhole({ nano }: Quantity): boolean {
  return nano % nanoPerUnit === 0n && nano / nanoPerUnit <= intMax && nano / nanoPerUnit >= -intMax - 1n;
}

function operand(value: Value | undefined): Quantity {
  if (typeof value === 'bigint') return quantityFromUnits(value);
  return value instanceof QuantityValue ? value.quantity : fail(noSuchOverload);
}

/** Order of two quantities or of two versions, which share the names of their functions. */
function order(call: Call): number {
  const [a, b] = call.arguments;
  if (a instanceof SemverValue) return b instanceof SemverValue ? a.compare(b) : fail(noSuchOverload);
  return compareQuantity(receiver(call), operand(b));
}

export const quantityFunctions: Readonly<Record<string, CelFunction>> = {
  quantity: (call) => {
    const quantity = parseQuantity(textAt(call, 0));
    return typeof quantity === 'string' ? fail(quantity) : new QuantityValue(quantity);
  },
  isQuantity: (call) => typeof parseQuantity(textAt(call, 0)) !== 'string',
  sign: (call) => {
    const { nano } = receiver(call);
    return nano > 0n ? 1n : nano < 0n ? -1n : 0n;
  },
  isInteger: (call) => isWhole(receiver(call)),
  asInteger: (call) => {
    const quantity = receiver(call);
    return isWhole(quantity) ? quantity.nano / nanoPerUnit : fail('cannot convert value to integer');
  },
  asApproximateFloat: (call) => Number(receiver(call).nano) / 1e9,
  add: (call) => new QuantityValue(addQuantity(receiver(call), operand(call.arguments[1]))),
  sub: (call) => new QuantityValue(subtractQuantity(receiver(call), operand(call.arguments[1]))),
  isGreaterThan: (call) => order(call) > 0,
  isLessThan: (call) => order(call) < 0,
  compareTo: (call) => BigInt(Math.sign(order(call))),
};
