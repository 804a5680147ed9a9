import { type FieldSet, leaf } from './field-set.ts';

/**
 * Most objects that are written have one of a few structures (all pods of a ReplicaSet, all leases), and their field sets depend on the structure
 * alone. So sets are built as paths through a tree, child by child: equal paths end in the same set. It saves the making and the keeping of
 * thousands of equal sets, and lets what is worked out from a set be remembered by its identity.
 */
export class SetPath {
  readonly #before: SetPath | undefined;
  readonly #element: string;
  readonly #child: FieldSet;
  #set: FieldSet | undefined;
  /** The way that was taken last: mostly the next one takes it too. */
  #latest: SetPath | undefined;
  #others: Map<string, Map<FieldSet, SetPath>> | undefined;

  constructor(before: SetPath | undefined, element: string, child: FieldSet) {
    this.#before = before;
    this.#element = element;
    this.#child = child;
  }

  /** The path with one more child. */
  with(element: string, child: FieldSet): SetPath {
    const latest = this.#latest;
    if (latest !== undefined && latest.#element === element && latest.#child === child) return latest;
    const next = this.#find(element, child);
    this.#latest = next;
    return next;
  }

  #find(element: string, child: FieldSet): SetPath {
    this.#others ??= new Map();
    let byChild = this.#others.get(element);
    if (byChild === undefined) {
      byChild = new Map();
      this.#others.set(element, byChild);
    }
    const known = byChild.get(child);
    if (known !== undefined) return known;
    const made = new SetPath(this, element, child);
    byChild.set(child, made);
    pathsMade++;
    return made;
  }

  /** The set of the children so far. A child that comes twice is owned as a whole. */
  get set(): FieldSet {
    if (this.#set !== undefined) return this.#set;
    const children: [string, FieldSet][] = [];
    for (let path: SetPath = this; path.#before !== undefined; path = path.#before) children.push([path.#element, path.#child]);
    const set: Record<string, FieldSet> = {};
    for (const [element, child] of children.reverse()) set[element] = set[element] === undefined ? child : leaf;
    this.#set = set;
    return set;
  }
}

/** So many are kept; a campaign over many clusters must not collect them for ever. */
const PATHS_MAX = 20_000;
let pathsMade = 0;
let nodes = new SetPath(undefined, '', leaf);
let members = new Map<object, SetPath>();

/** The beginning of a node that is no member itself. */
export function nodePath(): SetPath {
  if (pathsMade > PATHS_MAX) {
    pathsMade = 0;
    nodes = new SetPath(undefined, '', leaf);
    members = new Map();
  }
  return nodes;
}

/** The beginning of a node that is a member itself. Each type has its own: nodes of one type mostly go the same way. */
export function memberPath(type: object): SetPath {
  let path = members.get(type);
  if (path === undefined) {
    path = new SetPath(undefined, '', leaf).with('.', leaf);
    members.set(type, path);
  }
  return path;
}

/** The shared set that is equal to this one. */
function shared(set: FieldSet): FieldSet {
  let path = nodePath();
  let any = false;
  for (const element in set) {
    path = path.with(element, shared(set[element] as FieldSet));
    any = true;
  }
  return any ? path.set : leaf;
}

/** A function of two sets that remembers its answers, shared sets, as long as somebody keeps its arguments. */
export function remembered(compute: (a: FieldSet, b: FieldSet) => FieldSet): (a: FieldSet, b: FieldSet) => FieldSet {
  const known = new WeakMap<FieldSet, WeakMap<FieldSet, FieldSet>>();
  return (a, b) => {
    let byFirst = known.get(a);
    if (byFirst === undefined) {
      byFirst = new WeakMap();
      known.set(a, byFirst);
    }
    let answer = byFirst.get(b);
    if (answer === undefined) {
      const computed = compute(a, b);
      // What is unchanged stays itself: callers see by it that nothing was taken.
      answer = computed === a ? a : shared(computed);
      byFirst.set(b, answer);
    }
    return answer;
  };
}
