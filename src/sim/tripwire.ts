/** Thrown when code that runs inside the simulation touches the real world. Our bug, or the user's. */
export class TripwireError extends Error {
  override readonly name = 'TripwireError';
}

type Restore = () => void;

interface Wire {
  readonly target: object;
  readonly property: string;
  readonly label: string;
  readonly instead: string;
}

function wires(): readonly Wire[] {
  const g = globalThis;
  return [
    { target: Date, property: 'now', label: 'Date.now', instead: 'process.wall() or process.mono()' },
    { target: Math, property: 'random', label: 'Math.random', instead: 'process.random or world.randomness.stream(name)' },
    { target: performance, property: 'now', label: 'performance.now', instead: 'process.mono()' },
    { target: g, property: 'setTimeout', label: 'setTimeout', instead: 'process.after() or process.sleep()' },
    { target: g, property: 'setInterval', label: 'setInterval', instead: 'process.after()' },
    { target: g, property: 'setImmediate', label: 'setImmediate', instead: 'process.after(0)' },
    { target: g, property: 'queueMicrotask', label: 'queueMicrotask', instead: 'process.spawn()' },
    { target: g, property: 'fetch', label: 'fetch', instead: 'world.network' },
    { target: crypto, property: 'randomUUID', label: 'crypto.randomUUID', instead: 'process.random' },
    { target: crypto, property: 'getRandomValues', label: 'crypto.getRandomValues', instead: 'process.random' },
    { target: process, property: 'hrtime', label: 'process.hrtime', instead: 'process.mono()' },
    { target: process, property: 'nextTick', label: 'process.nextTick', instead: 'process.spawn()' },
  ];
}

/** A function that throws, with as many functions on it as the original has (`process.hrtime.bigint`). */
function trap(original: unknown, label: string, instead: string): () => never {
  const thrower = (): never => {
    throw new TripwireError(`${label} was called inside the simulation: use ${instead}`);
  };
  if (typeof original !== 'function') return thrower;
  return Object.assign(thrower, Object.fromEntries(Object.keys(original).map((key) => [key, trap(undefined, `${label}.${key}`, instead)])));
}

/** Arms every wire: the named functions and `new Date()` throw until the answer is called. */
function arm(): Restore {
  const undo: Restore[] = [];
  for (const { target, property, label, instead } of wires()) {
    const own = Object.getOwnPropertyDescriptor(target, property);
    Object.defineProperty(target, property, {
      configurable: true,
      writable: true,
      value: trap(own?.value, label, instead),
    });
    undo.push(() => {
      if (own === undefined) Reflect.deleteProperty(target, property);
      else Object.defineProperty(target, property, own);
    });
  }
  const realDate = globalThis.Date;
  const trapped = new Proxy(realDate, {
    construct(target, args) {
      if (args.length === 0) throw new TripwireError('new Date() was called inside the simulation: use process.wall()');
      return Reflect.construct(target, args) as object;
    },
    apply() {
      throw new TripwireError('Date() was called inside the simulation: use process.wall()');
    },
  });
  globalThis.Date = trapped;
  undo.push(() => {
    globalThis.Date = realDate;
  });
  return () => {
    for (const restore of undo.reverse()) restore();
  };
}

/** Runs `body` with the real world out of reach. The wires are removed however it ends. */
export function withTripwire<T>(body: () => T): T {
  const restore = arm();
  try {
    return body();
  } finally {
    restore();
  }
}
